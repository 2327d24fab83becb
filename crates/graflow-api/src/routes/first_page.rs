//! An execution with a page of its task executions, as they first came: for the routes that show both.

use graflow_lineage::manager::AsRead;
use graflow_lineage::store::{AsOf, Cursor, Page, TaskExecutionQuery, TaskOrder};
use graflow_model::row::{ExecutionRow, TaskExecutionRow};
use graflow_model::{ExecutionId, Project};

use crate::error::ApiError;
use crate::extract::Limit;
use crate::state::Api;

/// Both, as of the same number at least.
pub(super) async fn execution_with_tasks(
    api: &Api,
    project: Project,
    id: ExecutionId,
    limit: Option<Limit>,
    cursor: Option<String>,
) -> Result<(AsRead<ExecutionRow>, AsOf<Page<AsRead<TaskExecutionRow>>>), ApiError> {
    let query = TaskExecutionQuery {
        execution_id: Some(id.clone()),
        task_id: None,
        workflow_name: None,
        status: Vec::new(),
        order: TaskOrder::Oldest,
        limit: limit.unwrap_or_default().0,
        cursor: cursor.map(Cursor),
    };
    let (execution, mut tasks) = api
        .read(move |manager| {
            // The tasks first: then the totals are never behind the rows.
            let tasks = manager.task_executions(&project, query)?;
            Ok((manager.execution(&project, &id)?, tasks))
        })
        .await?;
    tasks.as_of_seq = tasks.as_of_seq.min(execution.as_of_seq);
    Ok((execution.value.ok_or_else(ApiError::execution_not_found)?, tasks))
}
