//! Rows as they read now: what the store says, and who has fallen silent.

use std::collections::HashMap;

use graflow_model::event::{EventType, Log, Payload};
use graflow_model::row::{DataFlow, ExecutionRow, LlmUse, TaskExecutionRow};
use graflow_model::{
    ExecutionId, ExecutionStatus, Project, Seq, TaskExecutionId, TaskId, TaskStatus, Timestamp,
};

use super::{LineageManager, lock};
use crate::findings::{Finding, findings};
use crate::liveness;
use crate::store::{
    AsOf, Cursor, Deleted, EventQuery, ExecutionFilter, ExecutionQuery, Found, Metrics, MetricsQuery,
    NameQuery, Page, SearchQuery, StoreError, TaskExecutionQuery, WorkflowRow,
};

/// Rows that are looked through to count the lost.
const PAGE: usize = 5_000;

/// A row as it reads now.
#[derive(Debug, Clone, PartialEq)]
pub struct AsRead<T> {
    /// The row; its status may be `lost`.
    pub row: T,
    /// Since when it is lost.
    pub lost_since: Option<Timestamp>,
}

/// Which log lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuery {
    /// Of this execution.
    pub execution_id: ExecutionId,
    /// Of this task.
    pub task_id: Option<TaskId>,
    /// Of this task execution.
    pub task_execution_id: Option<TaskExecutionId>,
    /// After this number (before it, when newest first).
    pub after: Option<Seq>,
    /// Newest first.
    pub newest_first: bool,
    /// How many at most.
    pub limit: usize,
    /// From where.
    pub cursor: Option<Cursor>,
}

/// A log line.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedLine {
    /// The number of its event.
    pub seq: Seq,
    /// When it was written.
    pub time: Timestamp,
    /// The task that wrote it.
    pub task_id: Option<TaskId>,
    /// The attempt that wrote it.
    pub task_execution_id: Option<TaskExecutionId>,
    /// The line.
    pub log: Log,
}

impl LineageManager {
    /// Executions, newest first.
    ///
    /// # Errors
    /// When the store cannot be read, or the cursor is of another query.
    pub fn executions(
        &self,
        project: &Project,
        mut query: ExecutionQuery,
    ) -> Result<AsOf<Page<AsRead<ExecutionRow>>>, StoreError> {
        query.filter.lost = self.live.silent(project);
        let found = self.store.executions(project, &query)?;
        Ok(map_page(found, |row| self.read_execution(project, row)))
    }

