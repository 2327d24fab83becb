//! What a task hands back: a value, and where to go from here.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::TaskError;
use crate::value::{Value, ValueType};

/// A result and a decision: return it from a task that steers its workflow.
///
/// The decisions other than [`Next::Done`] are made by [`TaskContext`](crate::TaskContext):
/// `ctx.next_iteration(value)`, `ctx.jump(task)`, `ctx.terminate(reason)`, `ctx.cancel(reason)`.
#[must_use = "a decision does nothing until the task returns it"]
pub enum Next<T> {
    /// The task is done; its successors run.
    Done(T),
    /// Something else; see the methods of [`TaskContext`](crate::TaskContext).
    Otherwise(Decision<T>),
}

/// A decision other than to go on.
pub struct Decision<T> {
    step: Step,
    value: Option<T>,
}

/// Where to go, other than on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Iterate,
    Jump(Arc<str>),
    Terminate(String),
    Cancel(String),
}

impl<T> Next<T> {
    /// Gives the task a result as well, for a jump or a termination.
    pub fn with(self, value: T) -> Self {
        match self {
            Self::Done(_) => Self::Done(value),
            Self::Otherwise(decision) => Self::Otherwise(Decision { value: Some(value), ..decision }),
        }
    }

    pub(crate) fn step(step: Step, value: Option<T>) -> Self {
        Self::Otherwise(Decision { step, value })
    }
}

impl<T: fmt::Debug> fmt::Debug for Next<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(value) => formatter.debug_tuple("Done").field(value).finish(),
            Self::Otherwise(decision) => decision.fmt(formatter),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Decision<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} with {:?}", self.step, self.value)
    }
}

/// What an attempt came to, without its types.
#[doc(hidden)]
#[derive(Debug)]
pub struct Outcome {
    pub(crate) ending: Ending,
    pub(crate) value: Option<Value>,
}

#[derive(Debug)]
pub(crate) enum Ending {
    Done,
    Step(Step),
}

/// What a body gives.
#[doc(hidden)]
pub type Attempted = Result<Outcome, TaskError>;

/// A body whose parameters are filled.
#[doc(hidden)]
pub enum Body {
    Async(Pin<Box<dyn Future<Output = Attempted> + Send>>),
    Blocking(Box<dyn FnOnce() -> Attempted + Send>),
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Async(_) => "Async",
            Self::Blocking(_) => "Blocking",
        })
    }
}

impl Outcome {
    pub fn done<T: Send + Sync + 'static>(value: T, value_type: &'static ValueType) -> Self {
        Self { ending: Ending::Done, value: Some(Value::from_arc(Arc::new(value), value_type)) }
    }

    pub fn next<T: Send + Sync + 'static>(next: Next<T>, value_type: &'static ValueType) -> Self {
        match next {
            Next::Done(value) => Self::done(value, value_type),
            Next::Otherwise(Decision { step, value }) => Self {
                ending: Ending::Step(step),
                value: value.map(|value| Value::from_arc(Arc::new(value), value_type)),
            },
        }
    }
}
