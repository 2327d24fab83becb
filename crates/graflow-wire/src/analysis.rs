use graflow_model::{ExecutionId, Seq, TaskExecutionId, TaskId, WorkflowName};
use serde::{Deserialize, Serialize};

/// `GET /api/executions/{id}/analysis`: what determined how long it took, and whether that is usual
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Analysis {
    /// The run.
    pub execution_id: ExecutionId,
    /// Its workflow.
    pub workflow_name: WorkflowName,
    /// Seconds it took, or has been taking until now.
    pub duration: f64,
    /// What completed runs of the workflow took before it.
    pub expected: Expected,
    /// Whether it takes longer than these, by more than they differ among themselves; null when there are too
    /// few to say.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub slower: Option<bool>,
    /// The chain of task executions that took longest.
    pub critical_path: CriticalPath,
    /// Per task execution: by how much it could have been longer without the chain becoming longer.
    pub slack: Slack,
    /// Per task that has run.
    pub tasks: Vec<TaskAnalysis>,
    /// Whether only the first 50,000 task executions were looked at.
    pub is_cut: bool,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// What something usually takes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Expected {
    /// Seconds: the median; null without history.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub duration: Option<f64>,
    /// Seconds above which it counts as slower than usual; null when there is too little history.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub slower_above: Option<f64>,
    /// Of how many runs, or task executions, that is.
    pub history: u64,
}

/// The chain of task executions, each led to by the one before, that took longest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CriticalPath {
    /// Seconds of work on it.
    pub duration: f64,
    /// Seconds of the run in which nothing on it worked: queues, pauses, people.
    pub waiting: f64,
    /// The task executions, first to last.
    pub steps: Vec<CriticalStep>,
}

/// A task execution on the critical path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CriticalStep {
    /// The task execution.
    pub task_execution_id: TaskExecutionId,
    /// Its task.
    pub task_id: TaskId,
    /// The pass of the loop, from 0.
    pub iteration: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Seconds it adds to the path: less than it took where the next one began before it ended.
    pub seconds: f64,
}

/// Slack, in columns: the n-th value of each list belongs to the n-th task execution.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Slack {
    /// The task execution.
    pub task_execution_id: Vec<TaskExecutionId>,
    /// Seconds; 0 on the critical path.
    pub seconds: Vec<f64>,
}

/// A task in this run, beside what it usually takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskAnalysis {
    /// The task.
    pub task_id: TaskId,
    /// Task executions that have ended.
    pub executions: u64,
    /// Seconds, over all of them.
    pub total: f64,
    /// Seconds that the longest took.
    pub longest: f64,
    /// Seconds it adds to the critical path.
    pub critical: f64,
    /// What a completed task execution of it took in earlier runs.
    pub expected: Expected,
    /// Whether its longest took longer than usual; null when there is too little history.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub slower: Option<bool>,
}
