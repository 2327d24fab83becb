//! Counts and exact durations, over a window and over time.

use std::collections::BTreeMap;
use std::ops::Range;

use graflow_lineage::store::{Metrics, MetricsQuery, SeriesPoint, SeriesQuery, Totals};
use graflow_model::row::LlmTotals;
use graflow_model::{ExecutionStatus, Project, TaskStatus, Timestamp};
use rusqlite::Connection;

use super::llm::{llm_of_executions, llm_of_tasks};
use super::task_executions::task_numbers;
use crate::sqlite::codes;
use crate::sqlite::error::{Result, TableError, signed, unsigned};
use crate::sqlite::names::{find_project, find_workflow};

/// Counts and durations over a window.
pub(crate) fn metrics(connection: &Connection, project: &Project, query: &MetricsQuery) -> Result<Metrics> {
    let mut by_status: BTreeMap<ExecutionStatus, u64> = BTreeMap::new();
    each_execution(connection, project, query, |_, status, count| {
        *by_status.entry(status).or_default() += count;
    })?;
    let mut tasks = Tally::default();
    each_task_execution(connection, project, query, |_, status, will_retry, duration| {
        tasks.add(status, will_retry, duration);
    })?;
    Ok(Metrics {
        total_executions: by_status.values().sum(),
        by_status: by_status.into_iter().collect(),
        tasks: tasks.totals(),
        llm: llm(connection, project, query)?,
    })
}

fn llm(connection: &Connection, project: &Project, query: &MetricsQuery) -> Result<LlmTotals> {
    let Some(project) = find_project(connection, project)? else { return Ok(LlmTotals::default()) };
    let window = window(query);
    if query.task_id.is_some() {
        let tasks = task_numbers(connection, project, query.task_id.as_ref(), query.workflow_name.as_ref())?;
        return llm_of_tasks(connection, &tasks, &window);
    }
    let workflow = match &query.workflow_name {
        None => None,
        Some(name) => {
            let Some(workflow) = find_workflow(connection, project, name)? else {
                return Ok(LlmTotals::default());
            };
            Some(workflow)
        }
    };
    llm_of_executions(connection, project, workflow, window)
}

/// Counts and durations over time: the buckets that hold anything, in order.
pub(crate) fn series(
    connection: &Connection,
    project: &Project,
    query: &SeriesQuery,
) -> Result<Vec<SeriesPoint>> {
    #[derive(Default)]
    struct Bucket {
        executions: u64,
        failed_executions: u64,
        tasks: Tally,
    }
    let bucket = signed(query.bucket_us.max(1));
    let begin = |time: i64| time.div_euclid(bucket).saturating_mul(bucket);
    let mut buckets: BTreeMap<i64, Bucket> = BTreeMap::new();
    each_execution(connection, project, &query.metrics, |time, status, count| {
        let bucket = buckets.entry(begin(time)).or_default();
        bucket.executions += count;
        if status == ExecutionStatus::Failed {
            bucket.failed_executions += count;
        }
    })?;
    each_task_execution(connection, project, &query.metrics, |time, status, will_retry, duration| {
        buckets.entry(begin(time)).or_default().tasks.add(status, will_retry, duration);
    })?;
    Ok(buckets
        .into_iter()
        .map(|(time, bucket)| SeriesPoint {
            time: Timestamp::from_micros(time),
            executions: bucket.executions,
            failed_executions: bucket.failed_executions,
            tasks: bucket.tasks.totals(),
        })
        .collect())
}

/// Task executions, counted, with the durations of those that have one.
#[derive(Default)]
struct Tally {
    total: u64,
    completed: u64,
    failed: u64,
    retried: u64,
    durations: Vec<u64>,
}

impl Tally {
    fn add(&mut self, status: TaskStatus, will_retry: bool, duration: Option<u64>) {
        if will_retry {
            self.retried += 1;
            return;
        }
        self.total += 1;
        match status {
            TaskStatus::Completed => self.completed += 1,
            TaskStatus::Failed => self.failed += 1,
            _ => {}
        }
        self.durations.extend(duration);
    }

