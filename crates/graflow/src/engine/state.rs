//! What the driver keeps of a run.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use graflow_model::TaskStatus;
use tokio::time::Sleep;

use super::attempt::{AttemptFuture, Finished};
use super::run::RunFailure;
use crate::context::Attempt;
use crate::sink::Cause;
use crate::task::RetryPolicy;
use crate::value::Value;

/// What the program said about this run.
#[derive(Debug, Clone)]
pub(crate) struct RunLimits {
    pub(crate) max_steps: u64,
    pub(crate) max_cycles: u32,
    pub(crate) retry: RetryPolicy,
    pub(crate) max_parallel: usize,
    pub(crate) cancel_grace: Duration,
}

/// What the engine knows of a vertex in this run.
#[derive(Debug)]
pub(crate) struct Slot {
    /// `Queued` while a retry waits.
    pub(crate) status: TaskStatus,
    /// Of the attempt that runs, or the last one.
    pub(crate) number: u32,
    pub(crate) iteration: u32,
    pub(crate) attempt: u32,
    pub(crate) cycle: u32,
    /// Attempts so far.
    pub(crate) executions: u32,
    pub(crate) running: Option<Arc<Attempt>>,
    /// What the previous pass handed on, and the number of its task execution.
    pub(crate) carried: Option<(Value, u32)>,
    pub(crate) error: Option<Arc<str>>,
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            status: TaskStatus::Pending,
            number: 0,
            iteration: 0,
            attempt: 0,
            cycle: 0,
            executions: 0,
            running: None,
            carried: None,
            error: None,
        }
    }
}

/// What the engine knows of a group in this run.
#[derive(Debug, Default)]
pub(crate) struct GroupRun {
    pub(crate) is_open: bool,
    /// The attempt inside of it that ended last: what leads on from the group.
    pub(crate) ended_last: Option<Cause>,
    /// The first error of each member.
    pub(crate) errors: Vec<Option<Arc<str>>>,
}

/// Why nothing more starts.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    Failed(RunFailure),
    Cancelled(String),
    Terminated(String),
    MaxSteps,
}

/// What the driver polls itself.
pub(crate) enum Pending {
    Attempt(AttemptFuture),
    Timer(Pin<Box<Sleep>>, Due),
}

/// What is to be done when a timer rings.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Due {
    Retry {
        vertex: u32,
        number: u32,
    },
    Timeout {
        vertex: u32,
        number: u32,
    },
    /// Whoever still runs has been cancelled long ago.
    GiveUp,
}

/// What the driver is told of.
pub(crate) enum Told {
    /// A blocking attempt with a timeout has got its thread.
    Began {
        vertex: u32,
        number: u32,
        timeout: Duration,
    },
    Finished(Finished),
    Due(Due),
}

impl Future for Pending {
    type Output = Told;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Told> {
        match &mut *self {
            Self::Attempt(attempt) => Pin::new(attempt).poll(context).map(Told::Finished),
            Self::Timer(sleep, due) => sleep.as_mut().poll(context).map(|()| Told::Due(*due)),
        }
    }
}

/// What became of a start.
pub(crate) enum Started {
    /// It runs, or there was nothing to run.
    Running,
    /// It has ended already.
    Ended(Finished),
}
