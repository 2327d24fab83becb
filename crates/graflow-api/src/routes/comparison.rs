use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::analysis::{self, Side, compare, history};
use graflow_lineage::manager::{AsRead, LineageManager};
use graflow_lineage::store::StoreError;
use graflow_model::row::{DataFlow, ExecutionRow, TaskExecutionRow};
use graflow_model::{ExecutionId, Project};
use graflow_wire::{
    ComparedTask, Comparison, Difference, ErrorBody, TaskComparison, ValueComparison, seconds,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadErrors;
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Name, Parameters};
use crate::state::Api;

/// So many differences and values are answered.
const MOST: usize = 500;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ComparisonParameters {
    /// The execution to compare with; the newest run of the workflow that completed before it when not said.
    #[param(value_type = Option<String>)]
    with: Option<ExecutionId>,
}

/// What differs between two runs, the first difference on top
///
/// Code, inputs, values by content hash, which tasks ran, how they ended and how long they took.
#[utoipa::path(
    get,
    path = "/api/executions/{id}/compare",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), ComparisonParameters),
    responses(
        (status = 200, description = "The comparison; without a run to compare with its lists are empty.", body = Comparison),
        (status = 404, description = "One of the executions does not exist.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn compare_executions(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<ComparisonParameters>,
) -> Result<Json<Comparison>, ApiError> {
    let id = ExecutionId::from(id);
    let answer = api.read(move |manager| {
        let found = manager.execution(&project, &id)?;
        let Some(here) = found.value else { return Ok(None) };
        let there = if let Some(with) = &parameters.with {
            let Some(there) = manager.execution(&project, with)?.value else { return Ok(None) };
            Some(there)
        } else {
            let (name, until) = (&here.row.workflow_name, Some(here.row.start_time));
            let before = manager.completed_runs(&project, name, until, 1)?.value.into_iter().next();
            before.map(|row| AsRead { row, lost_since: None })
        };
        let mut comparison = Comparison {
            here: convert::execution(here.clone()),
            there: there.clone().map(convert::execution),
            duration_change: None,
            differences: Vec::new(),
            tasks: Vec::new(),
            values: Vec::new(),
            values_differing: 0,
            values_equal: 0,
            values_unknown: 0,
            is_cut: false,
            as_of_seq: found.as_of_seq,
        };
        if let Some(there) = there {
            let here = Read::new(manager, &project, here.row)?;
            let there = Read::new(manager, &project, there.row)?;
            comparison.is_cut = here.is_cut || there.is_cut;
            comparison.duration_change = duration_change(&here.execution, &there.execution);
            fill(&mut comparison, compare(here.side(), there.side(), manager.clock().now()));
        }
        Ok(Some(comparison))
    });
    answer.await?.map(Json).ok_or_else(ApiError::execution_not_found)
}

/// A run with all that is compared of it.
struct Read {
    execution: ExecutionRow,
    task_executions: Vec<TaskExecutionRow>,
    data: DataFlow,
    is_cut: bool,
}

impl Read {
    fn new(manager: &LineageManager, project: &Project, execution: ExecutionRow) -> Result<Self, StoreError> {
        let tasks =
            manager.all_task_executions(project, &execution.execution_id, history::TASK_EXECUTIONS)?;
        let data = manager.data_flow(project, &execution.execution_id)?.value.unwrap_or_default();
        Ok(Self { execution, task_executions: tasks.rows, data, is_cut: tasks.is_cut })
    }

    fn side(&self) -> Side<'_> {
        Side { execution: &self.execution, task_executions: &self.task_executions, data: &self.data }
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds: exact for 285 years")]
fn duration_change(here: &ExecutionRow, there: &ExecutionRow) -> Option<f64> {
    let (here, there) = (here.duration?.micros, there.duration?.micros);
    (there > 0).then(|| here as f64 / there as f64 - 1.0)
}

fn fill(comparison: &mut Comparison, found: analysis::Comparison) {
    comparison.values_differing = found.values.differing.len() as u64;
    comparison.values_equal = found.values.equal;
    comparison.values_unknown = found.values.unknown;
    comparison.differences = found.differences.into_iter().take(MOST).map(difference).collect();
    comparison.tasks = found
        .tasks
        .into_iter()
        .map(|task| TaskComparison {
            task: task.task,
            is_family: task.is_family,
            here: task.here.map(compared_task),
            there: task.there.map(compared_task),
        })
        .collect();
    comparison.values = found
        .values
        .differing
        .into_iter()
        .take(MOST)
        .map(|value| ValueComparison {
            channel: value.channel,
            key: value.key,
            version: value.version,
            here: value.here.map(Into::into),
            there: value.there.map(Into::into),
            versions_here: value.versions_here,
            versions_there: value.versions_there,
            is_origin: value.is_origin,
        })
        .collect();
}

fn difference(found: analysis::Difference) -> Difference {
    let (channel, key, version) = match found.value {
        Some((channel, key, version)) => (Some(channel), Some(key), Some(version)),
        None => (None, None, None),
    };
    Difference {
        kind: found.kind.as_str().to_owned(),
        message: found.message,
        task_id: found.task_id,
        channel,
        key,
        version,
        after: found.after_us.map(seconds),
    }
}

fn compared_task(task: analysis::TaskOfSide) -> ComparedTask {
    ComparedTask {
        executions: task.executions,
        retried: task.retried,
        failed: task.failed,
        status: task.status,
        total: seconds(task.work_us),
        longest: seconds(task.longest_us),
        critical: seconds(task.critical_us),
    }
}
