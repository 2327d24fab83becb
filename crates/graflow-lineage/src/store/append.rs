//! What goes into a store, and what comes back.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use graflow_model::{Event, EventError, Project, Seq, Timestamp};
use tokio::sync::oneshot;

/// Events that came in together, already checked one by one.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whose they are.
    pub project: Project,
    /// When the server took them.
    pub received: Timestamp,
    /// The events, each with the JSON text it came as; that text is what is kept.
    pub events: Vec<Incoming>,
}

/// An event and the text it came as.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The event, read.
    pub event: Event,
    /// The event as JSON, on one line.
    pub json: Box<str>,
}

/// What became of one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventResult {
    /// It is on disk, under this number.
    Accepted(Seq),
    /// It had been there before.
    Duplicate,
    /// It cannot be taken.
    Invalid(EventError),
    /// Its execution has been deleted.
    Dropped,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// One result an event, in the batch's order.
    pub results: Vec<EventResult>,
    /// The last number given so far, to whichever project: numbers rise over the whole log, and each project sees gaps.
    pub last_seq: Seq,
}

/// An event of a request that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Its place in the request, from 0.
    pub index: usize,
    /// Why.
    pub error: EventError,
}

/// Why a whole batch was not taken; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// More comes in than can be written.
    #[error("the server has more to write than it can; try again in {} ms", retry_after.as_millis())]
    Overloaded {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// No room.
    #[error("the disk is full")]
    DiskFull,
    /// The log can no longer be written; reads go on.
    #[error("the log cannot be written: {0}")]
    Unwritable(String),
    /// The store is being closed.
    #[error("the server is shutting down")]
    Closed,
}

/// The answer to an append, to come: await it, or [`Receipt::wait`] for it on a thread of your own.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Result<Appended, AppendError>>);

/// The other end of a [`Receipt`].
pub type Acknowledge = oneshot::Sender<Result<Appended, AppendError>>;

impl Receipt {
    /// A receipt and the end that answers it; dropping that end answers [`AppendError::Closed`].
    pub fn pending() -> (Acknowledge, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }

    /// A receipt that is answered already.
    pub fn ready(answer: Result<Appended, AppendError>) -> Self {
        let (sender, receipt) = Self::pending();
        // The receiver is in `receipt`, so there is somebody to hear it.
        let _ = sender.send(answer);
        receipt
    }

    /// Blocks until the answer is there. Not for async code.
    pub fn wait(self) -> Result<Appended, AppendError> {
        self.0.blocking_recv().unwrap_or(Err(AppendError::Closed))
    }
}

impl Future for Receipt {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(AppendError::Closed)))
    }
}

/// An event as it is kept.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Its number.
    pub seq: Seq,
    /// Whose it is.
    pub project: Project,
    /// When the server took it.
    pub received: Timestamp,
    /// The event, read.
    pub event: Event,
    /// The event as it came.
    pub json: Box<str>,
}
