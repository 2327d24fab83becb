//! The `data` of each type of event. Fields that are not known are passed over here; the event keeps them. Absent
//! optional fields are not written.

use serde::Deserialize;

use super::task_data::{
    DataRead, DataWritten, LlmCalled, Log, TaskCompleted, TaskEnded, TaskFailed, TaskQueued, TaskStarted,
    Waiting, WaitingEnded,
};
use super::workflow_data::{GraphChanged, Heartbeat, WorkflowEnded, WorkflowResumed, WorkflowStarted};
use super::{Event, EventError, EventErrorCode, EventType};

/// The `data` of an event, read by its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// `workflow_started`
    WorkflowStarted(Box<WorkflowStarted>),
    /// `workflow_completed`, `workflow_failed`, `workflow_cancelled`, `workflow_terminated`
    WorkflowEnded(WorkflowEnded),
    /// `workflow_resumed`
    WorkflowResumed(WorkflowResumed),
    /// `graph_changed`
    GraphChanged(GraphChanged),
    /// `task_queued`
    TaskQueued(TaskQueued),
    /// `task_started`
    TaskStarted(TaskStarted),
    /// `task_completed`
    TaskCompleted(TaskCompleted),
    /// `task_failed`
    TaskFailed(TaskFailed),
    /// `task_retried`, `task_skipped`, `task_cancelled`
    TaskEnded(TaskEnded),
    /// `data_written`
    DataWritten(DataWritten),
    /// `data_read`
    DataRead(DataRead),
    /// `waiting`
    Waiting(Waiting),
    /// `waiting_ended`
    WaitingEnded(WaitingEnded),
    /// `log`
    Log(Log),
    /// `llm_called`
    LlmCalled(Box<LlmCalled>),
    /// `heartbeat`
    Heartbeat(Heartbeat),
    /// `note`, and every type that this version does not know.
    Opaque,
}

impl Event {
    /// Reads `data` by the event's type.
    ///
    /// # Errors
    /// `invalid_data`, naming the field, when `data` is not what the type asks for.
    pub fn payload(&self) -> Result<Payload, EventError> {
        fn read<'a, T: Deserialize<'a>>(event: &'a Event) -> Result<T, EventError> {
            serde_json::from_str(event.data.get()).map_err(|error| {
                EventError::new(EventErrorCode::InvalidData, format!("data of {}: {error}", event.event_type))
            })
        }
        Ok(match self.event_type {
            EventType::WorkflowStarted => Payload::WorkflowStarted(Box::new(read(self)?)),
            EventType::WorkflowCompleted
            | EventType::WorkflowFailed
            | EventType::WorkflowCancelled
            | EventType::WorkflowTerminated => Payload::WorkflowEnded(read(self)?),
            EventType::WorkflowResumed => Payload::WorkflowResumed(read(self)?),
            EventType::GraphChanged => Payload::GraphChanged(read(self)?),
            EventType::TaskQueued => Payload::TaskQueued(read(self)?),
            EventType::TaskStarted => Payload::TaskStarted(read(self)?),
            EventType::TaskCompleted => Payload::TaskCompleted(read(self)?),
            EventType::TaskFailed => Payload::TaskFailed(read(self)?),
            EventType::TaskRetried | EventType::TaskSkipped | EventType::TaskCancelled => {
                Payload::TaskEnded(read(self)?)
            }
            EventType::DataWritten => Payload::DataWritten(read(self)?),
            EventType::DataRead => Payload::DataRead(read(self)?),
            EventType::Waiting => Payload::Waiting(read(self)?),
            EventType::WaitingEnded => Payload::WaitingEnded(read(self)?),
            EventType::Log => Payload::Log(read(self)?),
            EventType::LlmCalled => Payload::LlmCalled(Box::new(read(self)?)),
            EventType::Heartbeat => Payload::Heartbeat(read(self)?),
            EventType::Note | EventType::Other(_) => Payload::Opaque,
        })
    }
}

impl Event {
    /// How many events a producer had to drop, where this is the note in which it says so.
    pub fn dropped_events(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct Dropped {
            code: String,
            count: u64,
        }
        if self.event_type != EventType::Note {
            return None;
        }
        // A note may say anything; only this one means something here.
        let dropped: Dropped = serde_json::from_str(self.data.get()).ok()?;
        (dropped.code == EVENTS_DROPPED).then_some(dropped.count)
    }
}

/// The `code` of the note in which a producer says that it had to drop events.
pub const EVENTS_DROPPED: &str = "events_dropped";

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
