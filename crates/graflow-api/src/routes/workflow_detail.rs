use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::analysis::{history, usual};
use graflow_lineage::store::{Cursor, ExecutionFilter, ExecutionQuery, NameQuery};
use graflow_model::{Project, WorkflowName};
use graflow_wire::{ErrorBody, WorkflowDetail};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ReadErrors, next_cursor};
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Limit, Name, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WorkflowDetailParameters {
    /// Runs of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One workflow, with its runs, newest first
#[utoipa::path(
    get,
    path = "/api/workflows/{name}",
    tag = "workflows",
    params(("name" = String, Path, description = "The workflow's name."), WorkflowDetailParameters),
    responses(
        (status = 200, description = "The workflow, and a page of its runs.", body = WorkflowDetail),
        (status = 404, description = "There is no such workflow.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_workflow(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(name): Name,
    Parameters(parameters): Parameters<WorkflowDetailParameters>,
) -> Result<Json<WorkflowDetail>, ApiError> {
    let one = NameQuery { name: Some(name.clone()), limit: 1, cursor: None };
    let workflow_name = WorkflowName::from(name);
    let filter = ExecutionFilter { workflow_name: Some(workflow_name.clone()), ..ExecutionFilter::default() };
    let runs = ExecutionQuery {
        filter,
        limit: parameters.limit.unwrap_or_default().0,
        cursor: parameters.cursor.map(Cursor),
    };
    let (workflow, runs, completed) = api
        .read(move |manager| {
            let workflow = manager.workflows(&project, &one)?;
            let completed = manager.completed_runs(&project, &workflow_name, None, history::RUNS)?;
            Ok((workflow, manager.executions(&project, runs)?, completed.value))
        })
        .await?;
    let durations: Vec<_> = completed.iter().filter_map(|run| Some(run.duration?.micros)).collect();
    let row = workflow.value.rows.into_iter().next();
    let row = row.ok_or_else(|| ApiError::not_found("Workflow", "GET /api/workflows lists what is there"))?;
    Ok(Json(WorkflowDetail {
        workflow: convert::workflow(row),
        executions: runs.value.rows.into_iter().map(convert::execution).collect(),
        expected: convert::expected(&usual(&durations)),
        next_cursor: next_cursor(runs.value.next),
        as_of_seq: workflow.as_of_seq.min(runs.as_of_seq),
    }))
}
