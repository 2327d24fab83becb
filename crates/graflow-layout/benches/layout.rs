//! How long a layout takes, in milliseconds: the best of some rounds, beside what is allowed.
//!
//! `cargo bench -p graflow-layout`; in `cargo test --benches` each shape is laid out once, and nothing is measured.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use graflow_layout::{Edge, Graph, Node, layout};

fn graph(nodes: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Graph {
    let nodes = (0..nodes).map(|place| Node::card(format!("task_{place}"), 208.0, 64.0)).collect();
    let edges = edges.into_iter().map(|(source, target)| Edge { source, target }).collect();
    Graph::new(nodes, edges).unwrap()
}

/// Layers of about the same size; each node follows one of the layer before, and half of them another one of the three
/// layers before.
fn layered(nodes: usize) -> Graph {
    let width = nodes.isqrt();
    let mut random = fastrand::Rng::with_seed(7);
    let mut edges = Vec::new();
    for node in width..nodes {
        let layer = node / width;
        edges.push(((layer - 1) * width + random.usize(..width), node));
        if random.bool() {
            let before = layer.saturating_sub(random.usize(1..4));
            edges.push((before * width + random.usize(..width), node));
        }
    }
    graph(nodes, edges.into_iter().filter(|(source, target)| source / width < target / width))
}

fn chain(nodes: usize) -> Graph {
    graph(nodes, (1..nodes).map(|node| (node - 1, node)))
}

fn fan(nodes: usize) -> Graph {
    graph(nodes, (1..nodes - 1).flat_map(|node| [(0, node), (node, nodes - 1)]))
}

fn measure(name: &str, budget_ms: Option<u32>, rounds: u32, mut run: impl FnMut()) {
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
    }
    if rounds > 1 {
        let budget = budget_ms.map_or(String::new(), |budget| format!("  (allowed: {budget} ms)"));
        println!("{name:44} {:9.2} ms{budget}", best.as_secs_f64() * 1e3);
    }
}

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 5 } else { 1 };
    let fresh = |name: &str, budget_ms, graph: &Graph| {
        measure(name, budget_ms, rounds, || {
            black_box(layout(black_box(graph), None));
        });
    };
    fresh("500 nodes, 750 edges", Some(20), &layered(500));
    fresh("10,000 nodes, 15,000 edges", None, &layered(10_000));
    fresh("50,000 nodes, 75,000 edges", Some(1_000), &layered(50_000));
    fresh("a fan of 10,000", Some(1_000), &fan(10_002));
    fresh("a chain of 10,000", Some(1_000), &chain(10_000));
    for (name, before) in [("layered", layered(10_000)), ("chain", chain(10_000)), ("fan", fan(10_000))] {
        let picture = layout(&before, None);
        let mut nodes = before.nodes().to_vec();
        nodes.push(Node::card("new", 208.0, 64.0));
        let mut edges = before.edges().to_vec();
        edges.push(Edge { source: 5_000, target: 10_000 });
        let after = Graph::new(nodes, edges).unwrap();
        measure(&format!("one more node on 10,000 ({name})"), Some(5), rounds, || {
            black_box(layout(black_box(&after), Some(&picture)));
        });
    }
}
