use std::fmt::Write as _;

use graflow_model::{NodeKind, TaskStatus, label};
use graflow_wire::{Graph, Node};

use super::{drawn_edges, edge_label, is_top, members_of};
use crate::output::clean;

/// The graph for `dot`. Dotted lines were declared and never taken.
pub(crate) fn dot(graph: &Graph) -> String {
    let mut text = String::from(
        "digraph workflow {\n  compound=true;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n",
    );
    for (place, node) in graph.nodes.iter().enumerate().filter(|(_, node)| is_top(graph, node)) {
        draw(&mut text, graph, place, node, 1);
    }
    for (source, target, edge) in drawn_edges(graph) {
        let mut attributes = Vec::new();
        if edge.data.count == 0 {
            attributes.push("style=dotted".to_owned());
        }
        attributes.extend(edge_label(edge).map(|label| format!("label=\"{}\"", label::dot(&label))));
        // Dot's lines end at nodes: a group has one that is not seen, and the line is cut at the group's frame.
        for (place, end) in [(source, "ltail"), (target, "lhead")] {
            if graph.nodes[place].data.kind == NodeKind::Group {
                attributes.push(format!("{end}=cluster_n{place}"));
            }
        }
        let attributes =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  n{source} -> n{target}{attributes};");
    }
    text.push_str("}\n");
    text
}

fn draw(text: &mut String, graph: &Graph, place: usize, node: &Node, depth: usize) {
    let indent = "  ".repeat(depth);
    if node.data.kind == NodeKind::Group && depth < 16 {
        let _ = writeln!(
            text,
            "{indent}subgraph cluster_n{place} {{\n{indent}  label=\"{}\";",
            label::dot(&clean(node.id.as_str()))
        );
        let _ = writeln!(text, "{indent}  n{place} [shape=point, style=invis];");
        for (place, member) in members_of(graph, node) {
            draw(text, graph, place, member, depth + 1);
        }
        let _ = writeln!(text, "{indent}}}");
    } else {
        let label = label::dot(&format!("{}\n{}", clean(node.id.as_str()), node.data.status));
        let (fill, line) = look(node.data.status);
        let _ =
            writeln!(text, "{indent}n{place} [label=\"{label}\", fillcolor=\"{fill}\", color=\"{line}\"];");
    }
}

const fn look(status: TaskStatus) -> (&'static str, &'static str) {
    match status {
        TaskStatus::Completed => ("#e6f4ea", "#1e7e34"),
        TaskStatus::Failed | TaskStatus::Lost => ("#fdecea", "#b3261e"),
        TaskStatus::Running => ("#e3f2fd", "#0b63b0"),
        TaskStatus::Waiting | TaskStatus::Cancelled => ("#fff4e0", "#a05a00"),
        TaskStatus::Pending | TaskStatus::Queued | TaskStatus::Skipped => ("#f4f4f4", "#767676"),
    }
}
