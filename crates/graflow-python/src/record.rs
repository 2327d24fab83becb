//! What the interpreter's threads hand to the sending thread: as little as they can, made into events over there.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use graflow_client::SystemClock;
use graflow_model::event::{EdgeDeclaration, NodeDeclaration};
use graflow_model::state::CauseKind;
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
        result: Option<Arc<WriteInfo>>,
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
    pub(crate) id: Numbered,
    pub(crate) task_id: TaskId,
    pub(crate) iteration: u32,
    pub(crate) attempt: u32,
    pub(crate) group: Option<TaskId>,
    pub(crate) thread: Option<Arc<str>>,
    pub(crate) worker: Option<Arc<str>>,
    pub(crate) causes: Causes,
    pub(crate) started: Moment,
    /// Microseconds it took; negative while it runs.
    pub(crate) took_us: AtomicI64,
    /// One of [`status`].
    pub(crate) status: AtomicU8,
    /// Lines, and bytes of lines, that it logged.
    pub(crate) log_lines: AtomicU64,
    pub(crate) log_bytes: AtomicU64,
    /// Bytes of its result; negative where they were not told.
    pub(crate) result_size: AtomicI64,
    pub(crate) error: OnceLock<String>,
}

impl TaskInfo {
    /// Its id, written out: which is left to whoever needs it.
    pub(crate) fn task_execution_id(&self) -> TaskExecutionId {
        TaskExecutionId::from(self.id.to_string())
    }

    /// What is told of its result, besides its hash.
    pub(crate) fn has_result(&self, result: &WriteInfo) {
        let size = result.value.as_ref().and_then(Captured::size).and_then(|size| i64::try_from(size).ok());
        self.result_size.store(size.unwrap_or(-1), Ordering::Relaxed);
    }
}

/// What led to a task execution: one mostly, which needs no memory of its own.
pub(crate) enum Causes {
    None,
    One(CauseKind, TaskName),
    Many(Vec<(CauseKind, TaskName)>),
}

/// A task execution by its id.
pub(crate) enum TaskName {
    /// Of this process.
    Own(Numbered),
    /// Of another one.
    Foreign(TaskExecutionId),
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
    pub(crate) value: Option<Captured>,
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

/// The wall clock minus the monotonic one, and when that was looked at.
static AHEAD_US: AtomicI64 = AtomicI64::new(0);
static LOOKED_AT_US: AtomicI64 = AtomicI64::new(i64::MIN);
/// How old that may be: a step of the wall clock is seen so much later, and nothing else is lost by it.
const LOOK_AGAIN_US: i64 = 10_000;

impl Moment {
    /// Reads one clock, and the other one only now and then.
    pub(crate) fn now() -> Self {
        let mono_us = SystemClock.mono_us();
        if mono_us.saturating_sub(LOOKED_AT_US.load(Ordering::Acquire)) > LOOK_AGAIN_US {
            AHEAD_US.store(SystemClock.now().as_micros() - mono_us, Ordering::Relaxed);
            LOOKED_AT_US.store(mono_us, Ordering::Release);
        }
        Self { time: Timestamp::from_micros(mono_us + AHEAD_US.load(Ordering::Relaxed)), mono_us }
    }
}
