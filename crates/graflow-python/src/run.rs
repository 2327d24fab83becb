//! What the hooks call: a run, its task executions, and what they write and read.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};

use graflow_client::random_u64;
use graflow_model::event::{
    Cause, EdgeDeclaration, ErrorInfo, Log, NodeDeclaration, SourceLocation, TaskEnded, TaskFailed,
};
use graflow_model::state::CauseKind;
use graflow_model::value::ValuePolicy;
use graflow_model::{EdgeKind, EventType, ExecutionId, NodeKind, TaskExecutionId, TaskId, WorkflowName};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde_json::value::{RawValue, to_raw_value};

use crate::capture::Captured;
use crate::json;
use crate::record::{Kind, Moment, ReadInfo, Record, RunInfo, TaskInfo, WriteInfo, status};
use crate::recorder::{default_policy, next_id, send};

/// Most lines that are kept of a task execution's log, and most bytes of them.
const LOG_LINES: u64 = 1_000;
const LOG_BYTES: u64 = 256 * 1024;
/// Longest message of an error or line of a log, in bytes.
const MESSAGE_BYTES: usize = 64 * 1024;

/// One run of a workflow.
#[pyclass(frozen, module = "graflow_lineage._native")]
pub(crate) struct Run(Arc<RunInfo>);

/// One attempt of a task.
#[pyclass(frozen, module = "graflow_lineage._native")]
pub(crate) struct TaskExecution {
    info: Arc<TaskInfo>,
    result: std::sync::OnceLock<Arc<Captured>>,
    error: std::sync::OnceLock<String>,
}

/// One write of a key.
#[pyclass(frozen, module = "graflow_lineage._native")]
pub(crate) struct Write(Arc<WriteInfo>);

#[pymethods]
impl Run {
    /// A run of that workflow; with an id, one that another process began.
    #[new]
    #[pyo3(signature = (workflow_name, execution_id = None))]
    fn new(workflow_name: &str, execution_id: Option<&str>) -> Self {
        let execution_id =
            execution_id.map_or_else(|| ExecutionId::from(new_execution_id()), ExecutionId::from);
        Self(Arc::new(RunInfo { execution_id, workflow_name: WorkflowName::from(workflow_name) }))
    }

    /// The run's id.
    #[getter]
    fn execution_id(&self) -> &str {
        self.0.execution_id.as_str()
    }

    /// The workflow's name.
    #[getter]
    fn workflow_name(&self) -> &str {
        self.0.workflow_name.as_str()
    }

    /// Tells an event of that type with that data.
    #[pyo3(signature = (event_type, data, task = None))]
    fn tell(&self, event_type: &str, data: &Bound<'_, PyDict>, task: Option<&TaskExecution>) -> PyResult<()> {
        let data = json::object(data)?;
        let task = task.map(|task| Arc::clone(&task.info));
        self.send(Kind::Told { event_type: EventType::from(event_type), task, data });
        Ok(())
    }

    /// Nodes and edges, as tuples: id, type, kind, group, family, file, line, doc, and whether it is told of; source,
    /// target, kind.
    fn declare(&self, nodes: Vec<DeclaredNode>, edges: Vec<(String, String, String)>) -> PyResult<()> {
        let nodes = nodes.into_iter().map(declared_node).collect::<PyResult<_>>()?;
        let edges = edges
            .into_iter()
            .map(|(source, target, kind)| {
                let kind = edge_kind_of(&kind)?;
                Ok(EdgeDeclaration { source: source.into(), target: target.into(), kind })
            })
            .collect::<PyResult<_>>()?;
        self.send(Kind::Declared { nodes, edges });
        Ok(())
    }

    /// An attempt begins.
    #[expect(clippy::too_many_arguments, reason = "positional arguments are the cheapest way from Python")]
    #[pyo3(signature = (task_id, iteration, attempt, cause_kind = None, cause = None, group = None, thread = None, worker = None))]
    fn start(
        &self,
        task_id: &str,
        iteration: u32,
        attempt: u32,
        cause_kind: Option<&str>,
        cause: Option<&Bound<'_, PyAny>>,
        group: Option<&str>,
        thread: Option<String>,
        worker: Option<String>,
    ) -> PyResult<TaskExecution> {
        let causes = match (cause_kind, cause) {
            (Some(kind), Some(cause)) => causes_of(cause_kind_of(kind)?, cause)?,
            _ => Vec::new(),
        };
        let info = Arc::new(TaskInfo {
            run: Arc::clone(&self.0),
            id: TaskExecutionId::from(next_id().to_string()),
            task_id: TaskId::from(task_id),
            iteration,
            attempt,
            group: group.map(TaskId::from),
            thread,
            worker,
            causes,
            started: Moment::now(),
            took_us: AtomicI64::new(-1),
            status: AtomicU8::new(status::RUNNING),
            log_lines: AtomicU64::new(0),
            log_bytes: AtomicU64::new(0),
        });
        let at = info.started;
        send(Record { run: Arc::clone(&self.0), at, kind: Kind::Started { task: Arc::clone(&info) } });
        Ok(TaskExecution { info, result: std::sync::OnceLock::new(), error: std::sync::OnceLock::new() })
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
        let captured = Arc::new(Captured::of(value, policy_of(policy)));
        if is_result && let Some(task) = task {
            // A retry is an execution of its own: the first result is the only one.
            let _ = task.result.set(Arc::clone(&captured));
        }
        self.written(task, key, Some(captured), is_result, operation)
    }

