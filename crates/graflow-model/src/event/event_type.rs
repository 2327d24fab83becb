//! The types of events.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)?) => {
        /// What an event tells. A type that this version does not know is kept as it came.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum EventType {
            $($(#[$doc])* $variant,)*
            /// Told by a newer producer: stored and given back, without effect on any state.
            Other(Arc<str>),
        }

        impl EventType {
            /// Every type that this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),*];

            /// The word that stands in `type`.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for EventType {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word.into()),
                }
            }
        }
    };
}

event_types! {
    /// A run began.
    WorkflowStarted = "workflow_started",
    /// A run came to its end, or was cut by `max_steps`.
    WorkflowCompleted = "workflow_completed",
    /// A run failed.
    WorkflowFailed = "workflow_failed",
    /// A run was cancelled.
    WorkflowCancelled = "workflow_cancelled",
    /// A task ended the run early.
    WorkflowTerminated = "workflow_terminated",
    /// Another run goes on from a checkpoint of this one.
    WorkflowResumed = "workflow_resumed",
    /// A task was handed to the scheduler.
    TaskQueued = "task_queued",
    /// An attempt began.
    TaskStarted = "task_started",
    /// An attempt came to its end.
    TaskCompleted = "task_completed",
    /// An attempt failed.
    TaskFailed = "task_failed",
    /// The failed attempt will be tried again.
    TaskRetried = "task_retried",
    /// A task can no longer run.
    TaskSkipped = "task_skipped",
    /// An attempt was cancelled.
    TaskCancelled = "task_cancelled",
    /// Nodes and edges were declared, or added while running.
    GraphChanged = "graph_changed",
    /// A value was written.
    DataWritten = "data_written",
    /// A value was read.
    DataRead = "data_read",
    /// A person is asked.
    Waiting = "waiting",
    /// The person answered, or the question was withdrawn.
    WaitingEnded = "waiting_ended",
    /// A log line.
    Log = "log",
    /// A language model was called.
    LlmCalled = "llm_called",
    /// The producer lives.
    Heartbeat = "heartbeat",
    /// Anything worth keeping.
    Note = "note",
}

impl EventType {
    /// Whether it is about one attempt of one task, and so must name both.
    pub const fn is_task(&self) -> bool {
        matches!(
            self,
            Self::TaskQueued
                | Self::TaskStarted
                | Self::TaskCompleted
                | Self::TaskFailed
                | Self::TaskRetried
                | Self::TaskSkipped
                | Self::TaskCancelled
        )
    }

    /// Whether it ends the execution it belongs to.
    pub const fn is_workflow_end(&self) -> bool {
        matches!(
            self,
            Self::WorkflowCompleted
                | Self::WorkflowFailed
                | Self::WorkflowCancelled
                | Self::WorkflowTerminated
        )
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(&*Cow::<'de, str>::deserialize(deserializer)?))
    }
}
