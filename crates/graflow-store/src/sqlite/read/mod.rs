//! The questions that the tables answer, one a file.

mod canonical;
mod executions;
mod llm;
mod metrics;
mod search;
mod select;
mod task_executions;
mod workflows;

#[cfg(test)]
mod plan_tests;

pub(crate) use canonical::canonical_hash;
pub(crate) use executions::{count_of, execution, executions, open_executions};
pub(crate) use metrics::{metrics, series};
pub(crate) use search::search;
pub(crate) use select::page;
pub(crate) use task_executions::{task_execution, task_executions};
pub(crate) use workflows::workflows;
