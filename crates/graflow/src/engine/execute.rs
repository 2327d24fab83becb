//! The builder in front of a run.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::poll_fn;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use graflow_model::ExecutionId;
use tokio::runtime::Handle;

use super::driver::Driver;
use super::run::Run;
use super::shared::Shared;
use super::state::RunLimits;
use crate::context::current_task;
use crate::error::{Problem, Report, WorkflowError};
use crate::flow::{Available, Graph, Plan, check_execution_id, check_labels, check_workflow_name};
use crate::key::Key;
use crate::sink::{Execution, GuardedSink, RecordKind, Sink, WorkflowStart};
use crate::task::{RetryPolicy, TaskRef};
use crate::value::Value;

/// A run that is about to start: await it, or call [`Execute::execute_blocking`].
///
/// A workflow that runs inside of a task is recorded as that task's, uses its sink and its resources, and is
/// cancelled with it.
#[must_use = "nothing runs until this is awaited, or execute_blocking() is called"]
pub struct Execute {
    name: Arc<str>,
    graph: Arc<Graph>,
    execution_id: Option<ExecutionId>,
    start: Option<Arc<str>>,
    limits: RunLimits,
    inputs: Vec<(&'static str, Value)>,
    labels: BTreeMap<String, String>,
    resources: HashMap<TypeId, Value>,
    sink: Option<Arc<GuardedSink>>,
    cancel_on: Vec<Pin<Box<dyn Future<Output = String> + Send>>>,
}

impl Execute {
    pub(crate) fn new(name: Arc<str>, graph: Arc<Graph>) -> Self {
        let limits = RunLimits {
            max_steps: 10_000,
            max_cycles: 10,
            retry: RetryPolicy::new(0),
            max_parallel: usize::MAX,
            cancel_grace: Duration::from_secs(10),
        };
        Self {
            name,
            graph,
            execution_id: None,
            start: None,
            limits,
            inputs: Vec::new(),
            labels: BTreeMap::new(),
            resources: HashMap::new(),
            sink: None,
            cancel_on: Vec::new(),
        }
    }

    /// Starts with this task alone, instead of with all that have no predecessor.
    pub fn start(mut self, task: impl TaskRef) -> Self {
        self.start = Some(task.into_task_id());
        self
    }

    /// The most task executions, every attempt counted; 10,000 unless it is set. Beyond it the run ends as
    /// `max_steps`.
    pub fn max_steps(mut self, steps: u64) -> Self {
        self.limits.max_steps = steps;
        self
    }

    /// The most passes of a loop, for tasks that do not say it themselves; 10 unless it is set.
    pub fn default_max_cycles(mut self, cycles: u32) -> Self {
        self.limits.max_cycles = cycles;
        self
    }

    /// When to try again, for tasks that do not say it themselves; never, unless it is set.
    pub fn default_retry(mut self, policy: RetryPolicy) -> Self {
        self.limits.retry = policy;
        self
    }

    /// The most tasks that run at the same time; no limit unless it is set.
    pub fn max_parallel(mut self, tasks: usize) -> Self {
        self.limits.max_parallel = tasks.max(1);
        self
    }

    /// How long a cancelled run waits for blocking tasks to look at `ctx.is_cancelled()`; 10 s unless it is set.
    /// After that their threads are left behind.
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.limits.cancel_grace = grace;
        self
    }

