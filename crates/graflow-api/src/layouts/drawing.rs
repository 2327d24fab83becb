//! The graph of a run as one SVG file, for notebooks and documents.

use std::fmt::Write as _;

use graflow_layout::{Picture, Rect, Route, layout};
use graflow_model::row::Graph;
use graflow_model::{NodeKind, TaskStatus};

use super::scene::{Folding, Scene, SceneEdge, SceneNode};

/// Around the picture.
const MARGIN: f64 = 24.0;
/// So many characters of a name fit on a card.
const NAME_CHARS: usize = 19;

/// Light and dark, by what the reader's system says. A file that needs nothing from elsewhere: fonts are the system's. Colours are
/// written out, because not every program that shows SVG knows variables.
const STYLE: &str = "
svg{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
.name{font-weight:600}.soft,.count{font-size:12px}.count{text-anchor:middle;stroke-width:4px;paint-order:stroke}
.edge,.mark{fill:none}.declared{stroke-dasharray:5 4}.dynamic{stroke-dasharray:5 3}
.mark{stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.paper{fill:#ffffff}.card{fill:#ffffff;stroke:#cfd6e0}.frame{fill:#f5f7fa;stroke:#cfd6e0}
.name{fill:#1b2430}.soft{fill:#5b6878}.edge{stroke:#8591a3}.back{stroke:#a35a00}
.tip{fill:#8591a3}.back-tip{fill:#a35a00}.count{fill:#5b6878;stroke:#ffffff}.back-count{fill:#a35a00}
.completed{stroke:#1a7f4b}.running,.queued{stroke:#1f6feb}.failed{stroke:#c62f3b}
.waiting{stroke:#8a5a00}.lost{stroke:#8b3fc7}.pending,.skipped,.cancelled{stroke:#66717f}
@media(prefers-color-scheme:dark){
.paper{fill:#10151c}.card{fill:#1a212b;stroke:#354152}.frame{fill:#151b24;stroke:#354152}
.name{fill:#e6ebf2}.soft{fill:#9aa8ba}.edge{stroke:#7788a0}.back{stroke:#e09b4a}
.tip{fill:#7788a0}.back-tip{fill:#e09b4a}.count{fill:#9aa8ba;stroke:#10151c}.back-count{fill:#e09b4a}
.completed{stroke:#4cc38a}.running,.queued{stroke:#6cb0ff}.failed{stroke:#ff7b82}
.waiting{stroke:#e0a84a}.lost{stroke:#c795f5}.pending,.skipped,.cancelled{stroke:#96a3b3}
}
";

/// Draws the graph. `title` says what it is, to those who cannot see it too.
pub(crate) fn svg(graph: &Graph, folding: &Folding, title: &str) -> String {
    let scene = Scene::new(graph, folding);
    let picture = scene.graph().map(|graph| layout(&graph, None)).unwrap_or_default();
    let (x, y) = (picture.bounds.x - MARGIN, picture.bounds.y - MARGIN);
    let (width, height) = (picture.bounds.width + 2.0 * MARGIN, picture.bounds.height + 2.0 * MARGIN);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{x} {y} {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>{}</title><style>{STYLE}</style>\n<defs>{}{}</defs>\n<rect class=\"paper\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>\n",
        escaped(title),
        tip("tip"),
        tip("back-tip"),
    );
    write_all(&mut text, &scene, &picture);
    text.push_str("</svg>\n");
    text
}

fn write_all(text: &mut String, scene: &Scene, picture: &Picture) {
    let places = || scene.nodes.iter().zip(&picture.nodes);
    for (node, rect) in places().filter(|(node, _)| node.is_frame) {
        write_frame(text, node, *rect);
    }
    for (edge, route) in scene.edges.iter().zip(&picture.edges) {
        write_edge(text, edge, route);
    }
    for (node, rect) in places().filter(|(node, _)| !node.is_frame) {
        let group = scene.groups.iter().find(|group| group.id == node.id);
        let what = group.map(|group| format!("{} tasks", group.tasks));
        write_card(text, node, *rect, what.as_deref());
    }
}

fn tip(name: &str) -> String {
    format!(
        "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"{name}\" d=\"M0 .8L8 4L0 7.2z\"/></marker>"
    )
}

fn write_frame(text: &mut String, node: &SceneNode, rect: Rect) {
    let Rect { x, y, width, height } = rect;
    let _ = writeln!(
        text,
        "<rect class=\"frame\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>{}\
         <text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
        mark(node.status, x + 22.0, y + 21.0),
        x + 38.0,
        y + 25.0,
        escaped(&shortened(&node.label)),
    );
}

fn write_card(text: &mut String, node: &SceneNode, rect: Rect, what: Option<&str>) {
    let Rect { x, y, width, height } = rect;
    let outline = if node.kind == NodeKind::Dynamic { " dynamic" } else { "" };
    if what.is_some() {
        // A closed group is a stack of cards.
        let _ = write!(
            text,
            "<rect class=\"card\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\" rx=\"8\"/>",
            x + 6.0,
            y - 6.0,
            width - 12.0
        );
    }
    let status = what.map_or_else(|| node.status.to_string(), |what| format!("{what}, {}", node.status));
    let _ = writeln!(
        text,
        "<g><title>{} {status}</title><rect class=\"card{outline}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>{}\
         <text class=\"name\" x=\"{tx}\" y=\"{}\">{}</text><text class=\"soft\" x=\"{tx}\" y=\"{}\">{status}</text></g>",
        escaped(node.id.as_str()),
        mark(node.status, x + 24.0, y + height / 2.0),
        y + height / 2.0 - 4.0,
        escaped(&shortened(&node.label)),
        y + height / 2.0 + 14.0,
        tx = x + 44.0,
    );
}

fn write_edge(text: &mut String, edge: &SceneEdge, route: &Route) {
    let Some((first, rest)) = route.points.split_first() else { return };
    let mut way = format!("M{} {}", first.x, first.y);
    for curve in rest.chunks(3) {
        way.push('C');
        for (place, point) in curve.iter().enumerate() {
            let _ = write!(way, "{}{:.1} {:.1}", if place == 0 { "" } else { " " }, point.x, point.y);
        }
    }
    let (class, tip) = if route.is_back { (" back", "back-tip") } else { ("", "tip") };
    let declared = if edge.count == 0 { " declared" } else { "" };
    // Thick = taken often.
    let width = match edge.count {
        0 | 1 => "1.5",
        2..=9 => "2",
        10..=99 => "2.5",
        _ => "3",
    };
    let _ = writeln!(
        text,
        "<path class=\"edge{class}{declared}\" stroke-width=\"{width}\" marker-end=\"url(#{tip})\" d=\"{way}\"/>"
    );
    if edge.count > 1 || (route.is_back && edge.count > 0) {
        let class = if route.is_back { "count back-count" } else { "count" };
        let (x, y) = (route.label.x, route.label.y + 4.0);
        let _ = writeln!(text, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">×{}</text>", edge.count);
    }
}

/// A status as a shape: what colour alone would hide from some.
fn mark(status: TaskStatus, x: f64, y: f64) -> String {
    let shape = match status {
        TaskStatus::Completed => "M-5 0L-1.5 3.5L5 -4",
        TaskStatus::Failed => "M-4 -4L4 4M4 -4L-4 4",
        TaskStatus::Running => "M-3.5 -5L5 0L-3.5 5z",
        TaskStatus::Queued => "M-5 -3H5M-5 0H5M-5 3H5",
        TaskStatus::Waiting => "M-3 -5V5M3 -5V5",
        TaskStatus::Skipped => "M-5 -4L0 0L-5 4M0 -4L5 0L0 4",
        TaskStatus::Cancelled => "M-5 0H5",
        TaskStatus::Lost => "M-3 -2.5A3 3 0 1 1 0 1V2M0 5V5.01",
        TaskStatus::Pending => "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0",
    };
    format!("<path class=\"mark {status}\" transform=\"translate({x} {y})\" d=\"{shape}\"/>")
}

fn shortened(name: &str) -> String {
    let mut characters = name.chars();
    let mut short: String = characters.by_ref().take(NAME_CHARS).collect();
    if characters.next().is_some() {
        short.pop();
        short.push('…');
    }
    short
}

/// What may stand in an XML document: control characters may not, whatever they are written as.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            character if character.is_control() => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}
