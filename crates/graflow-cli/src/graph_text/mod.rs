//! A graph in the languages of other programs.

mod dot;
mod mermaid;

pub(crate) use dot::dot;
pub(crate) use mermaid::mermaid;

use graflow_model::{EdgeKind, TaskId};
use graflow_wire::{Edge, Graph, Node};
use std::collections::HashMap;

/// The edges that are drawn, by the places of their ends; a member is drawn inside its group instead.
fn drawn_edges(graph: &Graph) -> Vec<(usize, usize, &Edge)> {
    let places: HashMap<&TaskId, usize> =
        graph.nodes.iter().enumerate().map(|(place, node)| (&node.id, place)).collect();
    graph
        .edges
        .iter()
        .filter(|edge| edge.data.kind != EdgeKind::GroupMember)
        .filter_map(|edge| Some((*places.get(&edge.source)?, *places.get(&edge.target)?, edge)))
        .collect()
}

/// The members of a group, by their places.
fn members_of<'a>(graph: &'a Graph, group: &'a Node) -> impl Iterator<Item = (usize, &'a Node)> {
    graph.nodes.iter().enumerate().filter(|(_, node)| node.data.group.as_ref() == Some(&group.id))
}

/// Whether a node stands at the top, outside of any group that is there.
fn is_top(graph: &Graph, node: &Node) -> bool {
    node.data.group.as_ref().is_none_or(|group| !graph.nodes.iter().any(|other| other.id == *group))
}

/// What an edge says beside its line: how often it was taken, when that is not once.
fn edge_label(edge: &Edge) -> Option<String> {
    let kind = match edge.data.kind {
        EdgeKind::Jump => Some("jump"),
        EdgeKind::Iteration => Some("iteration"),
        EdgeKind::Static | EdgeKind::Dynamic | EdgeKind::GroupMember => None,
    };
    match (kind, edge.data.count) {
        (None, 0 | 1) => None,
        (None, count) => Some(format!("x{count}")),
        (Some(kind), 0 | 1) => Some(kind.to_owned()),
        (Some(kind), count) => Some(format!("{kind} x{count}")),
    }
}
