use graflow_model::{Seq, Timestamp, WorkflowName};
use serde::{Deserialize, Serialize};

use crate::analysis::Expected;

/// `GET /api/workflows/{name}/profile`: where the time goes, over the newest completed runs
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// The workflow.
    pub workflow_name: WorkflowName,
    /// Completed runs that were looked at.
    pub executions: u64,
    /// When the oldest of them began.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub from: Option<Timestamp>,
    /// When the newest of them began.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub until: Option<Timestamp>,
    /// What a run takes.
    pub expected: Expected,
    /// Seconds from start to end, over these runs.
    pub wall: f64,
    /// Of these: at least one task worked.
    pub working: f64,
    /// Of these: no task worked, and at least one was queued.
    pub queued: f64,
    /// Of these: no task worked and none was queued.
    pub idle: f64,
    /// Seconds of work, over all tasks: more than `working` where tasks run side by side.
    pub work: f64,
    /// The tasks (dynamic ones by family), that with the greatest share of the critical path first.
    pub tasks: Vec<TaskProfile>,
    /// Tasks at work at the same time, over the course of a run: the mean of the runs, in 50 equal parts from
    /// start to end.
    pub parallelism: Vec<f64>,
    /// Whether only the newest 50,000 task executions were looked at.
    pub is_cut: bool,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// A task, over these runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskProfile {
    /// The task; the family of dynamic ones.
    pub task: String,
    /// Whether `task` is a family.
    pub is_family: bool,
    /// Task executions.
    pub executions: u64,
    /// Attempts that were tried again.
    pub retried: u64,
    /// Seconds it worked.
    pub total: f64,
    /// Its share of the runs' wall time, from 0; above 1 where several run side by side.
    pub wall_share: f64,
    /// Its share of the runs' critical paths, from 0 to 1.
    pub critical_share: f64,
    /// Seconds it was queued.
    pub queued: f64,
    /// What one execution of it takes.
    pub expected: Expected,
}
