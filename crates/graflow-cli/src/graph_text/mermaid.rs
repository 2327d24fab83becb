use std::fmt::Write as _;

use graflow_model::{NodeKind, TaskStatus, label};
use graflow_wire::{Graph, Node};

use super::{drawn_edges, edge_label, is_top, members_of};
use crate::output::clean;

/// The graph as a Mermaid flowchart. Dotted lines were declared and never taken.
pub(crate) fn mermaid(graph: &Graph) -> String {
    let mut text = String::from("flowchart TD\n");
    for (place, node) in graph.nodes.iter().enumerate().filter(|(_, node)| is_top(graph, node)) {
        draw(&mut text, graph, place, node, 1);
    }
    for (source, target, edge) in drawn_edges(graph) {
        let line = if edge.data.count == 0 { "-.->" } else { "-->" };
        let label = edge_label(edge).map(|label| format!("|{label}|")).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  n{source} {line}{label} n{target}");
    }
    for status in TaskStatus::ALL {
        let places: Vec<String> = (graph.nodes.iter().enumerate())
            .filter(|(_, node)| node.data.status == *status && node.data.kind != NodeKind::Group)
            .map(|(place, _)| format!("n{place}"))
            .collect();
        if !places.is_empty() {
            let _ = writeln!(text, "  classDef {status} {}", look(*status));
            let _ = writeln!(text, "  class {} {status}", places.join(","));
        }
    }
    text
}

fn draw(text: &mut String, graph: &Graph, place: usize, node: &Node, depth: usize) {
    let indent = "  ".repeat(depth);
    if node.data.kind == NodeKind::Group && depth < 16 {
        let _ = writeln!(text, "{indent}subgraph n{place}[\"{}\"]", label::mermaid(&clean(node.id.as_str())));
        for (place, member) in members_of(graph, node) {
            draw(text, graph, place, member, depth + 1);
        }
        let _ = writeln!(text, "{indent}end");
    } else {
        let _ = writeln!(
            text,
            "{indent}n{place}[\"{}<br/>{}\"]",
            label::mermaid(&clean(node.id.as_str())),
            node.data.status
        );
    }
}

const fn look(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Completed => "fill:#e6f4ea,stroke:#1e7e34,color:#0b3d18",
        TaskStatus::Failed => "fill:#fdecea,stroke:#b3261e,color:#5c0f0a,stroke-width:3px",
        TaskStatus::Lost => "fill:#fdecea,stroke:#b3261e,color:#5c0f0a,stroke-dasharray:4",
        TaskStatus::Running => "fill:#e3f2fd,stroke:#0b63b0,color:#06335b",
        TaskStatus::Waiting | TaskStatus::Cancelled => "fill:#fff4e0,stroke:#a05a00,color:#4f2d00",
        TaskStatus::Pending | TaskStatus::Queued | TaskStatus::Skipped => {
            "fill:#f4f4f4,stroke:#767676,color:#333333,stroke-dasharray:4"
        }
    }
}
