//! Where the time goes, over several runs.

use std::collections::HashMap;

use graflow_model::row::{ExecutionRow, TaskExecutionRow};
use graflow_model::{TaskStatus, Timestamp};

use super::{Usual, critical_path, usual, work};

/// In so many parts the course of a run is divided.
pub(super) const PARTS: usize = 50;

/// A run, and what ran in it.
#[derive(Debug, Clone)]
pub struct RunOfProfile {
    /// The run.
    pub execution: ExecutionRow,
    /// Its task executions.
    pub task_executions: Vec<TaskExecutionRow>,
}

/// Where the time goes. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// From start to end, over the runs.
    pub wall_us: u64,
    /// Of these: at least one task worked.
    pub working_us: u64,
    /// Of these: no task worked, and at least one was queued.
    pub queued_us: u64,
    /// Of these: neither.
    pub idle_us: u64,
    /// Work, over all tasks.
    pub work_us: u64,
    /// The tasks, that with the greatest share of the critical path first.
    pub tasks: Vec<TaskProfile>,
    /// Tasks at work at the same time, in 50 equal parts from start to end: the mean of the runs.
    pub parallelism: Vec<f64>,
}

/// A task, over the runs. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskProfile {
    /// The task; the family of dynamic ones.
    pub task: String,
    /// Whether it is a family.
    pub is_family: bool,
    /// Task executions.
    pub executions: u64,
    /// Attempts that were tried again.
    pub retried: u64,
    /// Work.
    pub work_us: u64,
    /// Work that was on a critical path.
    pub critical_us: u64,
    /// The critical paths' work, over the runs: what `critical_us` is a share of.
    pub critical_total_us: u64,
    /// Time in queues.
    pub queued_us: u64,
    /// What a completed execution of it takes.
    pub usual: Usual,
}

/// Where the time goes, over these runs; those that have not ended do not count.
pub fn profile(runs: &[RunOfProfile]) -> Profile {
    let mut profile = Profile { parallelism: vec![0.0; PARTS], ..Profile::default() };
    let mut tasks: HashMap<(bool, &str), (TaskProfile, Vec<u64>)> = HashMap::new();
    let (mut critical_total_us, mut counted) = (0, 0_u32);
    for run in runs {
        let Some(end) = run.execution.end_time else { continue };
        let start = run.execution.start_time;
        let rows = &run.task_executions;
        counted += 1;
        let clock = Course::new(start, end, rows);
        profile.wall_us += clock.wall_us;
        profile.working_us += clock.working_us;
        profile.queued_us += clock.queued_us;
        profile.idle_us += clock.wall_us - clock.working_us - clock.queued_us;
        for (sum, part) in profile.parallelism.iter_mut().zip(clock.parallelism) {
            *sum += part;
        }
        for row in rows {
            let name = (row.family.is_some(), row.family.as_deref().unwrap_or(row.task_id.as_str()));
            let (task, durations) = tasks.entry(name).or_default();
            let micros = work(row, end).map_or(0, |(_, micros)| micros);
            task.executions += 1;
            task.retried += u64::from(row.will_retry);
            task.work_us += micros;
            task.queued_us += row.queued.map_or(0, |span| span.micros);
            profile.work_us += micros;
            if row.status == TaskStatus::Completed {
                durations.push(micros);
            }
        }
        let path = critical_path(rows, end);
        critical_total_us += path.micros;
        for step in path.steps {
            let row = &rows[step.row];
            let name = (row.family.is_some(), row.family.as_deref().unwrap_or(row.task_id.as_str()));
            tasks.entry(name).or_default().0.critical_us += step.micros;
        }
    }
    for part in &mut profile.parallelism {
        *part /= f64::from(counted.max(1));
    }
    profile.tasks = tasks
        .into_iter()
        .map(|((is_family, name), (task, durations))| TaskProfile {
            task: name.to_owned(),
            is_family,
            critical_total_us,
            usual: usual(&durations),
            ..task
        })
        .collect();
    profile.tasks.sort_by(|one, other| {
        (other.critical_us, other.work_us, &one.task).cmp(&(one.critical_us, one.work_us, &other.task))
    });
    profile
}

/// One run's time, by what went on.
struct Course {
    wall_us: u64,
    working_us: u64,
    queued_us: u64,
    parallelism: Vec<f64>,
}

impl Course {
    fn new(start: Timestamp, end: Timestamp, rows: &[TaskExecutionRow]) -> Self {
        let (from, until) = (start.as_micros(), end.as_micros().max(start.as_micros()));
        // What begins and ends, in order: +1 or -1 to those at work, and to those in a queue.
        let mut changes: Vec<(i64, i64, i64)> = Vec::with_capacity(rows.len() * 4);
        let mut add = |begin: i64, end: i64, working: i64, queued: i64| {
            let (begin, end) = (begin.clamp(from, until), end.clamp(from, until));
            if begin < end {
                changes.push((begin, working, queued));
                changes.push((end, -working, -queued));
            }
        };
        for row in rows {
            let worked = work(row, end);
            if let Some((begin, micros)) = worked {
                add(begin, begin.saturating_add(i64::try_from(micros).unwrap_or(i64::MAX)), 1, 0);
            }
            if let Some(queued) = row.queued_time {
                let begin = worked.map(|(begin, _)| begin).or(row.end_time.map(Timestamp::as_micros));
                add(queued.as_micros(), begin.unwrap_or(until), 0, 1);
            }
        }
        changes.sort_unstable();
        let mut course = Self {
            wall_us: micros(until - from),
            working_us: 0,
            queued_us: 0,
            parallelism: vec![0.0; PARTS],
        };
        let (mut at, mut working, mut queued) = (from, 0_i64, 0_i64);
        for (time, to_working, to_queued) in changes {
            let passed = micros(time - at);
            if working > 0 {
                course.working_us += passed;
                course.add_to_parts(from, until, at, time, working);
            } else if queued > 0 {
                course.queued_us += passed;
            }
            at = time;
            working += to_working;
            queued += to_queued;
        }
        course
    }

    /// So many tasks were at work from `begin` to `end`.
    #[expect(clippy::cast_precision_loss, reason = "microseconds within a run, and counts: exact")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "parts of a run, from 0 to PARTS"
    )]
    fn add_to_parts(&mut self, from: i64, until: i64, begin: i64, end: i64, working: i64) {
        let scale = PARTS as f64 / (until - from).max(1) as f64;
        let (begin, end) = ((begin - from) as f64 * scale, (end - from) as f64 * scale);
        let first = begin.floor() as usize;
        let last = (end.ceil() as usize).min(PARTS);
        for part in first..last {
            let overlap = end.min((part + 1) as f64) - begin.max(part as f64);
            self.parallelism[part] += working as f64 * overlap.max(0.0);
        }
    }
}

fn micros(difference: i64) -> u64 {
    u64::try_from(difference).unwrap_or(0)
}
