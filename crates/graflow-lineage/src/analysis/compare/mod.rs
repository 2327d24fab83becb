//! Two runs beside each other: what differs, and where that begins.
//!
//! "Here" is the run in question, "there" the one it is compared with, mostly the last that completed before it.

mod differences;
mod tasks;
mod values;

pub use differences::{Difference, DifferenceKind};
pub use tasks::{TaskComparison, TaskOfSide};
pub use values::{ComparedValues, ValueComparison};

use graflow_model::Timestamp;
use graflow_model::row::{DataFlow, ExecutionRow, TaskExecutionRow};

/// One of the two runs.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The run.
    pub execution: &'a ExecutionRow,
    /// What ran in it.
    pub task_executions: &'a [TaskExecutionRow],
    /// What was written and read in it.
    pub data: &'a DataFlow,
}

impl Side<'_> {
    /// Microseconds from the run's start; clocks that differ never make that negative.
    fn after(&self, time: Timestamp) -> u64 {
        u64::try_from(time.micros_since(self.execution.start_time)).unwrap_or(0)
    }
}

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// What differs first comes first: what was known before the run began, then by the time after its start. What follows from
    /// another difference (a value computed from one that differs) is left out.
    pub differences: Vec<Difference>,
    /// Every task that ran in one of them (dynamic ones by family), that whose work changed most first.
    pub tasks: Vec<TaskComparison>,
    /// Their values, by content hash.
    pub values: ComparedValues,
}

/// Compares a run with another one. What still runs counts until `now`.
pub fn compare(here: Side<'_>, there: Side<'_>, now: Timestamp) -> Comparison {
    let tasks = tasks::compare_tasks(here, there, now);
    let values = values::compare_values(here, there);
    let differences = differences::differences(here, there, &tasks, &values.differing);
    Comparison { differences, tasks, values }
}
