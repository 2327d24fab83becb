//! Rows as the tables hold them, each beside its SQL.

mod execution;
mod llm;
mod task_execution;

pub(crate) use execution::{EXECUTION_COLUMNS, execution_of, put_execution};
pub(crate) use llm::{llm_of, llm_text};
pub(crate) use task_execution::{
    ORDINAL_BITS, TASK_EXECUTION_COLUMNS, TASK_EXECUTION_FROM, put_task_execution, task_execution_of,
};
