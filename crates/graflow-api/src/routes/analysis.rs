use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::analysis::{analyse, history};
use graflow_model::{ExecutionId, Project};
use graflow_wire::{Analysis, CriticalPath, CriticalStep, ErrorBody, Slack, TaskAnalysis, seconds};

use super::ReadErrors;
use crate::convert;
use crate::error::ApiError;
use crate::extract::Name;
use crate::state::Api;

/// What determined how long an execution took, and whether that is usual
///
/// The critical path, slack, the durations of up to 50 completed runs before it, and those of their tasks.
#[utoipa::path(
    get,
    path = "/api/executions/{id}/analysis",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id.")),
    responses(
        (status = 200, description = "The analysis.", body = Analysis),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_analysis(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
) -> Result<Json<Analysis>, ApiError> {
    let id = ExecutionId::from(id);
    let answer = api.read(move |manager| {
        let found = manager.execution(&project, &id)?;
        let Some(run) = found.value.map(|read| read.row) else { return Ok(None) };
        let tasks = manager.all_task_executions(&project, &id, history::TASK_EXECUTIONS)?;
        let earlier =
            manager.completed_runs(&project, &run.workflow_name, Some(run.start_time), history::RUNS)?.value;
        let newest = earlier.iter().take(history::RUNS_WITH_TASKS).cloned().collect();
        let with_tasks = manager.runs_with_tasks(&project, newest)?;
        let rows = tasks.rows;
        let analysis = analyse(&run, &rows, &earlier, &with_tasks.rows, manager.clock().now());
        let path = &analysis.critical_path;
        let steps = path.steps.iter().map(|step| CriticalStep {
            task_execution_id: rows[step.row].task_execution_id.clone(),
            task_id: rows[step.row].task_id.clone(),
            iteration: rows[step.row].iteration,
            attempt: rows[step.row].attempt,
            seconds: seconds(step.micros),
        });
        let of_tasks = analysis.tasks.iter().map(|(id, task)| TaskAnalysis {
            task_id: id.clone(),
            executions: task.executions,
            total: seconds(task.work_us),
            longest: seconds(task.longest_us),
            critical: seconds(task.critical_us),
            expected: convert::expected(&task.usual),
            slower: task.usual.is_slower(task.longest_us),
        });
        Ok(Some(Analysis {
            execution_id: run.execution_id.clone(),
            workflow_name: run.workflow_name.clone(),
            duration: seconds(analysis.duration_us),
            expected: convert::expected(&analysis.usual),
            slower: analysis.usual.is_slower(analysis.duration_us),
            critical_path: CriticalPath {
                duration: seconds(path.micros),
                waiting: seconds(analysis.duration_us.saturating_sub(path.micros)),
                steps: steps.collect(),
            },
            slack: Slack {
                task_execution_id: rows.iter().map(|row| row.task_execution_id.clone()).collect(),
                seconds: path.slack.iter().map(|micros| seconds(*micros)).collect(),
            },
            tasks: of_tasks.collect(),
            is_cut: tasks.is_cut,
            as_of_seq: found.as_of_seq,
        }))
    });
    answer.await?.map(Json).ok_or_else(ApiError::execution_not_found)
}
