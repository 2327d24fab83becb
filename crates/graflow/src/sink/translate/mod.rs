//! From records to events, on the thread of whoever owns the sink.
//!
//! One [`Record`] becomes one event or several: a task that starts at once was queued at the same moment, a start
//! tells what its parameters read, an end what the task wrote. Hashing and encoding happen here, where the workflow
//! does not wait.

mod data;
mod graph;
mod ids;
mod part;
mod tasks;

use std::collections::HashMap;

use graflow_model::event::{Code, ErrorInfo, Parent, Runtime, WorkflowEnded, WorkflowStarted};
use graflow_model::value::ValuePolicy;
use graflow_model::{Event, EventId, EventType, ExecutionId, ExecutionStatus, TaskId, Timestamp};
use serde::Serialize;

pub use ids::{EventIds, RandomIds};

use self::tasks::Logged;
use super::record::{End, Failure, Moment, Record, RecordKind, TaskExecution, WorkflowStart};
use crate::context::task_execution_id;

/// Longest message, in bytes; a longer one is cut, so that the event is taken.
const MESSAGE_BYTES: usize = 64 * 1024;

/// Turns records into events.
///
/// The events carry no `producer` and no `producer_seq`: those belong to whoever sends them.
///
/// ```
/// use graflow::prelude::*;
/// use graflow::sink::{Record, Sink, translate::Translator};
/// use graflow_model::value::ValuePolicy;
/// use std::sync::{Arc, Mutex};
///
/// #[derive(Clone, Default)]
/// struct Kept(Arc<Mutex<Vec<Record>>>);
/// impl Sink for Kept {
///     fn record(&self, record: Record) {
///         self.0.lock().unwrap().push(record);
///     }
/// }
///
/// #[task]
/// async fn hello() -> &'static str { "hello" }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let kept = Kept::default();
/// Workflow::new("greet", hello()).execute().sink(kept.clone()).await?;
///
/// let mut translator = Translator::new(ValuePolicy::Preview);
/// let mut events = Vec::new();
/// for record in kept.0.lock().unwrap().drain(..) {
///     translator.translate(record, &mut events);
/// }
/// let types: Vec<String> = events.iter().map(|event| event.event_type.to_string()).collect();
/// assert_eq!(types.join(" "), "workflow_started graph_changed task_queued task_started data_written task_completed workflow_completed");
/// # Ok(()) }
/// ```
pub struct Translator {
    policy: ValuePolicy,
    ids: Box<dyn EventIds>,
    code: Option<Code>,
    runtime: Option<Runtime>,
    open: HashMap<ExecutionId, OpenExecution>,
}

/// What has to be remembered of an execution until it ends.
#[derive(Default)]
struct OpenExecution {
    nodes: HashMap<u32, KnownNode>,
    /// The events that wrote results, by the number of the task execution; and keys, by the number of the write.
    result_writes: HashMap<u32, Written>,
    key_writes: HashMap<u64, Written>,
    logged: HashMap<u32, Logged>,
}

struct KnownNode {
    id: TaskId,
    group: Option<TaskId>,
}

/// A write, as its readers name it.
#[derive(Clone)]
struct Written {
    event_id: EventId,
    size: Option<u64>,
    hash: Option<String>,
}

impl Translator {
    /// A translator that tells of values what `policy` says: that of the sink.
    pub fn new(policy: ValuePolicy) -> Self {
        Self { policy, ids: Box::new(RandomIds::default()), code: None, runtime: None, open: HashMap::new() }
    }

    /// Takes the ids of events from here.
    #[must_use]
    pub fn with_ids(mut self, ids: impl EventIds) -> Self {
        self.ids = Box::new(ids);
        self
    }

    /// Says of every run what code it is.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// Says of every run what runs it.
    #[must_use]
    pub fn with_runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// The executions that have begun and not ended: those to send heartbeats for.
    pub fn open_executions(&self) -> impl Iterator<Item = &ExecutionId> {
        self.open.keys()
    }

