//! Findings about what ran, and how often.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use graflow_model::row::TaskExecutionRow;
use graflow_model::state::CauseKind;
use graflow_model::{ExecutionStatus, NodeKind, TaskExecutionId, TaskId, TaskStatus};
use serde_json::json;

use super::{Finding, FindingCode, Run};

pub(super) fn declared_never_ran(run: &Run<'_>) -> Vec<Finding> {
    // A run that failed, or was ended on purpose, leaves tasks behind as a matter of course.
    if !matches!(run.execution.status, ExecutionStatus::Completed | ExecutionStatus::MaxSteps) {
        return Vec::new();
    }
    let never = run.graph.nodes.iter().filter(|node| {
        node.kind != NodeKind::Group && node.executions == 0 && node.track_lineage && node.members.is_empty()
    });
    never
        .map(|node| Finding {
            code: FindingCode::DeclaredNeverRan,
            message: format!("`{}` was declared and never ran", node.id),
            evidence: json!({"task_id": node.id}),
        })
        .collect()
}

/// A successor that is no part of the loop itself should have waited for the last pass.
pub(super) fn successor_ran_inside_loop(run: &Run<'_>) -> Vec<Finding> {
    let by_id: HashMap<&TaskExecutionId, &TaskExecutionRow> =
        run.tasks.iter().map(|task| (&task.task_execution_id, task)).collect();
    let mut last_pass: HashMap<&TaskId, u32> = HashMap::new();
    for task in
        run.tasks.iter().filter(|task| task.causes.iter().any(|cause| cause.kind == CauseKind::Iteration))
    {
        let last = last_pass.entry(&task.task_id).or_default();
        *last = (*last).max(task.iteration);
    }
    if last_pass.is_empty() {
        return Vec::new();
    }
    let mut early: BTreeMap<(&TaskId, &TaskId), (u32, &TaskExecutionRow)> = BTreeMap::new();
    for task in &run.tasks {
        let led_here = task.causes.iter().filter(|cause| cause.kind == CauseKind::Successor);
        for from in led_here.filter_map(|cause| by_id.get(&cause.task_execution_id)) {
            let inside = last_pass.get(&from.task_id).is_some_and(|last| from.iteration < *last);
            if inside && from.task_id != task.task_id {
                early.entry((&from.task_id, &task.task_id)).or_insert((from.iteration, task));
            }
        }
    }
    early
        .into_iter()
        .filter(|((looping, successor), _)| !reaches(run, successor, looping))
        .map(|((looping, successor), (pass, task))| Finding {
            code: FindingCode::SuccessorRanInsideLoop,
            message: format!(
                "`{successor}` ran inside the loop of `{looping}`: with the result of pass {}, before the last",
                pass + 1
            ),
            evidence: json!({"task_id": successor, "loop_task_id": looping, "iteration": pass,
                "task_execution_id": task.task_execution_id}),
        })
        .collect()
}

/// Whether the graph leads from one task to another.
fn reaches(run: &Run<'_>, from: &TaskId, to: &TaskId) -> bool {
    let mut next: HashMap<&TaskId, Vec<&TaskId>> = HashMap::new();
    for edge in &run.graph.edges {
        next.entry(&edge.source).or_default().push(&edge.target);
    }
    let (mut open, mut seen) = (vec![from], HashSet::new());
    while let Some(task) = open.pop() {
        if task == to {
            return true;
        }
        if seen.insert(task) {
            open.extend(next.get(task).into_iter().flatten());
        }
    }
    false
}

/// First attempts of one pass, each led to by other tasks: the join did not wait for all of them.
pub(super) fn join_ran_n_times(run: &Run<'_>) -> Vec<Finding> {
    let task_of: HashMap<&TaskExecutionId, &TaskId> =
        run.tasks.iter().map(|task| (&task.task_execution_id, &task.task_id)).collect();
    let mut ways: BTreeMap<(&TaskId, u32), Vec<BTreeSet<&TaskId>>> = BTreeMap::new();
    for task in run.tasks.iter().filter(|task| task.status != TaskStatus::Skipped && task.attempt <= 1) {
        let sources: BTreeSet<&TaskId> = task
            .causes
            .iter()
            .filter(|cause| cause.kind == CauseKind::Successor)
            .filter_map(|cause| task_of.get(&cause.task_execution_id).copied())
            .collect();
        if !sources.is_empty() {
            ways.entry((&task.task_id, task.iteration)).or_default().push(sources);
        }
    }
    ways.into_iter()
        .filter_map(|((task_id, iteration), ways)| {
            let first = ways.first()?;
            let times = ways.len();
            if !ways.iter().skip(1).any(|other| other.is_disjoint(first)) {
                return None;
            }
            let sources: BTreeSet<_> = ways.into_iter().flatten().collect();
            Some(Finding {
                code: FindingCode::JoinRanNTimes,
                message: format!("`{task_id}` ran {times} times where its branches meet: once for each of them"),
                evidence: json!({"task_id": task_id, "iteration": iteration, "times": times, "sources": sources}),
            })
        })
        .collect()
}
