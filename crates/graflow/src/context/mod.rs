//! What a running task knows and can ask for.

mod attempt;
mod current;
mod execution;
mod task;

pub(crate) use attempt::{Attempt, Limits};
pub(crate) use current::enter;
pub use current::{CurrentTask, current_task};
pub use execution::ExecutionContext;
pub use task::TaskContext;