    fn totals(mut self) -> Totals {
        self.durations.sort_unstable();
        let durations = &self.durations;
        // The smallest duration that so many per cent of all do not exceed.
        let percentile = |percent: usize| {
            let rank = (durations.len() * percent).div_ceil(100);
            durations.get(rank.saturating_sub(1)).copied()
        };
        let sum: u128 = durations.iter().copied().map(u128::from).sum();
        Totals {
            total_tasks: self.total,
            completed_tasks: self.completed,
            failed_tasks: self.failed,
            retried_tasks: self.retried,
            mean_us: (!durations.is_empty()).then(|| mean(sum, durations.len())),
            p50_us: percentile(50),
            p90_us: percentile(90),
            p95_us: percentile(95),
            p99_us: percentile(99),
            min_us: durations.first().copied(),
            max_us: durations.last().copied(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean of microseconds needs no more than 53 bits")]
fn mean(sum: u128, count: usize) -> f64 {
    sum as f64 / count as f64
}

fn window(query: &MetricsQuery) -> Range<i64> {
    let bound = |time: Option<Timestamp>, open: i64| time.map_or(open, Timestamp::as_micros);
    bound(query.from, i64::MIN)..bound(query.until, i64::MAX)
}

/// Calls `each` with start time, state and count.
fn each_execution(
    connection: &Connection,
    project: &Project,
    query: &MetricsQuery,
    mut each: impl FnMut(i64, ExecutionStatus, u64),
) -> Result<()> {
    let Some(project) = find_project(connection, project)? else { return Ok(()) };
    let window = window(query);
    let (sql, owner) = match &query.workflow_name {
        None => (
            "SELECT start_time, status FROM execution INDEXED BY execution_newest
              WHERE project = ? AND start_time >= ? AND start_time < ?",
            project,
        ),
        Some(name) => {
            let Some(workflow) = find_workflow(connection, project, name)? else { return Ok(()) };
            (
                "SELECT start_time, status FROM execution INDEXED BY execution_of_workflow
              WHERE workflow = ? AND start_time >= ? AND start_time < ?",
                workflow,
            )
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((owner, window.start, window.end))?;
    while let Some(row) = rows.next()? {
        let time = row.get(0)?;
        let status = codes::execution_status_of(row.get(1)?)
            .ok_or_else(|| TableError::bad_row("execution", "status", format!("begun at {time}")))?;
        each(time, status, 1);
    }
    Ok(())
}

/// Calls `each` with start time, state, whether it was tried again, and duration.
fn each_task_execution(
    connection: &Connection,
    project: &Project,
    query: &MetricsQuery,
    mut each: impl FnMut(i64, TaskStatus, bool, Option<u64>),
) -> Result<()> {
    let Some(project) = find_project(connection, project)? else { return Ok(()) };
    let window = window(query);
    let tasks = task_numbers(connection, project, query.task_id.as_ref(), query.workflow_name.as_ref())?;
    let mut statement = connection.prepare_cached(
        "SELECT sort_time, status, will_retry, duration_us FROM task_execution INDEXED BY task_history
         WHERE task = ? AND sort_time >= ? AND sort_time < ?",
    )?;
    for task in tasks {
        let mut rows = statement.query((task, window.start, window.end))?;
        while let Some(row) = rows.next()? {
            let status = codes::task_status_of(row.get(1)?)
                .ok_or_else(|| TableError::bad_row("task_execution", "status", format!("of task {task}")))?;
            each(row.get(0)?, status, row.get(2)?, row.get::<_, Option<i64>>(3)?.map(unsigned));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let mut tally = Tally::default();
        for duration in (1..=200).rev() {
            tally.add(TaskStatus::Completed, false, Some(duration));
        }
        tally.add(TaskStatus::Failed, true, Some(1_000_000));
        tally.add(TaskStatus::Running, false, None);
        let totals = tally.totals();
        assert_eq!((totals.total_tasks, totals.completed_tasks, totals.retried_tasks), (201, 200, 1));
        assert_eq!((totals.p50_us, totals.p90_us, totals.p99_us), (Some(100), Some(180), Some(198)));
        assert_eq!((totals.min_us, totals.max_us, totals.mean_us), (Some(1), Some(200), Some(100.5)));
        assert_eq!(Tally::default().totals(), Totals::default());
    }
}
