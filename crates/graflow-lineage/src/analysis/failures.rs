//! Failed runs, those of one cause together.

use std::collections::{BTreeSet, HashMap};

use graflow_model::row::ExecutionRow;
use graflow_model::{ExecutionId, TaskExecutionId, TaskId, Timestamp, WorkflowName};

use super::fingerprint;

/// Failed runs with one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureGroup {
    /// What they have in common.
    pub fingerprint: String,
    /// The error's type.
    pub error_type: String,
    /// The newest run's message.
    pub message: String,
    /// The newest run's task that failed.
    pub failed_task: Option<(TaskId, TaskExecutionId)>,
    /// The workflows in which it happened.
    pub workflow_names: BTreeSet<WorkflowName>,
    /// Failed runs.
    pub count: u64,
    /// When the oldest of them failed.
    pub first_seen: Timestamp,
    /// When the newest of them failed.
    pub last_seen: Timestamp,
    /// The newest of them.
    pub newest_execution_id: ExecutionId,
}

/// Groups failed runs by fingerprint; that with the newest failure comes first. Runs that say nothing of an error do not count.
pub fn group_failures<'a>(runs: impl IntoIterator<Item = &'a ExecutionRow>) -> Vec<FailureGroup> {
    let mut groups: HashMap<String, FailureGroup> = HashMap::new();
    for run in runs {
        let Some(error) = &run.error else { continue };
        let failed = run.end_time.unwrap_or(run.last_event_time);
        let name = fingerprint(error);
        let group = groups.entry(name.clone()).or_insert_with(|| FailureGroup {
            fingerprint: name,
            error_type: error.error_type.clone(),
            message: error.message.clone(),
            failed_task: run.failed_task.clone(),
            workflow_names: BTreeSet::new(),
            count: 0,
            first_seen: failed,
            last_seen: failed,
            newest_execution_id: run.execution_id.clone(),
        });
        group.count += 1;
        group.workflow_names.insert(run.workflow_name.clone());
        group.first_seen = group.first_seen.min(failed);
        if (failed, &run.execution_id) > (group.last_seen, &group.newest_execution_id) {
            group.last_seen = failed;
            group.message.clone_from(&error.message);
            group.failed_task.clone_from(&run.failed_task);
            group.newest_execution_id = run.execution_id.clone();
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups
        .sort_by(|one, other| (other.last_seen, &one.fingerprint).cmp(&(one.last_seen, &other.fingerprint)));
    groups
}
