//! What ran, and for how long.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use graflow_model::row::TaskExecutionRow;
use graflow_model::{TaskStatus, Timestamp};

use super::Side;
use crate::analysis::{critical_path, work};

/// A task in the two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskComparison {
    /// The task; the family of dynamic ones.
    pub task: String,
    /// Whether it is a family.
    pub is_family: bool,
    /// In this run; none when it did not run.
    pub here: Option<TaskOfSide>,
    /// In the other run; none when it did not run.
    pub there: Option<TaskOfSide>,
}

impl TaskComparison {
    /// Microseconds of work by which the runs differ.
    pub fn change_us(&self) -> u64 {
        let work = |side: Option<TaskOfSide>| side.map_or(0, |side| side.work_us);
        work(self.here).abs_diff(work(self.there))
    }
}

/// A task in one run. Times are microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskOfSide {
    /// Task executions that began.
    pub executions: u64,
    /// Attempts that were tried again.
    pub retried: u64,
    /// Task executions that failed for good.
    pub failed: u64,
    /// Where it stood last; failed when one of it failed for good.
    pub status: TaskStatus,
    /// When the first of them began, after the run's start.
    pub first_us: u64,
    /// When the last of them ended, after the run's start.
    pub last_us: u64,
    /// Work, over all of them.
    pub work_us: u64,
    /// What the longest worked.
    pub longest_us: u64,
    /// Work that was on the critical path.
    pub critical_us: u64,
}

/// A dynamic task is compared with others of its family.
type Name<'a> = (&'a str, bool);

fn name(row: &TaskExecutionRow) -> Name<'_> {
    row.family.as_deref().map_or((row.task_id.as_str(), false), |family| (family, true))
}

pub(super) fn compare_tasks(here: Side<'_>, there: Side<'_>, now: Timestamp) -> Vec<TaskComparison> {
    let (here, there) = (of_side(here, now), of_side(there, now));
    let names: BTreeSet<_> = here.keys().chain(there.keys()).copied().collect();
    let mut tasks: Vec<_> = names
        .into_iter()
        .map(|name| TaskComparison {
            task: name.0.to_owned(),
            is_family: name.1,
            here: here.get(&name).copied(),
            there: there.get(&name).copied(),
        })
        .collect();
    // Stable: of equal ones the name decides.
    tasks.sort_by_key(|task| std::cmp::Reverse(task.change_us()));
    tasks
}

fn of_side(side: Side<'_>, now: Timestamp) -> BTreeMap<Name<'_>, TaskOfSide> {
    let until = side.execution.end_time.unwrap_or(now);
    let mut latest: HashMap<Name<'_>, (bool, u32, u32, i64)> = HashMap::new();
    let mut tasks: BTreeMap<Name<'_>, TaskOfSide> = BTreeMap::new();
    for row in side.task_executions {
        let (Some(start), Some((begin, micros))) = (row.start_time, work(row, until)) else { continue };
        let first_us = side.after(start);
        let task = tasks.entry(name(row)).or_insert(TaskOfSide {
            executions: 0,
            retried: 0,
            failed: 0,
            status: row.status,
            first_us,
            last_us: 0,
            work_us: 0,
            longest_us: 0,
            critical_us: 0,
        });
        let failed = row.status == TaskStatus::Failed && !row.will_retry;
        task.executions += 1;
        task.retried += u64::from(row.will_retry);
        task.failed += u64::from(failed);
        task.first_us = task.first_us.min(first_us);
        task.last_us = task.last_us.max(first_us + micros);
        task.work_us += micros;
        task.longest_us = task.longest_us.max(micros);
        let place = (failed, row.iteration, row.attempt, begin);
        let last = latest.entry(name(row)).or_insert(place);
        if place >= *last {
            *last = place;
            task.status = row.status;
        }
    }
    for step in critical_path(side.task_executions, until).steps {
        if let Some(task) = tasks.get_mut(&name(&side.task_executions[step.row])) {
            task.critical_us += step.micros;
        }
    }
    tasks
}
