//! The graph as text: Mermaid, DOT, and words.

use std::collections::HashMap;
use std::fmt::Write as _;

use graflow_model::label;

use super::graph::{Graph, VertexKind};

impl Graph {
    /// As a Mermaid flowchart; dotted arrows are back edges, dashed boxes are groups.
    pub(crate) fn mermaid(&self) -> String {
        let mut text = String::from("flowchart TD\n");
        for (number, vertex) in self.nodes() {
            let label = label::mermaid(&vertex.id);
            let (open, close) =
                if matches!(vertex.kind, VertexKind::Begin(_)) { ("{{", "}}") } else { ("[", "]") };
            let _ = writeln!(text, "    n{number}{open}\"{label}\"{close}");
        }
        for edge in &self.edges {
            let arrow = if edge.is_back { "-.->" } else { "-->" };
            let _ = writeln!(text, "    n{} {arrow} n{}", edge.source, edge.target);
        }
        text
    }

    /// As a graph for GraphViz.
    pub(crate) fn dot(&self, name: &str) -> String {
        let mut text = format!("digraph \"{}\" {{\n    node [shape=box];\n", label::dot(name));
        for (number, vertex) in self.nodes() {
            let shape = if matches!(vertex.kind, VertexKind::Begin(_)) { " shape=hexagon" } else { "" };
            let _ = writeln!(text, "    n{number} [label=\"{}\"{shape}];", label::dot(&vertex.id));
        }
        for edge in &self.edges {
            let style = if edge.is_back { " [style=dashed constraint=false]" } else { "" };
            let _ = writeln!(text, "    n{} -> n{}{style};", edge.source, edge.target);
        }
        text.push_str("}\n");
        text
    }

    /// In words: one line a node, with what follows it.
    pub(crate) fn info(&self, name: &str) -> String {
        let back = self.edges.iter().filter(|edge| edge.is_back).count();
        let groups = self.groups.len();
        let tasks = self.nodes().count() - groups;
        let mut text = format!(
            "workflow {name}: tasks {tasks}, groups {groups}, edges {}, back edges {back}\n",
            self.edges.len()
        );
        let mut next: HashMap<u32, Vec<String>> = HashMap::new();
        for edge in &self.edges {
            let target = &self.vertex(edge.target).id;
            let target = if edge.is_back { format!("{target} (back)") } else { target.to_string() };
            next.entry(edge.source).or_default().push(target);
        }
        for (number, vertex) in self.nodes() {
            let _ = match &vertex.kind {
                VertexKind::Begin(group) => {
                    let policy = self.groups[*group as usize].policy.shown();
                    write!(text, "  {} (group, {policy})", vertex.id)
                }
                _ => write!(text, "  {}", vertex.id),
            };
            if let Some(next) = next.get(&number) {
                let _ = write!(text, " >> {}", next.join(", "));
            }
            text.push('\n');
        }
        text
    }
}
