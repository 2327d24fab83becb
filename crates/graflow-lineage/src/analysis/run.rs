//! One run, beside those before it.

use std::collections::{BTreeMap, HashMap};

use graflow_model::row::{ExecutionRow, TaskExecutionRow};
use graflow_model::{TaskId, TaskStatus, Timestamp};

use super::profile::RunOfProfile;
use super::{CriticalPath, Usual, critical_path, usual, work};

/// What determined how long a run took, and whether that is usual. Times are microseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct RunAnalysis {
    /// It took, or has been taking until now.
    pub duration_us: u64,
    /// What completed runs took before it.
    pub usual: Usual,
    /// The chain of task executions that took longest; rows are those that were given.
    pub critical_path: CriticalPath,
    /// Per task that has run.
    pub tasks: BTreeMap<TaskId, TaskOfRun>,
}

/// A task in a run. Times are microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskOfRun {
    /// Task executions that began.
    pub executions: u64,
    /// Work, over all of them.
    pub work_us: u64,
    /// What the longest worked.
    pub longest_us: u64,
    /// Work that was on the critical path.
    pub critical_us: u64,
    /// What a completed one took in earlier runs.
    pub usual: Usual,
}

/// Looks at a run and its task executions, beside the durations of `earlier` runs and what ran in `history`.
pub fn analyse(
    run: &ExecutionRow,
    rows: &[TaskExecutionRow],
    earlier: &[ExecutionRow],
    history: &[RunOfProfile],
    now: Timestamp,
) -> RunAnalysis {
    let until = run.end_time.unwrap_or(now);
    let elapsed = || u64::try_from(until.micros_since(run.start_time)).unwrap_or(0);
    let durations: Vec<_> = earlier.iter().filter_map(|run| Some(run.duration?.micros)).collect();
    let path = critical_path(rows, until);
    let mut tasks: BTreeMap<TaskId, TaskOfRun> = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    for row in rows {
        let Some((_, micros)) = work(row, until) else { continue };
        let task = tasks.entry(row.task_id.clone()).or_default();
        task.executions += 1;
        task.work_us += micros;
        task.longest_us = task.longest_us.max(micros);
        kinds.insert(&row.task_id, kind(row));
    }
    for step in &path.steps {
        tasks.entry(rows[step.row].task_id.clone()).or_default().critical_us += step.micros;
    }
    let known = durations_by_kind(history);
    let usual_of_kind: HashMap<&str, Usual> = known.iter().map(|(kind, all)| (*kind, usual(all))).collect();
    for (id, task) in &mut tasks {
        task.usual = kinds.get(id).and_then(|kind| usual_of_kind.get(kind)).copied().unwrap_or_default();
    }
    RunAnalysis {
        duration_us: run.duration.map_or_else(elapsed, |span| span.micros),
        usual: usual(&durations),
        critical_path: path,
        tasks,
    }
}

/// A dynamic task is compared with others of its family.
fn kind(row: &TaskExecutionRow) -> &str {
    row.family.as_deref().unwrap_or(row.task_id.as_str())
}

fn durations_by_kind(history: &[RunOfProfile]) -> HashMap<&str, Vec<u64>> {
    let mut known: HashMap<&str, Vec<u64>> = HashMap::new();
    for row in history.iter().flat_map(|run| &run.task_executions) {
        if let (TaskStatus::Completed, Some(span)) = (row.status, row.duration) {
            known.entry(kind(row)).or_default().push(span.micros);
        }
    }
    known
}
