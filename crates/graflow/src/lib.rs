//! Workflows: tasks composed with `>>` and `|`, whose graph may grow while it runs.
//!
//! A task is a function with [`#[task]`](macro@task). Its parameters are filled by name: with the result of the task
//! of that name, or with the value of that key in the channel. A [`Workflow`] is checked as a whole before its first
//! task runs.
//!
//! ```
//! use graflow::prelude::*;
//!
//! #[task]
//! async fn extract() -> Vec<u32> {
//!     vec![3, 1, 2]
//! }
//! #[task]
//! async fn count(extract: &[u32]) -> usize {
//!     extract.len()
//! }
//! #[task]
//! fn largest(extract: &[u32]) -> Option<u32> {
//!     extract.iter().copied().max()
//! }
//! #[task]
//! async fn report(count: usize, largest: Option<u32>) -> String {
//!     format!("{count} numbers, the largest is {largest:?}")
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let numbers = Workflow::new("numbers", extract() >> (count() | largest()) >> report());
//! let run = numbers.execute().await?;
//! assert_eq!(run.result(report())?, "3 numbers, the largest is Some(3)");
//! # Ok(())
//! # }
//! ```
//!
//! Where to look next: [`Flow`] and [`parallel`] for composition, [`TaskContext`] for what a task can ask of its
//! workflow, [`Execute`] for what a run can be given, [`Run`] for what is left of it, [`sink`] for the way out.

mod channel;
mod context;
mod engine;
mod error;
mod flow;
mod key;
#[doc(hidden)]
pub mod macro_support;
pub mod sink;
mod task;
mod value;
mod workflow;

pub use channel::Channel;
pub use context::{
    CurrentTask, ExecutingTask, ExecutionContext, TaskContext, WorkflowTracking, current_task,
};
pub use engine::{Execute, Link, MissingResult, Run, RunFailure, TaskReport};
pub use error::{Problem, Report, Result, TaskError, TaskErrorKind, WorkflowError};
pub use flow::{
    AtLeast, BestEffort, Critical, Flow, Group, GroupPolicy, IntoFlow, MemberOutcome, Strict, chain, parallel,
};
/// Turns a function into a task.
///
/// `#[task] fn extract(…)` gives `extract()`, a handle to compose flows of, and `extract::call(…)`, the function as it
/// was written, for unit tests. An `async fn` runs on tokio, a plain `fn` on a thread of its own.
///
/// # Parameters
/// They are filled by name: with the value bound to this use (`extract().day(today)`), with the result of the task of
/// that name, or with that key of the channel. Leading underscores do not count.
///
/// | type | gets |
/// |---|---|
/// | `&T`, `&[T]`, `&str`, `Arc<T>` | the stored value, without a copy |
/// | `T` | a clone |
/// | `Option<…>` of these | the same, or `None` where there is no value |
/// | `Res<T>` | the resource of that type |
/// | `Members<T>` | the results of the parallel group of that name |
/// | `#[iteration] Option<T>` | what the pass before gave to `next_iteration` |
/// | `&TaskContext` | the [`TaskContext`] |
///
/// # Results
/// `T`, [`Next<T>`](Next), or a `Result` of either; every error type that is a `std::error::Error`, a [`TaskError`] or
/// can be displayed will do.
///
/// # Options
/// | option | meaning |
/// |---|---|
/// | `name = "…"`, `id = "…"`, or just `"…"` | the id, instead of the function's name |
/// | `inject_context = true` | insists that the first parameter is `&TaskContext` |
/// | `track_lineage = false` | executions and values are not recorded, the graph's shape is |
/// | `max_retries = 3` | tries again so often |
/// | `backoff = "200ms..5s"` | waits before, twice as long each time, up to the end; see [`RetryPolicy`] |
/// | `retry_if = is_transient` | asks `fn(&Error) -> bool` whether trying again may help |
/// | `max_cycles = 8` | the most passes of a loop |
/// | `timeout = "30s"` | the longest an attempt may take, once it has begun |
/// | `writes(KEY, …)` | keys that the task sets, so that parameters of their names are known to be filled |
///
/// ```
/// use graflow::prelude::*;
///
/// const LIMIT: Key<u32> = Key::new("limit");
///
/// #[task("set the limit", writes(LIMIT))]
/// async fn set_limit(ctx: &TaskContext) {
///     ctx.channel().set(LIMIT, 3);
/// }
/// #[task(max_retries = 2, backoff = "1ms..4ms", timeout = "10s")]
/// fn squares(limit: u32) -> Result<Vec<u32>, std::num::ParseIntError> {
///     Ok((0..limit).map(|number| number * number).collect())
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// assert_eq!(squares::call(2), Ok(vec![0, 1]));
/// let run = Workflow::new("squares", set_limit() >> squares()).execute().await?;
/// assert_eq!(run.result(squares())?, &[0, 1, 4]);
/// # Ok(()) }
/// ```
pub use graflow_macros::task;
pub use graflow_model::{ExecutionId, ExecutionStatus, TaskStatus};
pub use key::{Key, KeyDeclaration};
pub use task::{Decision, Member, Members, Next, Res, RetryPolicy, Task, TaskRef};
pub use value::{Value, ValueType};
pub use workflow::{Workflow, WorkflowContext};

/// What a workflow is written with.
pub mod prelude {
    pub use crate::sink::Usage;
    pub use crate::{
        AtLeast, BestEffort, Channel, Critical, ExecutionStatus, Flow, GroupPolicy, Key, MemberOutcome,
        Members, Next, Res, Result, RetryPolicy, Strict, Task, TaskContext, TaskError, TaskStatus, Workflow,
        WorkflowContext, chain, parallel, task,
    };
}