    /// Adds the events of a record to `events`.
    pub fn translate(&mut self, record: Record, events: &mut Vec<Event>) {
        let Record { execution, at, kind } = record;
        // A thread that was left behind may tell of a run that has ended, which is not opened again by that.
        let opens = matches!(kind, RecordKind::WorkflowStarted(_) | RecordKind::GraphChanged(_));
        let open = self.open.remove(&execution.id);
        let stays_open = (open.is_some() || opens) && !matches!(kind, RecordKind::WorkflowEnded(_));
        let mut open = open.unwrap_or_default();
        let mut out = Out { ids: &mut *self.ids, events, execution: &execution, at, policy: self.policy };
        match kind {
            RecordKind::WorkflowStarted(start) => {
                let (code, runtime) = (self.code.clone(), self.runtime.clone());
                out.workflow_started(*start, code, runtime);
            }
            RecordKind::GraphChanged(change) => out.graph_changed(&change, &mut open),
            RecordKind::WorkflowEnded(end) => {
                out.rest_of_logs(&mut open);
                out.workflow_ended(*end);
            }
            kind => out.task_record(kind, &mut open),
        }
        if stays_open {
            self.open.insert(execution.id.clone(), open);
        }
    }
}

impl std::fmt::Debug for Translator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Translator")
            .field("policy", &self.policy)
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

/// Where the events of one record go.
struct Out<'a> {
    ids: &'a mut dyn EventIds,
    events: &'a mut Vec<Event>,
    execution: &'a super::record::Execution,
    at: Moment,
    policy: ValuePolicy,
}

impl Out<'_> {
    fn event(&mut self, event_type: EventType, data: &impl Serialize) -> EventId {
        let event_id = self.ids.next_id(self.at);
        let mut event = Event::new(event_id.clone(), event_type, Timestamp::from_micros(self.at.wall_us));
        event.execution_id = Some(self.execution.id.clone());
        event.workflow_name = Some(self.execution.workflow.clone());
        event.mono_us = Some(self.at.mono_us);
        self.events.push(event.with_data(data));
        event_id
    }

    /// An event about a task execution.
    fn task_event(
        &mut self,
        event_type: EventType,
        task: TaskExecution,
        open: &OpenExecution,
        data: &impl Serialize,
    ) -> EventId {
        let event_id = self.event(event_type, data);
        if let Some(event) = self.events.last_mut() {
            event.task_id = open.nodes.get(&task.task).map(|node| node.id.clone());
            event.task_execution_id = Some(task_execution_id(&self.execution.id, task.number));
            event.iteration = Some(task.iteration);
            event.attempt = Some(task.attempt);
        }
        event_id
    }

    fn workflow_started(&mut self, start: WorkflowStart, code: Option<Code>, runtime: Option<Runtime>) {
        let shows_values = matches!(self.policy, ValuePolicy::Preview | ValuePolicy::Full);
        let shown = start.inputs.iter().filter_map(|(key, value)| {
            Some(((*key).to_owned(), data::fitting(value.describe(self.policy)).preview?))
        });
        // What does not fit here is told of where it is written to the channel.
        let shown = part::Part::default().fill(&mut shown.peekable());
        let data = WorkflowStarted {
            inputs: (shows_values && !start.inputs.is_empty()).then(|| shown.into_iter().collect()),
            labels: start.labels,
            code,
            runtime,
            parent: start.parent.map(|(execution, task)| Parent {
                execution_id: execution.id.clone(),
                task_execution_id: Some(task_execution_id(&execution.id, task.number)),
            }),
            ..WorkflowStarted::default()
        };
        self.event(EventType::WorkflowStarted, &data);
    }

    fn workflow_ended(&mut self, end: End) {
        let event_type = match end.status {
            ExecutionStatus::Failed => EventType::WorkflowFailed,
            ExecutionStatus::Cancelled => EventType::WorkflowCancelled,
            ExecutionStatus::Terminated => EventType::WorkflowTerminated,
            _ => EventType::WorkflowCompleted,
        };
        let data = WorkflowEnded { reason: end.reason.map(cut), error: end.failure.map(error_info) };
        self.event(event_type, &data);
    }
}

fn error_info(failure: Failure) -> ErrorInfo {
    ErrorInfo {
        error_type: failure.error_type.to_owned(),
        message: cut(failure.message),
        traceback: None,
        fingerprint: None,
    }
}

/// A message that is not too long to be sent.
fn cut(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
        message.push('…');
    }
    message
}
