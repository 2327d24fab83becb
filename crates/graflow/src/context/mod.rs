//! What a running task knows and can ask for.

mod attempt;
mod current;
mod execution;
mod task;
mod tracking;

pub(crate) use attempt::{Attempt, Limits};
pub use current::{CurrentTask, current_task};
pub(crate) use current::{enter, task_execution_id};
pub use execution::ExecutionContext;
pub use task::TaskContext;
pub use tracking::{ExecutingTask, WorkflowTracking};
