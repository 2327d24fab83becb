//! The future of one attempt: polls the body, catches panics, ends at the timeout or when it is cancelled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use crate::context::{Attempt, enter};
use crate::error::TaskError;
use crate::task::Attempted;

/// An attempt that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) vertex: u32,
    /// The number of the task execution: a late end of an attempt that was given up is known by it.
    pub(crate) number: u32,
    pub(crate) ended: Ended,
}

#[derive(Debug)]
pub(crate) enum Ended {
    Attempted(Attempted),
    Cancelled,
}

/// The future of an async body.
pub(crate) struct AttemptFuture {
    vertex: u32,
    attempt: Arc<Attempt>,
    /// None once it has ended: a body that panicked is never polled again.
    body: Option<Pin<Box<dyn Future<Output = Attempted> + Send>>>,
    deadline: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl AttemptFuture {
    pub(crate) fn new(
        vertex: u32,
        attempt: Arc<Attempt>,
        body: Pin<Box<dyn Future<Output = Attempted> + Send>>,
    ) -> Self {
        let deadline = attempt.spec.timeout.map(|limit| (limit, Box::pin(tokio::time::sleep(limit))));
        Self { vertex, attempt, body: Some(body), deadline }
    }

    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        if self.attempt.is_cancelled() {
            return Poll::Ready(Ended::Cancelled);
        }
        let Some(body) = &mut self.body else { return Poll::Pending };
        let entered = enter(&self.attempt);
        match catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(context))) {
            Ok(Poll::Pending) => drop(entered),
            Ok(Poll::Ready(attempted)) => {
                self.body = None;
                return Poll::Ready(Ended::Attempted(attempted));
            }
            Err(payload) => {
                let error = TaskError::panicked(&*payload);
                self.drop_body();
                return Poll::Ready(Ended::Attempted(Err(error)));
            }
        }
        if let Some((limit, deadline)) = &mut self.deadline
            && deadline.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Ended::Attempted(Err(TaskError::timed_out(*limit))));
        }
        self.attempt.waker.register(context.waker());
        // It may have been cancelled while it was polled, before there was somebody to wake.
        if self.attempt.is_cancelled() { Poll::Ready(Ended::Cancelled) } else { Poll::Pending }
    }
}

impl Future for AttemptFuture {
    type Output = Finished;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Finished> {
        self.poll_body(context).map(|ended| Finished {
            vertex: self.vertex,
            number: self.attempt.task.number,
            ended,
        })
    }
}

impl AttemptFuture {
    /// Dropping a body runs the user's code as well; a panic there must not take the engine with it.
    fn drop_body(&mut self) {
        if let Some(body) = self.body.take() {
            let _entered = enter(&self.attempt);
            let _ = catch_unwind(AssertUnwindSafe(|| drop(body)));
        }
    }
}

impl Drop for AttemptFuture {
    fn drop(&mut self) {
        self.drop_body();
    }
}

/// Runs a blocking body on the thread it is on.
pub(crate) fn run_blocking(attempt: &Arc<Attempt>, body: Box<dyn FnOnce() -> Attempted + Send>) -> Ended {
    let _entered = enter(attempt);
    // A body that is dropped unused runs the user's code as well.
    match catch_unwind(AssertUnwindSafe(|| {
        if attempt.is_cancelled() {
            drop(body);
            None
        } else {
            Some(body())
        }
    })) {
        Ok(Some(attempted)) => Ended::Attempted(attempted),
        Ok(None) => Ended::Cancelled,
        Err(payload) => Ended::Attempted(Err(TaskError::panicked(&*payload))),
    }
}
