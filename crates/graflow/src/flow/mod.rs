//! Flows: how tasks are composed, and the graph that they become.

mod compose;
mod graph;
mod lower;
mod plan;
mod policy;
mod render;

pub use compose::{Flow, Group, IntoFlow, chain, parallel};
pub(crate) use graph::{Graph, GroupEdge, NO_GROUP, VertexKind, index};
pub(crate) use plan::{Available, Plan, Source};
pub use policy::{AtLeast, BestEffort, Critical, GroupPolicy, MemberOutcome, Strict};
