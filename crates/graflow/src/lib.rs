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
#[allow(missing_docs, clippy::allow_attributes, reason = "only ever named by what #[task] writes")]
pub mod macro_support;
pub mod sink;
mod task;
mod value;
mod workflow;

pub use channel::Channel;
pub use context::{CurrentTask, ExecutionContext, TaskContext, current_task};
pub use engine::{Execute, Link, MissingResult, Run, RunFailure, TaskReport};
pub use error::{Problem, Report, Result, TaskError, TaskErrorKind, WorkflowError};
pub use flow::{
    AtLeast, BestEffort, Critical, Flow, Group, GroupPolicy, IntoFlow, MemberOutcome, Strict, chain, parallel,
};
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
