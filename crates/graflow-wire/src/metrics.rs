use std::collections::BTreeMap;

use graflow_model::{ExecutionStatus, Seq, Timestamp};
use serde::{Deserialize, Serialize};

use crate::LlmTotals;

/// `GET /api/metrics/summary`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricsSummary {
    /// Executions.
    pub total_executions: u64,
    /// Their task executions, attempts that were tried again left out.
    pub total_tasks: u64,
    /// Of these, completed.
    pub completed_tasks: u64,
    /// Of these, failed.
    pub failed_tasks: u64,
    /// `completed_tasks / total_tasks`; 0 when there are none.
    pub success_rate: f64,
    /// Mean seconds over the task executions that have a duration; 0 when there are none.
    pub average_task_duration: f64,
    /// Attempts that were tried again.
    pub retried_tasks: u64,
    /// Executions by where they stand.
    pub executions_by_status: BTreeMap<ExecutionStatus, u64>,
    /// How long task executions take.
    pub task_duration: DurationStatistics,
    /// Sums over the model calls of these executions; of these task executions, where a task is asked for.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub llm: LlmTotals,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// How long things take, in seconds; null when there are none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DurationStatistics {
    /// The fastest.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub min: Option<f64>,
    /// Mean.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub mean: Option<f64>,
    /// Median.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub p50: Option<f64>,
    /// Nine of ten are faster.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub p90: Option<f64>,
    /// Nineteen of twenty are faster.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub p95: Option<f64>,
    /// Ninety-nine of a hundred are faster.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub p99: Option<f64>,
    /// The slowest.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub max: Option<f64>,
}

/// `GET /api/metrics/series`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Series {
    /// Oldest first; buckets in which nothing began are left out.
    pub points: Vec<SeriesPoint>,
    /// Seconds a bucket.
    pub bucket: f64,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// One bucket of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesPoint {
    /// Where the bucket begins.
    pub time: Timestamp,
    /// Executions that began in it.
    pub executions: u64,
    /// Of these, failed.
    pub failed_executions: u64,
    /// Task executions that began in it, attempts that were tried again left out.
    pub total_tasks: u64,
    /// Of these, completed.
    pub completed_tasks: u64,
    /// Of these, failed.
    pub failed_tasks: u64,
    /// Attempts that were tried again.
    pub retried_tasks: u64,
    /// How long they took.
    pub task_duration: DurationStatistics,
}
