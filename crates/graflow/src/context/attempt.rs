//! One attempt, as the engine and the task both hold it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use futures_util::task::AtomicWaker;
use tokio_util::sync::CancellationToken;

use crate::engine::Shared;
use crate::error::TaskError;
use crate::flow::Flow;
use crate::sink::TaskExecution;
use crate::task::TaskSpec;

pub(crate) struct Attempt {
    pub(crate) shared: Arc<Shared>,
    pub(crate) spec: &'static TaskSpec,
    pub(crate) id: Arc<str>,
    pub(crate) task: TaskExecution,
    /// The pass since the loop was entered, from 1.
    pub(crate) cycle: u32,
    pub(crate) max_cycles: u32,
    pub(crate) max_retries: u32,
    /// Taken only for tasks with a context, which can ask for it.
    pub(crate) started: Option<Instant>,
    cancelled: AtomicBool,
    /// Wakes the future of the attempt, so that it sees that it is cancelled.
    pub(crate) waker: AtomicWaker,
    /// Made only when the task asks for it.
    token: OnceLock<CancellationToken>,
    /// Tasks that it adds; none once it has ended.
    additions: Mutex<Option<Vec<Flow>>>,
}

/// What the engine says of an attempt when it starts it.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) cycle: u32,
    pub(crate) max_cycles: u32,
    pub(crate) max_retries: u32,
}

impl Attempt {
    pub(crate) fn new(
        shared: Arc<Shared>,
        spec: &'static TaskSpec,
        id: Arc<str>,
        task: TaskExecution,
        limits: Limits,
    ) -> Self {
        let Limits { cycle, max_cycles, max_retries } = limits;
        Self {
            shared,
            spec,
            id,
            task,
            cycle,
            max_cycles,
            max_retries,
            started: spec.wants_context.then(Instant::now),
            cancelled: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            token: OnceLock::new(),
            additions: Mutex::new(Some(Vec::new())),
        }
    }

    /// Whether its values and executions may be recorded.
    pub(crate) fn is_tracked(&self) -> bool {
        self.spec.track_lineage
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Asks the attempt to stop: an async body is dropped at its next await, a blocking one has to look.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        if let Some(token) = self.token.get() {
            token.cancel();
        }
        self.waker.wake();
    }

    pub(crate) fn token(&self) -> &CancellationToken {
        let token = self.token.get_or_init(CancellationToken::new);
        // The flag may have been set before there was a token.
        if self.is_cancelled() {
            token.cancel();
        }
        token
    }

    /// Takes tasks to be added when it completes.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn add(&self, flow: Flow) -> Result<(), TaskError> {
        match &mut *self.additions.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(additions) => {
                additions.push(flow);
                Ok(())
            }
            None => Err(TaskError::request(format!(
                "cannot add tasks: this attempt of `{}` has ended; add them before it returns",
                self.id
            ))),
        }
    }

    /// It has ended: gives the tasks that it adds, and takes no more.
    pub(crate) fn close(&self) -> Vec<Flow> {
        // Without a context nobody can add.
        if !self.spec.wants_context {
            return Vec::new();
        }
        self.additions.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} (execution {}, iteration {}, attempt {})",
            self.id, self.task.number, self.task.iteration, self.task.attempt
        )
    }
}
