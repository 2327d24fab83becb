//! Findings about values.

use std::collections::{HashMap, HashSet};

use graflow_model::row::{TaskExecutionRow, WriteRow};
use graflow_model::value::is_hash_skipped;
use graflow_model::{Channel, EventId, Key, TaskExecutionId};
use serde_json::json;

use super::{Finding, FindingCode, Run};

/// Two members of one group wrote a key, and nobody read what the first one wrote.
pub(super) fn write_lost_in_merge(run: &Run<'_>) -> Vec<Finding> {
    let tasks: HashMap<&TaskExecutionId, &TaskExecutionRow> =
        run.tasks.iter().map(|task| (&task.task_execution_id, task)).collect();
    let read: HashSet<&EventId> =
        run.flow.reads.iter().filter_map(|read| read.write_event_id.as_ref()).collect();
    // Whose write these saw is not known: it may have been any of the key.
    let read_unknown: HashSet<(&Channel, &Key)> = run
        .flow
        .reads
        .iter()
        .filter(|read| read.write_event_id.is_none() && !read.missing)
        .map(|read| (&read.channel, &read.key))
        .collect();
    let writer = |write: &WriteRow| write.task_execution_id.as_ref().and_then(|id| tasks.get(id)).copied();
    let next_of_same_key = run.flow.writes.iter().zip(run.flow.writes.iter().skip(1));
    next_of_same_key
        .filter(|(one, next)| (&one.channel, &one.key) == (&next.channel, &next.key))
        .filter(|(one, next)| !one.system && !one.deleted && next.operation.is_none() && !is_same(one, next))
        .filter(|(one, _)| !read.contains(&one.event_id) && !read_unknown.contains(&(&one.channel, &one.key)))
        .filter_map(|(one, next)| {
            let (by, over) = (writer(one)?, writer(next)?);
            let beside = by.group.is_some() && by.group == over.group && by.causes == over.causes;
            (beside && by.task_execution_id != over.task_execution_id).then(|| Finding {
                code: FindingCode::WriteLostInMerge,
                message: format!(
                    "what `{}` wrote to `{}` was lost: `{}`, which ran beside it, wrote over it before anybody read it",
                    by.task_id, one.key, over.task_id
                ),
                evidence: json!({"channel": one.channel, "key": one.key, "version": one.version,
                    "task_id": by.task_id, "task_execution_id": by.task_execution_id,
                    "overwritten_by": over.task_execution_id}),
            })
        })
        .collect()
}

/// Whether two writes wrote one value, by what is known of it. A hash that was skipped tells nothing.
fn is_same(one: &WriteRow, other: &WriteRow) -> bool {
    one.hash == other.hash && !one.hash.as_deref().is_some_and(is_hash_skipped)
}

pub(super) fn unresolved_parameter(run: &Run<'_>) -> Vec<Finding> {
    let unresolved = run.flow.reads.iter().filter(|read| read.missing);
    unresolved
        .filter_map(|read| {
            let (task_id, parameter) = (read.task_id.as_ref()?, read.resolved_parameter.as_ref()?);
            Some(Finding {
                code: FindingCode::UnresolvedParameter,
                message: format!(
                    "`{task_id}` wanted `{parameter}`, and there was no `{}` to fill it with",
                    read.key
                ),
                evidence: json!({"task_id": task_id, "task_execution_id": read.task_execution_id,
                    "parameter": parameter, "channel": read.channel, "key": read.key}),
            })
        })
        .collect()
}