    /// One execution.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn execution(
        &self,
        project: &Project,
        id: &ExecutionId,
    ) -> Result<AsOf<Option<AsRead<ExecutionRow>>>, StoreError> {
        let found = self.store.execution(project, id)?;
        let value = found.value.map(|row| self.read_execution(project, row));
        Ok(AsOf { value, as_of_seq: found.as_of_seq })
    }

    /// Task executions of one execution, or of one task over all its executions. A page of running or lost
    /// ones may be short: which of the two they are is known only now.
    ///
    /// # Errors
    /// When the store cannot be read, or the cursor is of another query.
    pub fn task_executions(
        &self,
        project: &Project,
        mut query: TaskExecutionQuery,
    ) -> Result<AsOf<Page<AsRead<TaskExecutionRow>>>, StoreError> {
        let asked = query.status.clone();
        for status in &mut query.status {
            if *status == TaskStatus::Lost {
                *status = TaskStatus::Running;
            }
        }
        query.status.sort_unstable();
        query.status.dedup();
        let found = self.store.task_executions(project, &query)?;
        let mut page = self.read_task_executions(project, found)?;
        page.value.rows.retain(|read| asked.is_empty() || asked.contains(&read.row.status));
        Ok(page)
    }

    /// One task execution.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn task_execution(
        &self,
        project: &Project,
        id: &TaskExecutionId,
    ) -> Result<AsOf<Option<AsRead<TaskExecutionRow>>>, StoreError> {
        let found = self.store.task_execution(project, id)?;
        let page = Page { rows: found.value.into_iter().collect(), next: None };
        let read = self.read_task_executions(project, AsOf { value: page, as_of_seq: found.as_of_seq })?;
        Ok(AsOf { value: read.value.rows.into_iter().next(), as_of_seq: read.as_of_seq })
    }

    /// Who wrote what in an execution, and who read it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn data_flow(
        &self,
        project: &Project,
        id: &ExecutionId,
    ) -> Result<AsOf<Option<DataFlow>>, StoreError> {
        let AsOf { value, as_of_seq } = self.store.state(project, id)?;
        Ok(AsOf { value: value.map(|state| lock(&state).data_flow()), as_of_seq })
    }

    /// What people should know about an execution.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn findings(
        &self,
        project: &Project,
        id: &ExecutionId,
    ) -> Result<AsOf<Option<Vec<Finding>>>, StoreError> {
        let AsOf { value, as_of_seq } = self.store.state(project, id)?;
        Ok(AsOf { value: value.map(|state| findings(&lock(&state))), as_of_seq })
    }

    /// Log lines of an execution.
    ///
    /// # Errors
    /// When the store cannot be read, or the cursor is of another query.
    pub fn logs(&self, project: &Project, query: LogQuery) -> Result<AsOf<Page<LoggedLine>>, StoreError> {
        let query = EventQuery {
            execution_id: query.execution_id,
            types: vec![EventType::Log],
            task_execution_id: query.task_execution_id,
            task_id: query.task_id,
            after: query.after,
            until: None,
            newest_first: query.newest_first,
            limit: query.limit,
            cursor: query.cursor,
        };
        let found = self.store.events(project, &query)?;
        let lines = found.value.rows.into_iter().filter_map(|stored| match stored.event.payload() {
            Ok(Payload::Log(log)) => Some(LoggedLine {
                seq: stored.seq,
                time: stored.event.time,
                task_id: stored.event.task_id,
                task_execution_id: stored.event.task_execution_id,
                log,
            }),
            _ => None,
        });
        let page = Page { rows: lines.collect(), next: found.value.next };
        Ok(AsOf { value: page, as_of_seq: found.as_of_seq })
    }

    /// The model calls of an execution, summed up.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn llm_use(&self, project: &Project, id: &ExecutionId) -> Result<AsOf<Option<LlmUse>>, StoreError> {
        let AsOf { value, as_of_seq } = self.store.state(project, id)?;
        Ok(AsOf { value: value.map(|state| lock(&state).llm_use()), as_of_seq })
    }

    /// Counts and durations over a window; executions that read as lost are counted as such.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn metrics(&self, project: &Project, query: &MetricsQuery) -> Result<AsOf<Metrics>, StoreError> {
        let mut found = self.store.metrics(project, query)?;
        let lost = self.count_lost(project, query)?;
        if lost > 0 {
            for (status, count) in &mut found.value.by_status {
                if *status == ExecutionStatus::Running {
                    *count = count.saturating_sub(lost);
                }
            }
            found.value.by_status.push((ExecutionStatus::Lost, lost));
        }
        Ok(found)
    }

    /// Workflows by name.
    ///
    /// # Errors
    /// When the store cannot be read, or the cursor is of another query.
    pub fn workflows(
        &self,
        project: &Project,
        query: &NameQuery,
    ) -> Result<AsOf<Page<WorkflowRow>>, StoreError> {
        let mut found = self.store.workflows(project, query)?;
        for row in &mut found.value.rows {
            if self.lost_since(project, &row.last_execution_id, row.last_status).is_some() {
                row.last_status = ExecutionStatus::Lost;
            }
        }
        Ok(found)
    }

    /// Executions, workflows and tasks whose id or name holds a text.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn search(&self, project: &Project, query: &SearchQuery) -> Result<AsOf<Vec<Found>>, StoreError> {
        let mut found = self.store.search(project, query)?;
        for result in &mut found.value {
            if let Found::Execution { execution_id, status, .. } = result
                && self.lost_since(project, execution_id, *status).is_some()
            {
                *status = ExecutionStatus::Lost;
            }
        }
        Ok(found)
    }

    /// Deletes every execution that the filter names, or says what would be deleted.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn delete(
        &self,
        project: &Project,
        mut filter: ExecutionFilter,
        dry_run: bool,
    ) -> Result<Deleted, StoreError> {
        filter.lost = self.live.silent(project);
        let deleted = self.store.delete(project, &filter, dry_run)?;
        if !dry_run {
            for id in &deleted.execution_ids {
                self.live.forget(project, id);
            }
        }
        Ok(deleted)
    }

    /// Since when an execution of that status is lost, if it is.
    pub(super) fn lost_since(
        &self,
        project: &Project,
        id: &ExecutionId,
        status: ExecutionStatus,
    ) -> Option<Timestamp> {
        (status == ExecutionStatus::Running).then(|| self.live.lost_since(project, id)).flatten()
    }

    pub(super) fn read_execution(&self, project: &Project, row: ExecutionRow) -> AsRead<ExecutionRow> {
        let lost_since = self.lost_since(project, &row.execution_id, row.status);
        let row = if lost_since.is_some() { liveness::lost_execution(row) } else { row };
        AsRead { row, lost_since }
    }

    fn read_task_executions(
        &self,
        project: &Project,
        found: AsOf<Page<TaskExecutionRow>>,
    ) -> Result<AsOf<Page<AsRead<TaskExecutionRow>>>, StoreError> {
        // One look a run: most pages are of one, and few of their rows run.
        let mut lost: HashMap<ExecutionId, Option<Timestamp>> = HashMap::new();
        for row in &found.value.rows {
            if row.status != TaskStatus::Running || lost.contains_key(&row.execution_id) {
                continue;
            }
            let mut lost_since = self.live.lost_since(project, &row.execution_id);
            if lost_since.is_some() {
                let execution = self.store.execution(project, &row.execution_id)?.value;
                lost_since = lost_since
                    .filter(|_| execution.is_some_and(|row| row.status == ExecutionStatus::Running));
            }
            lost.insert(row.execution_id.clone(), lost_since);
        }
        Ok(map_page(found, |row| {
            let lost_since = lost.get(&row.execution_id).copied().flatten();
            match lost_since.filter(|_| row.status == TaskStatus::Running) {
                Some(since) => AsRead { row: liveness::lost_task_execution(row), lost_since: Some(since) },
                None => AsRead { row, lost_since: None },
            }
        }))
    }

    fn count_lost(&self, project: &Project, query: &MetricsQuery) -> Result<u64, StoreError> {
        let lost = self.live.silent(project);
        if lost.is_empty() || query.task_id.is_some() {
            return Ok(0);
        }
        let filter = ExecutionFilter {
            workflow_name: query.workflow_name.clone(),
            status: vec![ExecutionStatus::Lost],
            lost,
            started_after: query.from,
            started_before: query.until,
            ..ExecutionFilter::default()
        };
        let mut query = ExecutionQuery { filter, limit: PAGE, cursor: None };
        let mut count = 0;
        loop {
            let page = self.store.executions(project, &query)?.value;
            count += page.rows.len() as u64;
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(count),
            }
        }
    }
}

fn map_page<T, U>(found: AsOf<Page<T>>, map: impl FnMut(T) -> U) -> AsOf<Page<U>> {
    let rows = found.value.rows.into_iter().map(map).collect();
    AsOf { value: Page { rows, next: found.value.next }, as_of_seq: found.as_of_seq }
}
