//! A run, as Python holds it: what it remembers of its graph, and how what happens in it is told.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64};

use graflow_model::state::CauseKind;
use graflow_model::value::ValuePolicy;
use graflow_model::{EventType, ExecutionId, TaskId, WorkflowName};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyString};

use crate::capture::Captured;
use crate::frame::Group;
use crate::json;
use crate::record::{Causes, Kind, Moment, ReadInfo, Record, RunInfo, TaskInfo, TaskName, WriteInfo, status};
use crate::recorder::{next_id, send, unique_u64};
use crate::task::{TaskExecution, Write};
use crate::words::{cause_kind_of, policy_of};

/// One run of a workflow.
#[pyclass(frozen, module = "graflow_lineage._native")]
pub(crate) struct Run {
    pub(crate) info: Arc<RunInfo>,
    /// Task id -> its type.
    #[pyo3(get)]
    pub(crate) nodes: Py<PyDict>,
    /// (source, target), or (source, target, kind) for what is taken at run time -> its kind.
    #[pyo3(get)]
    pub(crate) edges: Py<PyDict>,
    /// Tasks that are not to be told of.
    #[pyo3(get)]
    pub(crate) hidden: Py<PySet>,
    /// Ids of parallel groups, and member -> group.
    #[pyo3(get)]
    pub(crate) groups: Py<PySet>,
    #[pyo3(get)]
    pub(crate) group_of: Py<PyDict>,
    /// Id of an iteration -> the task it repeats.
    #[pyo3(get)]
    pub(crate) iterations: Py<PyDict>,
    /// The last pass of each task that ran.
    #[pyo3(get)]
    pub(crate) passes: Py<PyDict>,
}

/// Where an attempt runs.
#[derive(Default)]
pub(crate) struct Whereabouts {
    pub(crate) group: Option<TaskId>,
    pub(crate) thread: Option<Arc<str>>,
    pub(crate) worker: Option<Arc<str>>,
}

#[pymethods]
impl Run {
    /// A run of that workflow; with an id, one that another process began.
    #[new]
    #[pyo3(signature = (workflow_name, execution_id = None))]
    fn new(py: Python<'_>, workflow_name: &str, execution_id: Option<&str>) -> PyResult<Self> {
        let execution_id =
            execution_id.map_or_else(|| ExecutionId::from(new_execution_id()), ExecutionId::from);
        let info = Arc::new(RunInfo { execution_id, workflow_name: WorkflowName::from(workflow_name) });
        let dict = || PyDict::new(py).unbind();
        let set = || Ok::<_, PyErr>(PySet::empty(py)?.unbind());
        Ok(Self {
            info,
            nodes: dict(),
            edges: dict(),
            hidden: set()?,
            groups: set()?,
            group_of: dict(),
            iterations: dict(),
            passes: dict(),
        })
    }

    /// The run's id.
    #[getter]
    fn execution_id(&self) -> &str {
        self.info.execution_id.as_str()
    }

    /// The workflow's name.
    #[getter]
    fn workflow_name(&self) -> &str {
        self.info.workflow_name.as_str()
    }

    /// Tells an event of that type with that data.
    #[pyo3(signature = (event_type, data, task = None))]
    fn tell(&self, event_type: &str, data: &Bound<'_, PyDict>, task: Option<&TaskExecution>) -> PyResult<()> {
        let data = json::object(data)?;
        let task = task.map(|task| Arc::clone(&task.info));
        self.send(Kind::Told { event_type: EventType::from(event_type), task, data });
        Ok(())
    }

    /// The whole graph before the first task, as networkx keeps it: nodes with their attributes, and who follows whom.
    fn declare_graph(&self, nodes: &Bound<'_, PyDict>, adjacency: &Bound<'_, PyDict>) -> PyResult<()> {
        crate::graph::declare_graph(self, nodes, adjacency)
    }

    /// Nodes that were added as (id, task, family), and edges as (source, target, kind).
    fn declare(
        &self,
        nodes: Vec<(Bound<'_, PyString>, Bound<'_, PyAny>, Option<String>)>,
        edges: Vec<(String, String, String)>,
    ) -> PyResult<()> {
        crate::graph::declare(self, nodes, edges)
    }

