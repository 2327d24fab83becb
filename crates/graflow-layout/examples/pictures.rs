//! Draws some graphs as SVG files, to be looked at: `cargo run -p graflow-layout --example pictures -- FOLDER`; into
//! `target/pictures` when no folder is named.
#![expect(clippy::panic, reason = "a graph in this file that cannot be drawn is a fault of this file")]

use std::fmt::Write as _;

use graflow_layout::{Edge, Graph, Node, Picture, Shape, layout};

/// A graph by a line of text: `a>b>c; b>d` are edges, `name[a b c]` is a frame.
fn parse(text: &str) -> Graph {
    let mut nodes: Vec<Node> = Vec::new();
    let mut edges = Vec::new();
    let place = |name: &str, nodes: &mut Vec<Node>| {
        nodes.iter().position(|node| &*node.id == name).unwrap_or_else(|| {
            nodes.push(Node::card(name, 208.0, 64.0));
            nodes.len() - 1
        })
    };
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        if let Some((frame, members)) = part.split_once('[') {
            let frame = place(frame, &mut nodes);
            nodes[frame].shape = Shape::Frame;
            for member in members.trim_end_matches(']').split_whitespace() {
                let member = place(member, &mut nodes);
                nodes[member].frame = Some(frame);
            }
            continue;
        }
        let names: Vec<_> = part.split('>').map(|name| place(name.trim(), &mut nodes)).collect();
        edges.extend(names.windows(2).map(|pair| Edge { source: pair[0], target: pair[1] }));
    }
    Graph::new(nodes, edges).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn svg(graph: &Graph, picture: &Picture) -> String {
    let bounds = picture.bounds;
    let mut text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='{} {} {} {}' width='{}' height='{}' font-family='sans-serif' font-size='13'><defs><marker id='a' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'><path d='M0 0L8 4L0 8z' fill='#64748b'/></marker></defs><rect x='-9999' y='-9999' width='99999' height='99999' fill='#f8fafc'/>",
        bounds.x - 24.0,
        bounds.y - 24.0,
        bounds.width + 48.0,
        bounds.height + 48.0,
        bounds.width + 48.0,
        bounds.height + 48.0
    );
    for (node, rect) in graph.nodes().iter().zip(&picture.nodes) {
        let is_frame = node.shape == Shape::Frame;
        let (fill, dy) = if is_frame { ("#eef2f7", 24.0) } else { ("#ffffff", rect.height / 2.0 + 4.0) };
        let _ = write!(
            text,
            "<rect x='{}' y='{}' width='{}' height='{}' rx='8' fill='{fill}' stroke='#cbd5e1'/><text x='{}' y='{}'>{}</text>",
            rect.x,
            rect.y,
            rect.width,
            rect.height,
            rect.x + 16.0,
            rect.y + dy,
            node.id
        );
    }
    for route in &picture.edges {
        let Some((first, rest)) = route.points.split_first() else { continue };
        let mut path = format!("M{} {}", first.x, first.y);
        for curve in rest.chunks(3) {
            path.push('C');
            for point in curve {
                let _ = write!(path, " {} {}", point.x, point.y);
            }
        }
        let colour = if route.is_back { "#d97706" } else { "#64748b" };
        let _ = write!(
            text,
            "<path d='{path}' fill='none' stroke='{colour}' stroke-width='1.5' marker-end='url(#a)'/>"
        );
        if route.is_back {
            let _ = write!(
                text,
                "<text x='{}' y='{}' text-anchor='middle' font-size='11' fill='#b45309' stroke='#f8fafc' stroke-width='3' paint-order='stroke'>×7</text>",
                route.label.x,
                route.label.y + 4.0
            );
        }
    }
    text + "</svg>"
}

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/pictures".to_owned());
    std::fs::create_dir_all(&folder)?;
    let chain: Vec<_> = (0..60).map(|place| format!("step_{place}")).collect();
    let fan: Vec<_> = (0..18).map(|place| format!("split>work_{place}>join")).collect();
    let pictures = [
        ("diamond", "extract>validate>load; extract>enrich>load".to_owned()),
        (
            "twenty",
            "ingest>parse>clean>features>train>evaluate>publish; ingest>checksum>clean; parse>schema>validate>features; \
             raw_logs>parse; clean>dedupe>features; features>baseline>evaluate; evaluate>report>notify; evaluate>train; \
             publish>notify; train>checkpoint; clean>clean; validate>quarantine; config>train; config>baseline; report>archive; \
             publish>canary>rollout; rollout>canary"
                .to_owned(),
        ),
        ("agent", "plan>act>observe>reflect>answer; reflect>act; observe>plan; act>act; answer>save".to_owned()),
        (
            "groups",
            "fetch>checks>merge>publish; checks[lint types tests]; merge>inner; inner[a b deep]; deep[x y]; x>y; a>b; inner>publish; tests>report; fetch>report"
                .to_owned(),
        ),
        ("chain", chain.join(">")),
        ("fan", fan.join(";")),
        ("parts", "a>b>c; d>e; f>f; g>g; h>h; i>i; j>j; k>k; l>l".to_owned()),
    ];
    for (name, text) in pictures {
        let graph = parse(&text);
        std::fs::write(format!("{folder}/{name}.svg"), svg(&graph, &layout(&graph, None)))?;
    }
    Ok(())
}
