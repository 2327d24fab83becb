//! Nodes and edges: a large graph is told in parts.

use graflow_model::event::{EdgeDeclaration, GraphChanged, NodeDeclaration, SourceLocation};
use graflow_model::{EventType, NodeKind, TaskId};

use super::part::Part;
use super::{KnownNode, OpenExecution, Out, cut};
use crate::sink::{GraphChange, NodeRecord};

impl Out<'_> {
    pub(super) fn graph_changed(&mut self, change: &GraphChange, open: &mut OpenExecution) {
        for node in &change.nodes {
            let group = node.group.and_then(|group| open.nodes.get(&group)).map(|group| group.id.clone());
            open.nodes.insert(node.number, KnownNode { id: TaskId::new(&*node.id), group });
        }
        let mut nodes = change.nodes.iter().map(|node| declaration(node, open)).peekable();
        let id_of = |number: &u32| open.nodes.get(number).map(|node| node.id.clone());
        let edges = change.edges.iter().filter_map(|edge| {
            let (source, target) = (id_of(&edge.source)?, id_of(&edge.target)?);
            Some(EdgeDeclaration { source, target, kind: edge.kind })
        });
        let mut edges = edges.peekable();
        while nodes.peek().is_some() || edges.peek().is_some() {
            let mut part = Part::default();
            let (nodes, edges) = (part.fill(&mut nodes), part.fill(&mut edges));
            self.event(EventType::GraphChanged, &GraphChanged { nodes, edges });
            // Nodes are shown in the order of the times at which they were declared.
            self.at.wall_us += 1;
        }
    }
}

fn declaration(node: &NodeRecord, open: &OpenExecution) -> NodeDeclaration {
    let known = open.nodes.get(&node.number);
    let mut declaration = NodeDeclaration::new(TaskId::new(&*node.id), node.kind);
    declaration.group = known.and_then(|known| known.group.clone());
    declaration.task_type =
        Some(if node.kind == NodeKind::Group { "ParallelGroup" } else { "Task" }.to_owned());
    if let Some(spec) = node.spec {
        let is_dynamic = node.kind == NodeKind::Dynamic || spec.name != &*node.id;
        declaration.family = is_dynamic.then(|| spec.name.to_owned());
        declaration.source = Some(SourceLocation { file: spec.file.to_owned(), line: spec.line });
        declaration.doc = (!spec.doc.is_empty()).then(|| cut(spec.doc.to_owned()));
        declaration.track_lineage = (!spec.track_lineage).then_some(false);
    }
    declaration
}
