use std::collections::BTreeMap;

use graflow_model::event::SourceLocation;
use graflow_model::row::{self, Taken};
use graflow_model::{EdgeKind, ExecutionId, NodeKind, Seq, TaskExecutionId, TaskId, TaskStatus, Timestamp};
use serde::{Deserialize, Serialize};

use crate::seconds::span_seconds;

/// `GET /api/graph/current` and `GET /api/executions/{id}/graph`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Graph {
    /// The tasks and parallel groups, in the order of their declaration.
    pub nodes: Vec<Node>,
    /// The ways between them, ordered by source and target.
    pub edges: Vec<Edge>,
    /// Whose graph it is; null when nothing has run yet.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub execution_id: Option<ExecutionId>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// A node: a task, or a parallel group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Node {
    /// The task, or the parallel group.
    pub id: TaskId,
    /// What is known of it.
    pub data: NodeData,
}

/// What is known of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeData {
    /// The type, in the language's own words; null when no producer said it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_type: Option<String>,
    /// Where it stands.
    pub status: TaskStatus,
    /// When it was declared, or first seen.
    pub created_at: Timestamp,
    /// The attempt that runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_execution: Option<TaskExecutionId>,
    /// Seconds that the latest attempt took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_duration: Option<f64>,
    /// What went wrong in the latest attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The type of that error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<String>,
    /// How it came to be.
    pub kind: NodeKind,
    /// The parallel group it is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<TaskId>,
    /// Of a group: its members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<TaskId>>,
    /// The declared function of a dynamic task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The engine's own name for it, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// Where its code stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLocation>,
    /// The first paragraph of its documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// Task executions, all attempts counted.
    pub executions: u64,
    /// Passes of a loop it made; 0 when it never ran.
    pub iterations: u32,
    /// Attempts that were tried again.
    pub retried: u64,
    /// Attempts by where they stand.
    pub by_status: BTreeMap<TaskStatus, u64>,
}

/// A way from one node to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Edge {
    /// Where it leaves.
    pub source: TaskId,
    /// Where it arrives.
    pub target: TaskId,
    /// What is known of it.
    pub data: EdgeData,
}

/// What is known of an edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EdgeData {
    /// How it came to be.
    pub kind: EdgeKind,
    /// Times it was taken; 0 = declared only.
    pub count: u64,
    /// Times it was taken, by how.
    pub taken: Taken,
}

impl From<row::NodeRow> for Node {
    fn from(row: row::NodeRow) -> Self {
        let (error, error_type) =
            row.error.map_or((None, None), |error| (Some(error.message), Some(error.error_type)));
        let data = NodeData {
            task_type: row.task_type,
            status: row.status,
            created_at: row.created_at,
            current_execution: row.current_execution,
            last_duration: span_seconds(row.last_duration.as_ref()),
            error,
            error_type,
            kind: row.kind,
            group: row.group,
            members: (row.kind == NodeKind::Group).then_some(row.members),
            family: row.family,
            native_id: row.native_id,
            source: row.source,
            doc: row.doc,
            executions: row.executions,
            iterations: row.iterations,
            retried: row.retried,
            by_status: row.by_status,
        };
        Self { id: row.id, data }
    }
}

impl From<row::EdgeRow> for Edge {
    fn from(row: row::EdgeRow) -> Self {
        let data = EdgeData { kind: row.kind, count: row.count, taken: row.taken };
        Self { source: row.source, target: row.target, data }
    }
}
