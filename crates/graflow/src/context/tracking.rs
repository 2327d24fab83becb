//! Tracking without the engine: for programs that run their steps in their own way and want them recorded.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use graflow_model::state::CauseKind;
use graflow_model::{EdgeKind, ExecutionStatus, NodeKind};

use super::attempt::{Attempt, Limits};
use super::current::{Entered, enter};
use super::execution::ExecutionContext;
use crate::channel::Channel;
use crate::engine::Shared;
use crate::error::{Problem, TaskError};
use crate::flow::{check_task_name, check_workflow_name};
use crate::sink::{
    Cause, EdgeRecord, End, Execution, Failure, GraphChange, GuardedSink, NodeRecord, RecordKind, Sink,
    TaskExecution, WorkflowStart,
};
use crate::task::{Body, TaskSpec};
use crate::value::{Value, ValueType};

impl ExecutionContext {
    /// Begins to record a run that the engine does not drive.
    ///
    /// ```
    /// use graflow::prelude::*;
    /// use graflow::{ExecutionContext, sink::NullSink};
    ///
    /// let context = ExecutionContext::start_workflow_tracking("nightly", NullSink)?;
    /// context.add_edge("extract", "load")?;
    /// let orders = context.executing_task("extract")?.run(|| Ok::<_, TaskError>(vec![1, 2, 3]))?;
    /// context.executing_task("load")?.run(|| if orders.is_empty() { Err(TaskError::new("no orders")) } else { Ok(()) })?;
    /// context.complete();
    /// # Ok::<(), TaskError>(())
    /// ```
    ///
    /// # Errors
    /// The name is empty or too long.
    pub fn start_workflow_tracking(
        name: impl Into<String>,
        sink: impl Sink,
    ) -> Result<WorkflowTracking, Problem> {
        let name = name.into();
        check_workflow_name(&name)?;
        let id = uuid::Uuid::now_v7().to_string().into();
        let execution = Arc::new(Execution { id, workflow: name.into() });
        let sink = Arc::new(GuardedSink::new(sink));
        let shared = Arc::new(Shared::new(execution, Some(sink), HashMap::new()));
        let start =
            WorkflowStart { inputs: Vec::new(), labels: std::collections::BTreeMap::new(), parent: None };
        record(&shared, RecordKind::WorkflowStarted(Box::new(start)));
        Ok(WorkflowTracking { context: Self { shared }, state: Mutex::default(), has_ended: false })
    }
}

/// A run that is recorded while a program drives it. Dropped without an end it is cancelled.
#[derive(Debug)]
pub struct WorkflowTracking {
    context: ExecutionContext,
    state: Mutex<State>,
    has_ended: bool,
}

#[derive(Debug, Default)]
struct State {
    nodes: HashMap<Arc<str>, Node>,
    executions: u32,
}

#[derive(Debug)]
struct Node {
    number: u32,
    predecessors: Vec<Arc<str>>,
    passes: u32,
    /// The task execution that completed last.
    completed: Option<u32>,
}

/// A step that runs. Dropped without an end it is cancelled; dropped by a panic it has failed.
#[derive(Debug)]
#[must_use = "the task ends when this is dropped"]
pub struct ExecutingTask<'a> {
    tracking: &'a WorkflowTracking,
    attempt: Arc<Attempt>,
    has_ended: bool,
}

impl Deref for WorkflowTracking {
    type Target = ExecutionContext;
    fn deref(&self) -> &ExecutionContext {
        &self.context
    }
}

impl WorkflowTracking {
    /// Says that one task leads to another.
    ///
    /// # Errors
    /// A name is empty or too long.
    pub fn add_edge(&self, from: &str, to: &str) -> Result<(), Problem> {
        check_task_name(from)?;
        check_task_name(to)?;
        let mut state = self.state();
        let source = self.node(&mut state, from);
        let target = self.node(&mut state, to);
        if let Some(node) = state.nodes.get_mut(to) {
            node.predecessors.push(from.into());
        }
        let edges = vec![EdgeRecord { source, target, kind: EdgeKind::Static }];
        let change = GraphChange { nodes: Vec::new(), edges };
        record(&self.context.shared, RecordKind::GraphChanged(Box::new(change)));
        Ok(())
    }