    /// Gives the channel a value, and so every parameter of the key's name.
    pub fn input<T: Send + Sync + 'static>(mut self, key: Key<T>, value: T) -> Self {
        self.inputs.push((key.name(), key.value(value)));
        self
    }

    /// Gives the tasks something to work with: every parameter `Res<T>`.
    pub fn resource<T: Send + Sync + 'static>(mut self, resource: T) -> Self {
        self.resources.insert(TypeId::of::<T>(), Value::new(resource));
        self
    }

    /// Like [`Execute::resource`], for what is shared already.
    pub fn shared_resource<T: Send + Sync + 'static>(mut self, resource: Arc<T>) -> Self {
        let value = Value::from_arc(resource, crate::value::ValueType::opaque::<T>());
        self.resources.insert(TypeId::of::<T>(), value);
        self
    }

    /// Records what happens.
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.sink = Some(Arc::new(GuardedSink::new(sink)));
        self
    }

    /// Cancels the run when the future ends: `.cancel_on(token.cancelled_owned())`, `.cancel_on(ctrl_c())`.
    pub fn cancel_on<F: Future + Send + 'static>(mut self, cancelled: F) -> Self {
        self.cancel_on.push(Box::pin(async {
            cancelled.await;
            "cancelled from outside".to_owned()
        }));
        self
    }

    /// Labels the run, for people to find it by.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Names the run; a new id of its own unless it is set.
    pub fn execution_id(mut self, id: impl Into<ExecutionId>) -> Self {
        self.execution_id = Some(id.into());
        self
    }

    /// Runs on a runtime of its own, and waits for the end. A task that is no `async fn` may do so as well.
    ///
    /// # Errors
    /// Like awaiting it; and when called from inside of an async runtime, which it would block.
    pub fn execute_blocking(self) -> Result<Run, WorkflowError> {
        let may_wait = current_task().is_some_and(|task| task.has_its_own_thread());
        if Handle::try_current().is_ok() && !may_wait {
            return Err(WorkflowError::InsideRuntime);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(WorkflowError::Runtime)?;
        let run = runtime.block_on(self.run());
        // Threads that were left behind are not waited for.
        runtime.shutdown_background();
        run
    }

    async fn run(mut self) -> Result<Run, WorkflowError> {
        let runtime = Handle::try_current().map_err(|_| WorkflowError::NoRuntime)?;
        // There is no other way to ask whether timeouts, retries and cancellation can be waited for.
        catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).map_err(|_| WorkflowError::NoTimer)?;
        let outer = current_task();
        if let Some(outer) = &outer {
            self.inherit(outer);
        }
        let id = self.execution_id.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string().into());
        let execution = Arc::new(Execution { id, workflow: (&*self.name).into() });
        let shared = Arc::new(Shared::new(execution, self.sink.take(), std::mem::take(&mut self.resources)));
        let (plan, starts) = self.plan(&shared)?;
        let started = Instant::now();
        if let Some(recorder) = &shared.recorder {
            let with_values = recorder.with_values;
            let start = WorkflowStart {
                inputs: if with_values { self.inputs.clone() } else { Vec::new() },
                labels: std::mem::take(&mut self.labels),
                parent: outer
                    .as_ref()
                    .filter(|outer| outer.is_tracked())
                    .map(|outer| (Arc::clone(&outer.shared().execution), outer.task())),
            };
            recorder.record(RecordKind::WorkflowStarted(Box::new(start)));
        }
        let graph = Arc::clone(&self.graph);
        let mut driver = Driver::new(graph, plan, shared, self.limits, runtime);
        driver.cancel_on = self.cancel_on;
        driver.record_graph(0, 0);
        driver.set_inputs(self.inputs);
        driver.start(&starts);
        poll_fn(|context| driver.poll_run(context)).await;
        Ok(driver.conclude(started))
    }

    /// What a nested run takes over from the task that it runs inside of.
    fn inherit(&mut self, outer: &crate::context::CurrentTask) {
        let shared = outer.shared();
        if let (None, Some(recorder)) = (&self.sink, &shared.recorder)
            && outer.is_tracked()
        {
            self.sink = Some(Arc::clone(&recorder.sink));
        }
        for (type_id, resource) in &shared.resources {
            self.resources.entry(*type_id).or_insert_with(|| resource.clone());
        }
        let token = outer.token();
        self.cancel_on.push(Box::pin(async move {
            token.cancelled().await;
            "the task that it runs inside of was cancelled".to_owned()
        }));
    }

    /// Everything that is checked before the first task.
    fn plan(&self, shared: &Shared) -> Result<(Plan, Vec<u32>), WorkflowError> {
        let graph = &self.graph;
        let names = [check_workflow_name(&self.name), check_labels(self.labels.iter())];
        let id = self.execution_id.as_ref().map(|id| check_execution_id(id.as_str()));
        let mut problems: Vec<Problem> =
            names.into_iter().chain(id).filter_map(std::result::Result::err).collect();
        problems.extend(graph.problems.iter().cloned());
        let available = Available {
            keys: self.inputs.iter().map(|(key, value)| (*key, value.value_type())).collect(),
            resources: &shared.resources,
            has_result: &|_| false,
        };
        let mut plan = Plan::default();
        if let Err(found) = plan.extend(graph, &available) {
            problems.extend(found);
        }
        let starts = self.starts().unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        if graph.vertices.is_empty() {
            problems.insert(0, Problem::Empty);
        }
        if problems.is_empty() {
            return Ok((plan, starts));
        }
        Err(WorkflowError::Invalid(Report { workflow: self.name.to_string(), problems }))
    }

    /// The vertices that the run starts with.
    fn starts(&self) -> Result<Vec<u32>, Problem> {
        let graph = &self.graph;
        let Some(start) = &self.start else { return Ok(graph.starts()) };
        let Some(vertex) = graph.find(start) else {
            return Err(Problem::UnknownTask { task: start.to_string(), available: graph.names() });
        };
        let Some(group) = graph.groups.get(graph.vertex(vertex).group as usize) else {
            return Ok(vec![vertex]);
        };
        let reason =
            format!("a run cannot start with its member `{start}` alone; start it with the group as a whole");
        Err(Problem::Group { group: graph.vertex(group.begin).id.to_string(), reason })
    }
}

impl IntoFuture for Execute {
    type Output = Result<Run, WorkflowError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Execute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Execute")
            .field("workflow", &self.name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
