use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::analysis::{history, profile, usual};
use graflow_model::{Project, WorkflowName};
use graflow_wire::{ErrorBody, Profile, TaskProfile, seconds};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadErrors;
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Name, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProfileParameters {
    /// Completed runs to look at, the newest; 20 when not said.
    #[param(minimum = 1, maximum = 50)]
    executions: Option<usize>,
}

/// Where the time of a workflow goes, over its newest completed runs
#[utoipa::path(
    get,
    path = "/api/workflows/{name}/profile",
    tag = "workflows",
    params(("name" = String, Path, description = "The workflow's name."), ProfileParameters),
    responses(
        (status = 200, description = "The profile; without completed runs it is empty.", body = Profile),
        (status = 404, description = "There is no such workflow.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_workflow_profile(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(name): Name,
    Parameters(parameters): Parameters<ProfileParameters>,
) -> Result<Json<Profile>, ApiError> {
    let limit = parameters.executions.unwrap_or(history::RUNS_WITH_TASKS);
    if !(1..=history::RUNS).contains(&limit) {
        return Err(ApiError::bad_request(
            "bad_parameter",
            format!("executions: expected a whole number from 1 to {}", history::RUNS),
            "such as 20",
        ));
    }
    let answer = api.read(move |manager| {
        let workflow_name = WorkflowName::from(name.as_str());
        let runs = manager.completed_runs(&project, &workflow_name, None, limit)?;
        if runs.value.is_empty() {
            let one = graflow_lineage::store::NameQuery { name: Some(name), limit: 1, cursor: None };
            if manager.workflows(&project, &one)?.value.rows.is_empty() {
                return Ok(None);
            }
        }
        let runs_as_of = runs.as_of_seq;
        let looked_at = manager.runs_with_tasks(&project, runs.value)?;
        let runs = looked_at.rows;
        let durations: Vec<_> = runs.iter().filter_map(|run| Some(run.execution.duration?.micros)).collect();
        let found = profile(&runs);
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { seconds(part) / seconds(whole) };
        let tasks = found.tasks.into_iter().map(|task| TaskProfile {
            task: task.task,
            is_family: task.is_family,
            executions: task.executions,
            retried: task.retried,
            total: seconds(task.work_us),
            wall_share: share(task.work_us, found.wall_us),
            critical_share: share(task.critical_us, task.critical_total_us),
            queued: seconds(task.queued_us),
            expected: convert::expected(&task.usual),
        });
        Ok(Some(Profile {
            workflow_name,
            executions: runs.len() as u64,
            from: runs.iter().map(|run| run.execution.start_time).min(),
            until: runs.iter().map(|run| run.execution.start_time).max(),
            expected: convert::expected(&usual(&durations)),
            wall: seconds(found.wall_us),
            working: seconds(found.working_us),
            queued: seconds(found.queued_us),
            idle: seconds(found.idle_us),
            work: seconds(found.work_us),
            tasks: tasks.collect(),
            parallelism: found.parallelism,
            is_cut: looked_at.is_cut,
            as_of_seq: runs_as_of,
        }))
    });
    let hint = "GET /api/workflows lists what is there";
    answer.await?.map(Json).ok_or_else(|| ApiError::not_found("Workflow", hint))
}
