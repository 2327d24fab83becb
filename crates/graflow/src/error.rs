//! What can go wrong: in a task ([`TaskError`]), and before the first task ([`WorkflowError`]).

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// `Result` with [`TaskError`] where no other error is named.
pub type Result<T, E = TaskError> = std::result::Result<T, E>;

/// Why an attempt of a task failed.
///
/// Every `std::error::Error` turns into one with `?`. It does not implement that trait itself, which is what makes
/// the conversion possible.
///
/// ```
/// use graflow::{Result, TaskError};
///
/// fn parse(text: &str) -> Result<u16> {
///     if text.is_empty() {
///         return Err(TaskError::permanent(TaskError::new("nothing to parse")));
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("x").unwrap_err().to_string(), "invalid digit found in string");
/// assert!(parse("").unwrap_err().is_permanent());
/// ```
pub struct TaskError(Box<Inner>);

struct Inner {
    kind: TaskErrorKind,
    permanent: bool,
    type_name: &'static str,
    cause: Cause,
}

enum Cause {
    Message(String),
    Error(Box<dyn StdError + Send + Sync>),
}

/// What made an attempt fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskErrorKind {
    /// The task returned an error.
    Returned,
    /// The task panicked.
    Panicked,
    /// The task took longer than its `timeout`.
    TimedOut,
    /// The task asked for another pass and had used up its `max_cycles`.
    CycleLimit,
    /// A parameter had no value when the task was to start, or one of another type.
    Parameter,
    /// The task asked for what the workflow cannot do: a jump to nowhere, a task that exists.
    Request,
    /// A parallel group did not satisfy its policy.
    Group,
}

