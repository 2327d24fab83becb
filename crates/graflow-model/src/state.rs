//! The states that executions and task executions can be in, and the kinds of nodes and edges.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A word that is none of an enumeration's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {what}; one of: {expected}")]
pub struct UnknownWord {
    word: String,
    what: &'static str,
    expected: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in events, answers, commands and pages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }
        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| UnknownWord {
                    word: word.chars().take(64).collect(),
                    what: $what,
                    expected: Self::ALL.iter().map(|known| known.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

words! {
    /// Where an execution stands. `lost` is computed when read, never stored.
    ExecutionStatus, "execution status" {
        /// It has started and not ended.
        Running = "running",
        /// It came to its end.
        Completed = "completed",
        /// A task failed and nothing caught it.
        Failed = "failed",
        /// Somebody cancelled it.
        Cancelled = "cancelled",
        /// A task ended it early, on purpose.
        Terminated = "terminated",
        /// The limit of task executions cut it off.
        MaxSteps = "max_steps",
        /// It waits for a person.
        Waiting = "waiting",
        /// Its producers have been silent for too long.
        Lost = "lost",
    }
}

impl ExecutionStatus {
    /// Whether no more is expected to happen.
    pub const fn is_ended(self) -> bool {
        !matches!(self, Self::Running | Self::Waiting | Self::Lost)
    }
}

words! {
    /// Where a task execution, or a node of the graph, stands.
    TaskStatus, "task status" {
        /// Declared, nothing has happened yet.
        Pending = "pending",
        /// Handed to the scheduler or a worker.
        Queued = "queued",
        /// It runs.
        Running = "running",
        /// It waits for a person.
        Waiting = "waiting",
        /// It came to its end.
        Completed = "completed",
        /// It ended with an error.
        Failed = "failed",
        /// It could no longer run.
        Skipped = "skipped",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// Its producer has been silent for too long.
        Lost = "lost",
    }
}

impl TaskStatus {
    /// Whether no more is expected to happen.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Skipped | Self::Cancelled)
    }

    /// How much a person should worry: the status of a group is the one of its members with the greatest.
    pub const fn severity(self) -> u8 {
        match self {
            Self::Completed => 0,
            Self::Skipped => 1,
            Self::Pending => 2,
            Self::Queued => 3,
            Self::Running => 4,
            Self::Waiting => 5,
            Self::Cancelled => 6,
            Self::Lost => 7,
            Self::Failed => 8,
        }
    }
}

words! {
    /// How a node came to be.
    NodeKind, "node kind" {
        /// Declared before the run.
        Static = "static",
        /// Added while running.
        Dynamic = "dynamic",
        /// Made for a pass of a loop.
        Iteration = "iteration",
        /// A parallel group.
        Group = "group",
    }
}

words! {
    /// How an edge came to be.
    EdgeKind, "edge kind" {
        /// Declared before the run.
        Static = "static",
        /// Added while running.
        Dynamic = "dynamic",
        /// From one pass of a loop to the next.
        Iteration = "iteration",
        /// A jump to another task.
        Jump = "jump",
        /// From a parallel group to a member.
        GroupMember = "group_member",
    }
}

/// Of an edge that is declared without a word more.
impl Default for EdgeKind {
    fn default() -> Self {
        Self::Static
    }
}

words! {
    /// What led to a task execution.
    CauseKind, "cause kind" {
        /// A predecessor finished.
        Successor = "successor",
        /// A running task added it.
        Dynamic = "dynamic",
        /// The previous pass of the loop.
        Iteration = "iteration",
        /// A task jumped here.
        Jump = "jump",
        /// The failed attempt before.
        Retry = "retry",
        /// Its parallel group started.
        Member = "member",
    }
}
