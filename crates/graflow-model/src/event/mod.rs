//! What producers say: the envelope of an event, its type, and the typed reading of its `data`.

mod decode;
mod event_type;
mod payload;
mod task_data;
mod workflow_data;

pub use decode::{EventError, EventErrorCode};
pub use event_type::EventType;
pub use payload::{EVENTS_DROPPED, Payload};
pub use task_data::{
    Cause, DataRead, DataWritten, ErrorInfo, LlmCalled, Log, TaskCompleted, TaskEnded, TaskFailed,
    TaskQueued, TaskStarted, Waiting, WaitingEnded,
};
pub use workflow_data::{
    Code, EdgeDeclaration, GraphChanged, Heartbeat, NodeDeclaration, Parent, Runtime, SourceLocation,
    WorkflowEnded, WorkflowResumed, WorkflowStarted,
};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::id::{EventId, ExecutionId, ProducerId, TaskExecutionId, TaskId, WorkflowName};
use crate::time::Timestamp;

/// One thing that happened, as its producer told it.
///
/// `data` is kept as the JSON text that came in, and fields that this version does not know are kept in
/// `extra`: what a newer producer says is stored and given back unchanged.
#[derive(Debug, Clone)]
pub struct Event {
    /// Names the event for ever.
    pub event_id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// When, by the producer's wall clock.
    pub time: Timestamp,
    /// The run it belongs to; only a heartbeat may have none.
    pub execution_id: Option<ExecutionId>,
    /// The run's workflow.
    pub workflow_name: Option<WorkflowName>,
    /// The task it is about.
    pub task_id: Option<TaskId>,
    /// The attempt it is about.
    pub task_execution_id: Option<TaskExecutionId>,
    /// The pass of the loop, from 0.
    pub iteration: Option<u32>,
    /// The attempt, from 1.
    pub attempt: Option<u32>,
    /// The task execution that this one runs inside of.
    pub parent_task_execution_id: Option<TaskExecutionId>,
    /// The process that told it.
    pub producer: Option<ProducerId>,
    /// That process' own count, from 1: the key of exactly-once.
    pub producer_seq: Option<u64>,
    /// That machine's monotonic clock, in microseconds.
    pub mono_us: Option<i64>,
    /// What belongs to the type, as JSON text (an object); [`Event::payload`] reads it.
    pub data: Box<RawValue>,
    /// Fields that this version does not know, in the order they came.
    pub extra: Vec<(Box<str>, Box<RawValue>)>,
}

impl Event {
    /// An event with an empty `data`, everything else open.
    ///
    /// ```
    /// use graflow_model::{Event, EventType, Timestamp};
    /// let event = Event::new("e-1".into(), EventType::Note, Timestamp::from_micros(0));
    /// assert_eq!(event.to_json(), r#"{"event_id":"e-1","type":"note","time":"1970-01-01T00:00:00.000000Z","data":{}}"#);
    /// ```
    pub fn new(event_id: EventId, event_type: EventType, time: Timestamp) -> Self {
        Self {
            event_id,
            event_type,
            time,
            execution_id: None,
            workflow_name: None,
            task_id: None,
            task_execution_id: None,
            iteration: None,
            attempt: None,
            parent_task_execution_id: None,
            producer: None,
            producer_seq: None,
            mono_us: None,
            data: empty_data(),
            extra: Vec::new(),
        }
    }

    /// The same event with `payload` as its `data`; a payload that cannot be written as JSON leaves `{}`.
    #[must_use]
    pub fn with_data<T: Serialize>(mut self, payload: &T) -> Self {
        self.data = serde_json::value::to_raw_value(payload).unwrap_or_else(|_| empty_data());
        self
    }

    /// The event as one line of JSON.
    pub fn to_json(&self) -> String {
        // Every field is text, a number or JSON already: writing cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

pub(crate) fn empty_data() -> Box<RawValue> {
    RawValue::from_string(String::from("{}")).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("event_id", &self.event_id)?;
        map.serialize_entry("type", &self.event_type)?;
        map.serialize_entry("time", &self.time)?;
        macro_rules! entries {
            ($($field:ident),*) => {$(
                if let Some(value) = &self.$field {
                    map.serialize_entry(stringify!($field), value)?;
                }
            )*};
        }
        entries!(
            execution_id,
            workflow_name,
            task_id,
            task_execution_id,
            iteration,
            attempt,
            parent_task_execution_id,
            producer,
            producer_seq,
            mono_us
        );
        map.serialize_entry("data", &self.data)?;
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