    /// A key is deleted.
    fn delete(&self, task: Option<&TaskExecution>, key: &str) -> Write {
        self.written(task, key, None, false, None)
    }

    /// A key is read: what that write wrote, or, where the write is not known, that value.
    #[expect(clippy::too_many_arguments, reason = "positional arguments are the cheapest way from Python")]
    #[pyo3(signature = (task, key, write = None, value = None, parameter = None, missing = false, policy = None))]
    fn read(
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
    fn send(&self, kind: Kind) {
        send(Record { run: Arc::clone(&self.0), at: Moment::now(), kind });
    }

    fn written(
        &self,
        task: Option<&TaskExecution>,
        key: &str,
        value: Option<Arc<Captured>>,
        system: bool,
        operation: Option<String>,
    ) -> Write {
        let write = Arc::new(WriteInfo { id: next_id(), key: Arc::from(key), value });
        let task = task.map(|task| Arc::clone(&task.info));
        self.send(Kind::Written { task, write: Arc::clone(&write), system, operation });
        Write(write)
    }
}

#[pymethods]
impl TaskExecution {
    /// It came to its end.
    fn complete(&self) {
        let at = self.ended(status::COMPLETED);
        let result = self.result.get().map(Arc::clone);
        self.send(at, Kind::Completed { task: Arc::clone(&self.info), result });
    }

    /// It failed.
    #[pyo3(signature = (error_type, message, traceback = None))]
    fn fail(&self, error_type: &str, message: &str, traceback: Option<&str>) {
        let at = self.ended(status::FAILED);
        let _ = self.error.set(cut(message));
        let error = ErrorInfo {
            error_type: error_type.to_owned(),
            message: cut(message),
            traceback: traceback.map(cut),
            fingerprint: None,
        };
        self.told(at, EventType::TaskFailed, to_raw_value(&TaskFailed { error }).ok());
    }

    /// It was cancelled.
    #[pyo3(signature = (reason = None))]
    fn cancel(&self, reason: Option<&str>) {
        let at = self.ended(status::CANCELLED);
        let ended = TaskEnded { reason: reason.map(cut), delay_us: None };
        self.told(at, EventType::TaskCancelled, to_raw_value(&ended).ok());
    }

    /// It will be tried again.
    #[pyo3(signature = (reason = None, delay_us = None))]
    fn retry(&self, reason: Option<&str>, delay_us: Option<u64>) {
        let ended = TaskEnded { reason: reason.map(cut), delay_us };
        self.told(Moment::now(), EventType::TaskRetried, to_raw_value(&ended).ok());
    }

    /// It logs a line; beyond the limit, lines are counted only, and its end tells how many.
    #[pyo3(signature = (level, logger, message, file = None, line = None))]
    fn log(&self, level: &str, logger: &str, message: &str, file: Option<String>, line: Option<u32>) {
        let message = cut(message);
        let lines = self.info.log_lines.fetch_add(1, Ordering::Relaxed);
        let bytes = self.info.log_bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
        if lines >= LOG_LINES || bytes + message.len() as u64 > LOG_BYTES {
            return;
        }
        let log = Log {
            level: level.to_owned(),
            logger: Some(logger.to_owned()),
            message,
            file,
            line,
            fields: None,
            cut: None,
        };
        self.told(Moment::now(), EventType::Log, to_raw_value(&log).ok());
    }

    /// Its id.
    #[getter]
    fn id(&self) -> &str {
        self.info.id.as_str()
    }

    /// Its task.
    #[getter]
    fn task_id(&self) -> &str {
        self.info.task_id.as_str()
    }

    /// Its run.
    #[getter]
    fn execution_id(&self) -> &str {
        self.info.run.execution_id.as_str()
    }

    /// The pass of the loop, from 0.
    #[getter]
    fn iteration(&self) -> u32 {
        self.info.iteration
    }

    /// The attempt, from 1.
    #[getter]
    fn attempt(&self) -> u32 {
        self.info.attempt
    }

    /// `running`, `completed`, `failed` or `cancelled`.
    #[getter]
    fn status(&self) -> &'static str {
        let status = self.info.status.load(Ordering::Relaxed);
        status::WORDS.get(usize::from(status)).copied().unwrap_or("running")
    }

    /// When it began, in microseconds since 1970.
    #[getter]
    fn started_us(&self) -> i64 {
        self.info.started.time.as_micros()
    }

    /// Microseconds it took, once it has ended.
    #[getter]
    fn took_us(&self) -> Option<i64> {
        let took = self.info.took_us.load(Ordering::Relaxed);
        (took >= 0).then_some(took)
    }

