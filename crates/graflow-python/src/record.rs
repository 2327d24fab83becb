//! What the interpreter's threads hand to the sending thread: as little as they can, made into events over there.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64};

use graflow_client::SystemClock;
use graflow_model::event::{Cause, EdgeDeclaration, NodeDeclaration};
use graflow_model::{
    Clock as _, EventId, EventType, ExecutionId, TaskExecutionId, TaskId, Timestamp, WorkflowName,
};
use serde_json::value::RawValue;

use crate::capture::Captured;

/// One thing that happened.
pub(crate) struct Record {
    pub(crate) run: Arc<RunInfo>,
    pub(crate) at: Moment,
    pub(crate) kind: Kind,
}

/// What it was.
pub(crate) enum Kind {
    /// Anything that is rare enough to come with its data written out.
    Told {
        event_type: EventType,
        task: Option<Arc<TaskInfo>>,
        data: Box<RawValue>,
    },
    Declared {
        nodes: Vec<NodeDeclaration>,
        edges: Vec<EdgeDeclaration>,
    },
    Started {
        task: Arc<TaskInfo>,
    },
    Completed {
        task: Arc<TaskInfo>,
        result: Option<Arc<Captured>>,
    },
    Written {
        task: Option<Arc<TaskInfo>>,
        write: Arc<WriteInfo>,
        system: bool,
        operation: Option<String>,
    },
    Read {
        task: Option<Arc<TaskInfo>>,
        read: ReadInfo,
    },
}

/// A run, as its events name it.
pub(crate) struct RunInfo {
    pub(crate) execution_id: ExecutionId,
    pub(crate) workflow_name: WorkflowName,
}

/// An attempt, as its events name it, and how it stands.
pub(crate) struct TaskInfo {
    pub(crate) run: Arc<RunInfo>,
    pub(crate) id: TaskExecutionId,
    pub(crate) task_id: TaskId,
    pub(crate) iteration: u32,
    pub(crate) attempt: u32,
    pub(crate) group: Option<TaskId>,
    pub(crate) thread: Option<String>,
    pub(crate) worker: Option<String>,
    pub(crate) causes: Vec<Cause>,
    pub(crate) started: Moment,
    /// Microseconds it took; negative while it runs.
    pub(crate) took_us: AtomicI64,
    /// One of [`status`].
    pub(crate) status: AtomicU8,
    /// Lines, and bytes of lines, that it logged.
    pub(crate) log_lines: AtomicU64,
    pub(crate) log_bytes: AtomicU64,
}

/// How an attempt stands.
pub(crate) mod status {
    pub(crate) const RUNNING: u8 = 0;
    pub(crate) const COMPLETED: u8 = 1;
    pub(crate) const FAILED: u8 = 2;
    pub(crate) const CANCELLED: u8 = 3;
    /// The words, in that order.
    pub(crate) const WORDS: [&str; 4] = ["running", "completed", "failed", "cancelled"];
}

/// A write, as its readers name it.
pub(crate) struct WriteInfo {
    /// Its number among the ids of this process; the id is written out by whoever needs it.
    pub(crate) id: Numbered,
    pub(crate) key: Arc<str>,
    /// None when the key was deleted.
    pub(crate) value: Option<Arc<Captured>>,
}

impl WriteInfo {
    /// The event that tells of it.
    pub(crate) fn event_id(&self) -> EventId {
        EventId::from(self.id.to_string())
    }
}

/// An id that is a number within a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered {
    pub(crate) nonce: u64,
    pub(crate) number: u64,
}

impl fmt::Display for Numbered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}-{}", self.nonce, self.number)
    }
}

/// A read.
pub(crate) struct ReadInfo {
    pub(crate) key: Arc<str>,
    pub(crate) write: Option<Arc<WriteInfo>>,
    /// What was read, where its write is not known.
    pub(crate) value: Option<Captured>,
    pub(crate) parameter: Option<String>,
    pub(crate) missing: bool,
}

/// A moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) time: Timestamp,
    pub(crate) mono_us: i64,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { time: SystemClock.now(), mono_us: SystemClock.mono_us() }
    }
}
