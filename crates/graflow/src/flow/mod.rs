//! Flows: how tasks are composed, and the graph that they become.

mod compose;
mod graph;
mod lower;
mod names;
mod plan;
mod policy;
mod render;

pub use compose::{Flow, Group, IntoFlow, chain, parallel};
pub(crate) use graph::{Graph, GroupEdge, NO_GROUP, VertexKind, index};
pub(crate) use names::{
    RESULT_SUFFIX, check_execution_id, check_labels, check_task_name, check_workflow_name,
};
pub(crate) use plan::{Available, Plan, Source};
pub use policy::{AtLeast, BestEffort, Critical, GroupPolicy, MemberOutcome, Strict};