    /// The message of its error.
    #[getter]
    fn error_message(&self) -> Option<&str> {
        self.error.get().map(String::as_str)
    }

    /// Bytes of its result, where they were told.
    #[getter]
    fn result_size(&self) -> Option<u64> {
        self.result.get().and_then(|result| result.described().size)
    }
}

impl TaskExecution {
    fn ended(&self, ended_as: u8) -> Moment {
        let at = Moment::now();
        self.info.took_us.store((at.mono_us - self.info.started.mono_us).max(0), Ordering::Relaxed);
        self.info.status.store(ended_as, Ordering::Relaxed);
        self.tell_cut_lines(at);
        at
    }

    fn tell_cut_lines(&self, at: Moment) {
        let lines = self.info.log_lines.load(Ordering::Relaxed);
        let bytes = self.info.log_bytes.load(Ordering::Relaxed);
        if lines <= LOG_LINES && bytes <= LOG_BYTES {
            return;
        }
        let log = Log {
            level: "warning".into(),
            logger: Some("graflow_lineage".into()),
            message: "log lines beyond the limit were left out".into(),
            file: None,
            line: None,
            fields: None,
            cut: Some(lines.saturating_sub(LOG_LINES).max(1)),
        };
        self.told(at, EventType::Log, to_raw_value(&log).ok());
    }

    fn told(&self, at: Moment, event_type: EventType, data: Option<Box<RawValue>>) {
        if let Some(data) = data {
            self.send(at, Kind::Told { event_type, task: Some(Arc::clone(&self.info)), data });
        }
    }

    fn send(&self, at: Moment, kind: Kind) {
        send(Record { run: Arc::clone(&self.info.run), at, kind });
    }
}

#[pymethods]
impl Write {
    /// The event that tells of it.
    #[getter]
    fn event_id(&self) -> String {
        self.0.id.to_string()
    }
}

/// A node, as it comes from Python.
type DeclaredNode = (
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<u32>,
    Option<String>,
    bool,
);

fn declared_node(node: DeclaredNode) -> PyResult<NodeDeclaration> {
    let (id, task_type, kind, group, family, file, line, doc, is_told) = node;
    let kind = match kind.as_str() {
        "static" => NodeKind::Static,
        "dynamic" => NodeKind::Dynamic,
        "group" => NodeKind::Group,
        other => return Err(PyValueError::new_err(format!("`{other}` is no kind of node"))),
    };
    Ok(NodeDeclaration {
        task_type: Some(task_type),
        group: group.map(TaskId::from),
        family,
        source: file.map(|file| SourceLocation { file, line: line.unwrap_or_default() }),
        doc,
        track_lineage: (!is_told).then_some(false),
        ..NodeDeclaration::new(id.into(), kind)
    })
}

fn edge_kind_of(word: &str) -> PyResult<EdgeKind> {
    Ok(match word {
        "static" => EdgeKind::Static,
        "dynamic" => EdgeKind::Dynamic,
        "iteration" => EdgeKind::Iteration,
        "jump" => EdgeKind::Jump,
        "group_member" => EdgeKind::GroupMember,
        other => return Err(PyValueError::new_err(format!("`{other}` is no kind of edge"))),
    })
}

fn policy_of(word: Option<&str>) -> ValuePolicy {
    word.and_then(|word| word.parse().ok()).unwrap_or_else(default_policy)
}

/// What led here: a task execution, one of another process by its id, or a list of these.
fn causes_of(kind: CauseKind, cause: &Bound<'_, PyAny>) -> PyResult<Vec<Cause>> {
    if let Ok(task) = cause.cast::<TaskExecution>() {
        return Ok(vec![Cause { kind, task_execution_id: task.get().info.id.clone() }]);
    }
    if let Ok(id) = cause.cast::<PyString>() {
        return Ok(vec![Cause { kind, task_execution_id: TaskExecutionId::from(id.to_str()?) }]);
    }
    let mut causes = Vec::new();
    for one in cause.try_iter()? {
        causes.extend(causes_of(kind, &one?)?);
    }
    Ok(causes)
}

fn cause_kind_of(word: &str) -> PyResult<CauseKind> {
    Ok(match word {
        "successor" => CauseKind::Successor,
        "dynamic" => CauseKind::Dynamic,
        "iteration" => CauseKind::Iteration,
        "jump" => CauseKind::Jump,
        "retry" => CauseKind::Retry,
        "member" => CauseKind::Member,
        other => return Err(PyValueError::new_err(format!("`{other}` is no kind of cause"))),
    })
}

/// 32 hexadecimal digits, ordered by time to begin with.
fn new_execution_id() -> String {
    let millis = Moment::now().time.as_micros() / 1_000;
    format!("{millis:012x}{:016x}{:04x}", random_u64(), random_u64() >> 48)
}

fn cut(text: &str) -> String {
    if text.len() <= MESSAGE_BYTES {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(MESSAGE_BYTES)])
}