impl TaskError {
    /// An error in words.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(TaskErrorKind::Returned, "TaskError", Cause::Message(message.into()))
    }

    /// An error that trying again will not help: no attempt follows it, whatever `max_retries` says.
    pub fn permanent(error: impl Into<Self>) -> Self {
        error.into().into_permanent()
    }

    /// Like [`TaskError::permanent`], as a method.
    #[must_use]
    pub fn into_permanent(mut self) -> Self {
        self.0.permanent = true;
        self
    }

    /// Whether no attempt follows.
    pub fn is_permanent(&self) -> bool {
        self.0.permanent
    }

    /// What made the attempt fail.
    pub fn kind(&self) -> TaskErrorKind {
        self.0.kind
    }

    /// The name of the error's type, as the compiler writes it; `Panic` and the like for the engine's own.
    pub fn type_name(&self) -> &'static str {
        self.0.type_name
    }

    /// The error that the task returned, if it is an `E`.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.source()?.downcast_ref()
    }

    /// The error that the task returned, with its sources.
    pub fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.cause {
            Cause::Error(error) => Some(&**error),
            Cause::Message(_) => None,
        }
    }

    /// The error in words, for the engine: it may be the user's own code that finds them.
    pub(crate) fn words(&self) -> String {
        catch_unwind(AssertUnwindSafe(|| self.to_string()))
            .unwrap_or_else(|_| "an error that panicked when it was to be shown".to_owned())
    }

    fn of(kind: TaskErrorKind, type_name: &'static str, cause: Cause) -> Self {
        Self(Box::new(Inner { kind, permanent: false, type_name, cause }))
    }

    pub(crate) fn displayed<E: fmt::Display>(error: &E) -> Self {
        Self::of(TaskErrorKind::Returned, std::any::type_name::<E>(), Cause::Message(error.to_string()))
    }

    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&'static str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned());
        Self::of(TaskErrorKind::Panicked, "Panic", Cause::Message(message))
    }

    pub(crate) fn timed_out(limit: std::time::Duration) -> Self {
        let message = format!("the attempt took longer than its timeout of {limit:?}");
        Self::of(TaskErrorKind::TimedOut, "Timeout", Cause::Message(message))
    }

    pub(crate) fn cycle_limit(max_cycles: u32) -> Self {
        let message = format!(
            "the task asked for pass {} of its loop, and max_cycles is {max_cycles}; \
             raise it with #[task(max_cycles = …)], or ask can_iterate() before",
            u64::from(max_cycles) + 1
        );
        Self::of(TaskErrorKind::CycleLimit, "CycleLimit", Cause::Message(message)).into_permanent()
    }

    pub(crate) fn parameter(message: String) -> Self {
        Self::of(TaskErrorKind::Parameter, "UnresolvedParameter", Cause::Message(message)).into_permanent()
    }

    pub(crate) fn request(message: String) -> Self {
        Self::of(TaskErrorKind::Request, "InvalidRequest", Cause::Message(message)).into_permanent()
    }

    pub(crate) fn group(message: String) -> Self {
        Self::of(TaskErrorKind::Group, "ParallelGroupError", Cause::Message(message)).into_permanent()
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for TaskError {
    fn from(error: E) -> Self {
        Self::of(TaskErrorKind::Returned, std::any::type_name::<E>(), Cause::Error(Box::new(error)))
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match &self.0.cause {
            Cause::Message(message) => return formatter.write_str(message),
            Cause::Error(error) => error,
        };
        write!(formatter, "{error}")?;
        let mut source = error.source();
        while let Some(error) = source {
            write!(formatter, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

/// As text, since this is what `fn main() -> Result<()>` prints.
impl fmt::Debug for TaskError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Why a workflow did not start. Nothing has run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkflowError {
    /// The graph, its names or its types are wrong; every fault is in the report.
    #[error("{0}")]
    Invalid(Report),
    /// `execute_blocking` was called where an async runtime already runs; it would block that.
    #[error(
        "execute_blocking cannot wait inside of an async runtime; write `.execute().await`, \
         or call it from a task that is no `async fn`"
    )]
    InsideRuntime,
    /// Tasks need tokio, and the future was polled elsewhere.
    #[error("a workflow runs on tokio; await it there, or call execute_blocking()")]
    NoRuntime,
    /// The runtime has no timer.
    #[error("the async runtime has no timer; build it with `.enable_all()`")]
    NoTimer,
    /// No runtime could be started.
    #[error("cannot start an async runtime")]
    Runtime(#[source] std::io::Error),
}

/// Everything that is wrong with a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub(crate) workflow: String,
    pub(crate) problems: Vec<Problem>,
}

impl Report {
    /// The faults, in the order of declaration.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let plural = if count == 1 { "problem" } else { "problems" };
        write!(formatter, "workflow `{}` cannot start, {count} {plural}:", self.workflow)?;
        for problem in &self.problems {
            write!(formatter, "\n  {problem}")?;
        }
        Ok(())
    }
}

/// One fault of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is nothing to run.
    #[error("there is no task; give the workflow a flow, or add_node")]
    Empty,
    /// Two tasks have one id.
    #[error("task `{task}`: {reason}")]
    DuplicateTask {
        /// The id.
        task: String,
        /// What the two are.
        reason: String,
    },
    /// An edge, a start or a jump names a task that is not there.
    #[error("task `{task}`: there is no task of that name; there are: {available}")]
    UnknownTask {
        /// The name.
        task: String,
        /// What there is.
        available: String,
    },
    /// A task or group stands on both sides of a `>>`.
    #[error(
        "task `{task}` would follow itself; for a loop, return ctx.next_iteration(…); \
         to run it twice, give one of the two an id with .named(…)"
    )]
    FollowsItself {
        /// The task or group.
        task: String,
    },
    /// A `>>` between many tasks and many others.
    #[error(
        "{sources} tasks >> {targets} tasks: with an edge from each to each, the workflow has more than {most} edges; \
         put a task between them, or make one side a group with parallel(…)"
    )]
    TooManyEdges {
        /// Tasks on the left.
        sources: usize,
        /// Tasks on the right.
        targets: usize,
        /// The limit.
        most: usize,
    },
    /// A name that cannot be recorded.
    #[error("{what}, `{name}`: {reason}")]
    Name {
        /// Whose.
        what: &'static str,
        /// It, or its beginning.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A parameter has no source.
    #[error("task `{task}`, parameter `{parameter}: {written}`: {reason}\n    hint: {hint}")]
    UnresolvedParameter {
        /// The task.
        task: String,
        /// The parameter.
        parameter: String,
        /// Its type, as written.
        written: String,
        /// What is there instead.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A group is not what its use asks for.
    #[error("group `{group}`: {reason}")]
    Group {
        /// The group.
        group: String,
        /// What is wrong.
        reason: String,
    },
    /// A task's result is a `Result` that its signature hides behind an alias.
    #[error(
        "task `{task}`: its result is {written}; spell it `Result<…>` in the signature, so that an Err fails the task"
    )]
    HiddenResult {
        /// The task.
        task: String,
        /// The type.
        written: String,
    },
}
