use std::collections::BTreeMap;

use graflow_model::{EdgeKind, ExecutionId, NodeKind, Seq, TaskId, TaskStatus};
use serde::{Deserialize, Serialize};

/// `GET /api/executions/{id}/layout`: where everything of the graph stands
///
/// Distances are in CSS pixels at a zoom of 1; x grows to the right, y downwards. Nodes and edges come as
/// columns: the n-th value of each list belongs to the n-th node or edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Layout {
    /// The run.
    pub execution_id: ExecutionId,
    /// Names this picture: pass it as `after`, and what stands keeps its place.
    pub version: String,
    /// The version that this answer changes: lists hold only what is new, moved or gone since then. Null: the
    /// lists hold everything, and whatever was shown before is to be thrown away.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub base: Option<String>,
    /// What holds the whole picture.
    pub bounds: Bounds,
    /// Cards: tasks, and groups that are collapsed.
    pub nodes: LayoutNodes,
    /// Every group, outer ones before those inside of them; always all of them.
    pub groups: Vec<LayoutGroup>,
    /// What stands between them.
    pub edges: LayoutEdges,
    /// Cards and groups of `base` that are no longer drawn, as they were.
    pub removed_nodes: Vec<TaskId>,
    /// Edges of `base` that are no longer drawn, as source and target.
    pub removed_edges: Vec<(TaskId, TaskId)>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bounds {
    /// Its left side.
    pub x: f64,
    /// Its top.
    pub y: f64,
    /// To the right side.
    pub width: f64,
    /// To the bottom.
    pub height: f64,
}

/// Cards, in columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayoutNodes {
    /// The task, or the group.
    pub id: Vec<TaskId>,
    /// The left side.
    pub x: Vec<f64>,
    /// The top.
    pub y: Vec<f64>,
    /// To the right side.
    pub width: Vec<f64>,
    /// To the bottom.
    pub height: Vec<f64>,
    /// How it came to be.
    pub kind: Vec<NodeKind>,
    /// Where it stands, at `as_of_seq`. A change of it alone is told by the live stream, not here.
    pub status: Vec<TaskStatus>,
    /// The group it is drawn in; null outside of all.
    pub group: Vec<Option<TaskId>>,
}

/// A group: a frame around its members, or one card when it is collapsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayoutGroup {
    /// The group. One that nobody declared, of many tasks alike, has the id of its first task after `family:`.
    pub id: TaskId,
    /// What to write on it.
    pub label: String,
    /// The group it is in.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub parent: Option<TaskId>,
    /// Whether it is one card; then it is also among the nodes.
    pub collapsed: bool,
    /// Its frame or card; null when a group around it is collapsed.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub bounds: Option<Bounds>,
    /// Tasks in it, those of inner groups counted.
    pub tasks: u64,
    /// The worst status in it.
    pub status: TaskStatus,
    /// These tasks by where they stand.
    pub by_status: BTreeMap<TaskStatus, u64>,
}

/// Edges, in columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayoutEdges {
    /// Where it leaves: a card or a group.
    pub source: Vec<TaskId>,
    /// Where it arrives.
    pub target: Vec<TaskId>,
    /// How it came to be.
    pub kind: Vec<EdgeKind>,
    /// Times it was taken, at `as_of_seq`; 0 = declared only. Of several edges drawn as one: their sum.
    pub count: Vec<u64>,
    /// Whether it leads back: it is drawn as an arc, and its count is that of the passes.
    pub back: Vec<bool>,
    /// Its way: x and y of where it begins, then for each cubic Bézier curve x and y of the two control points
    /// and of the end.
    pub route: Vec<Vec<f64>>,
    /// Where to write its count: x and y of the text's middle.
    pub label: Vec<(f64, f64)>,
}