    /// An attempt begins.
    #[pyo3(signature = (task_id, iteration, attempt, cause_kind = None, cause = None))]
    fn start(
        &self,
        task_id: &str,
        iteration: u32,
        attempt: u32,
        cause_kind: Option<&str>,
        cause: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<TaskExecution> {
        let causes = match (cause_kind, cause) {
            (Some(kind), Some(cause)) => causes_of(cause_kind_of(kind)?, cause)?,
            _ => Causes::None,
        };
        Ok(self.started(task_id, iteration, attempt, causes, Whereabouts::default()))
    }

    /// A key is written. The result of the task is the system's own write.
    #[pyo3(signature = (task, key, value, is_result = false, operation = None, policy = None))]
    fn write(
        &self,
        task: Option<&TaskExecution>,
        key: &str,
        value: &Bound<'_, PyAny>,
        is_result: bool,
        operation: Option<String>,
        policy: Option<&str>,
    ) -> Write {
        self.written(task, key, value, is_result, operation, policy_of(policy))
    }

    /// A key is deleted.
    fn delete(&self, task: Option<&TaskExecution>, key: &str) -> Write {
        self.send_write(task, key, None, false, None)
    }

    /// A key is read: what that write wrote, or, where the write is not known, that value.
    #[expect(clippy::too_many_arguments, reason = "positional arguments are the cheapest way from Python")]
    #[pyo3(signature = (task, key, write = None, value = None, parameter = None, missing = false, policy = None))]
    pub(crate) fn read(
        &self,
        task: Option<&TaskExecution>,
        key: &str,
        write: Option<&Write>,
        value: Option<&Bound<'_, PyAny>>,
        parameter: Option<String>,
        missing: bool,
        policy: Option<&str>,
    ) {
        let value = match (write, value) {
            (None, Some(value)) if !missing => {
                Some(Captured::of(value, policy_of(policy).min(ValuePolicy::Metadata)))
            }
            _ => None,
        };
        let (key, write) = match write {
            Some(Write(write)) => (Arc::clone(&write.key), Some(Arc::clone(write))),
            None => (Arc::from(key), None),
        };
        let read = ReadInfo { key, write, value, parameter, missing };
        self.send(Kind::Read { task: task.map(|task| Arc::clone(&task.info)), read });
    }
}

impl Run {
    pub(crate) fn started(
        &self,
        task_id: &str,
        iteration: u32,
        attempt: u32,
        causes: Causes,
        at: Whereabouts,
    ) -> TaskExecution {
        let info = Arc::new(TaskInfo {
            run: Arc::clone(&self.info),
            id: next_id(),
            task_id: TaskId::from(task_id),
            iteration,
            attempt,
            group: at.group,
            thread: at.thread,
            worker: at.worker,
            causes,
            started: Moment::now(),
            took_us: AtomicI64::new(-1),
            status: AtomicU8::new(status::RUNNING),
            log_lines: AtomicU64::new(0),
            log_bytes: AtomicU64::new(0),
            result_size: AtomicI64::new(-1),
            error: OnceLock::new(),
        });
        let at = info.started;
        send(Record { run: Arc::clone(&self.info), at, kind: Kind::Started { task: Arc::clone(&info) } });
        TaskExecution::new(info)
    }

    pub(crate) fn written(
        &self,
        task: Option<&TaskExecution>,
        key: &str,
        value: &Bound<'_, PyAny>,
        is_result: bool,
        operation: Option<String>,
        policy: ValuePolicy,
    ) -> Write {
        self.send_write(task, key, Some(Captured::of(value, policy)), is_result, operation)
    }

    pub(crate) fn send(&self, kind: Kind) {
        send(Record { run: Arc::clone(&self.info), at: Moment::now(), kind });
    }

    fn send_write(
        &self,
        task: Option<&TaskExecution>,
        key: &str,
        value: Option<Captured>,
        is_result: bool,
        operation: Option<String>,
    ) -> Write {
        let write = Arc::new(WriteInfo { id: next_id(), key: Arc::from(key), value });
        if is_result && let Some(task) = task {
            task.set_result(&write);
        }
        let task = task.map(|task| Arc::clone(&task.info));
        self.send(Kind::Written { task, write: Arc::clone(&write), system: is_result, operation });
        Write(write)
    }
}

/// What led here: a task execution, one of another process by its id, a group by its members, or a list of these.
pub(crate) fn causes_of(kind: CauseKind, cause: &Bound<'_, PyAny>) -> PyResult<Causes> {
    if let Some(name) = name_of(cause)? {
        return Ok(Causes::One(kind, name));
    }
    let mut causes = Vec::new();
    add_causes(kind, cause, &mut causes)?;
    Ok(Causes::Many(causes))
}

fn add_causes(
    kind: CauseKind,
    cause: &Bound<'_, PyAny>,
    causes: &mut Vec<(CauseKind, TaskName)>,
) -> PyResult<()> {
    if let Some(name) = name_of(cause)? {
        causes.push((kind, name));
        return Ok(());
    }
    let group = cause.cast::<Group>().ok();
    let members = match group {
        Some(group) => group.try_borrow()?.members.bind(cause.py()).clone().into_any(),
        None => cause.clone(),
    };
    for one in members.try_iter()? {
        add_causes(kind, &one?, causes)?;
    }
    Ok(())
}

fn name_of(cause: &Bound<'_, PyAny>) -> PyResult<Option<TaskName>> {
    if let Ok(task) = cause.cast::<TaskExecution>() {
        return Ok(Some(TaskName::Own(task.get().info.id)));
    }
    if let Ok(id) = cause.cast::<PyString>() {
        return Ok(Some(TaskName::Foreign(id.to_str()?.into())));
    }
    Ok(None)
}

/// 32 hexadecimal digits, ordered by time to begin with.
fn new_execution_id() -> String {
    let millis = Moment::now().time.as_micros() / 1_000;
    format!("{millis:012x}{:016x}{:04x}", unique_u64(), unique_u64() >> 48)
}