    /// A task begins to run.
    ///
    /// # Errors
    /// The name is empty or too long.
    pub fn executing_task(&self, id: &str) -> Result<ExecutingTask<'_>, Problem> {
        check_task_name(id)?;
        let mut state = self.state();
        let task = self.node(&mut state, id);
        let number = state.executions;
        state.executions += 1;
        let mut iteration = 0;
        let mut causes = Vec::new();
        if let Some(node) = state.nodes.get_mut(id) {
            iteration = node.passes;
            node.passes += 1;
            let predecessors = node.predecessors.clone();
            let completed = predecessors.iter().filter_map(|id| state.nodes.get(id)?.completed);
            causes.extend(completed.map(|number| Cause { kind: CauseKind::Successor, number }));
        }
        drop(state);
        let task = TaskExecution { task, number, iteration, attempt: 1 };
        let limits = Limits { cycle: iteration + 1, max_cycles: u32::MAX, max_retries: 0 };
        let shared = Arc::clone(&self.context.shared);
        record(&shared, RecordKind::TaskStarted { task, causes, reads: Vec::new(), was_queued: false });
        let attempt = Arc::new(Attempt::new(shared, &TRACKED, id.into(), task, limits));
        Ok(ExecutingTask { tracking: self, attempt, has_ended: false })
    }

    /// The run came to its end.
    pub fn complete(mut self) {
        self.end(ExecutionStatus::Completed, None, None);
    }

    /// The run failed.
    pub fn fail(mut self, error: impl Into<TaskError>) {
        self.end(ExecutionStatus::Failed, None, Some(Failure::of(&error.into())));
    }

    fn end(&mut self, status: ExecutionStatus, reason: Option<String>, failure: Option<Failure>) {
        self.has_ended = true;
        record(&self.context.shared, RecordKind::WorkflowEnded(Box::new(End { status, reason, failure })));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a node, which is declared when it is first named.
    fn node(&self, state: &mut State, id: &str) -> u32 {
        if let Some(node) = state.nodes.get(id) {
            return node.number;
        }
        let number = crate::flow::index(state.nodes.len());
        let id: Arc<str> = id.into();
        let node =
            NodeRecord { number, id: Arc::clone(&id), kind: NodeKind::Static, group: None, spec: None };
        let change = GraphChange { nodes: vec![node], edges: Vec::new() };
        record(&self.context.shared, RecordKind::GraphChanged(Box::new(change)));
        state.nodes.insert(id, Node { number, predecessors: Vec::new(), passes: 0, completed: None });
        number
    }
}

impl Drop for WorkflowTracking {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(ExecutionStatus::Cancelled, Some("dropped before its end".to_owned()), None);
        }
    }
}

impl ExecutingTask<'_> {
    /// Runs the step's code: its logs, its nested workflows and its model calls are known to be the task's. Completes
    /// the task with the result, or fails it with the error.
    ///
    /// # Errors
    /// The step's own.
    pub fn run<T, E>(mut self, step: impl FnOnce() -> Result<T, E>) -> Result<T, E>
    where
        E: std::fmt::Display,
    {
        let entered = self.enter();
        let result = step();
        drop(entered);
        match &result {
            Ok(_) => self.completed(None),
            Err(error) => {
                self.failed(Failure { error_type: std::any::type_name::<E>(), message: error.to_string() });
            }
        }
        result
    }

    /// The channel; what is written to it is known to come from this task.
    pub fn channel(&self) -> Channel {
        Channel::new(Arc::clone(&self.attempt.shared), Some(Arc::clone(&self.attempt)))
    }

    /// Completes the task with a result.
    pub fn complete<T: serde::Serialize + Send + Sync + 'static>(mut self, result: T) {
        self.completed(Some(Value::from_arc(Arc::new(result), ValueType::serializable::<T>())));
    }

    /// Fails the task.
    pub fn fail(mut self, error: impl Into<TaskError>) {
        self.failed(Failure::of(&error.into()));
    }

    fn enter(&self) -> Entered {
        enter(&self.attempt)
    }

    fn completed(&mut self, result: Option<Value>) {
        let task = self.attempt.task;
        if let Some(node) = self.tracking.state().nodes.get_mut(&self.attempt.id) {
            node.completed = Some(task.number);
        }
        self.end(RecordKind::TaskCompleted { task, result });
    }

    fn failed(&mut self, failure: Failure) {
        let task = self.attempt.task;
        self.end(RecordKind::TaskFailed { task, failure: Box::new(failure), retry_after: None });
    }

    fn end(&mut self, kind: RecordKind) {
        self.has_ended = true;
        record(&self.attempt.shared, kind);
    }
}

impl Drop for ExecutingTask<'_> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        if std::thread::panicking() {
            self.failed(Failure { error_type: "Panic", message: "the step panicked".to_owned() });
        } else {
            let reason = "dropped before its end".into();
            self.end(RecordKind::TaskCancelled { task: self.attempt.task, reason });
        }
    }
}

fn record(shared: &Shared, kind: RecordKind) {
    if let Some(recorder) = &shared.recorder {
        recorder.record(kind);
    }
}

/// The description of a step that the engine knows nothing about, and never runs.
static TRACKED: TaskSpec = TaskSpec {
    name: "",
    function: "",
    doc: "",
    file: "",
    line: 0,
    parameters: &[],
    written_output: "",
    output: ValueType::opaque::<()>,
    // Nobody knows whether an async runtime runs on its thread.
    is_async: true,
    wants_context: false,
    track_lineage: true,
    retry: None,
    max_cycles: None,
    timeout: None,
    writes: Vec::new,
    run: |_| Body::Blocking(Box::new(|| Err(TaskError::new("a tracked step is not run by the engine")))),
};
