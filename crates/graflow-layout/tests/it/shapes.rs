//! Shapes that people know.

use graflow_layout::{Edge, Graph, Node, Picture, layout};

fn cards(count: usize, edges: &[(usize, usize)]) -> (Graph, Picture) {
    let nodes = (0..count).map(|place| Node::card(format!("n{place}"), 208.0, 64.0)).collect();
    let edges = edges.iter().map(|&(source, target)| Edge { source, target }).collect();
    let graph = Graph::new(nodes, edges).unwrap();
    let picture = layout(&graph, None);
    (graph, picture)
}

fn line(picture: &Picture, node: usize) -> f64 {
    picture.nodes[node].center().y
}

/// Whether two numbers are the same but for rounding.
fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1.0
}

#[test]
fn a_chain_is_one_line() {
    let (_, picture) = cards(5, &[(0, 1), (1, 2), (2, 3), (3, 4)]);
    assert!((1..5).all(|node| near(line(&picture, node), line(&picture, 0))));
}

#[test]
fn a_diamond_is_even() {
    let (_, picture) = cards(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
    assert!(near(line(&picture, 0), line(&picture, 3)));
    assert!(near(line(&picture, 0), f64::midpoint(line(&picture, 1), line(&picture, 2))));
    assert!(line(&picture, 1) < line(&picture, 2), "what is declared first is above");
}

/// The loop's arc runs above, and does not bend the chain.
#[test]
fn a_loop_is_an_arc_above_its_chain() {
    let (_, picture) = cards(4, &[(0, 1), (1, 2), (2, 1), (2, 3), (3, 0), (1, 1)]);
    assert!((1..4).all(|node| near(line(&picture, node), line(&picture, 0))));
    let back: Vec<_> = picture.edges.iter().map(|route| route.is_back).collect();
    assert_eq!(back, [false, false, true, false, true, true]);
    for route in [&picture.edges[2], &picture.edges[4]] {
        assert!(route.label.y < picture.nodes[0].y, "{route:?}");
    }
    // What a node does again by itself is below it.
    assert!(picture.edges[5].label.y > picture.nodes[1].bottom());
}

/// A person can look at it: rows, not a line of two million pixels. Each node is right of the one before, or begins a row.
#[test]
fn a_long_chain_is_folded() {
    let edges: Vec<_> = (1..10_000).map(|node| (node - 1, node)).collect();
    let (_, picture) = cards(10_000, &edges);
    assert!((1.0..4.0).contains(&(picture.bounds.width / picture.bounds.height)), "{:?}", picture.bounds);
    for pair in picture.nodes.windows(2) {
        assert!(pair[0].right() < pair[1].x || pair[0].bottom() < pair[1].y);
    }
}

/// Tasks that nothing joins are a grid.
#[test]
fn what_nothing_joins_is_a_grid() {
    let (_, picture) = cards(40, &[]);
    assert!((0.8..3.0).contains(&(picture.bounds.width / picture.bounds.height)), "{:?}", picture.bounds);
}

#[test]
fn a_fan_of_ten_thousand_stands_in_one_column() {
    let edges: Vec<_> = (1..=10_000).flat_map(|node| [(0, node), (node, 10_001)]).collect();
    let (_, picture) = cards(10_002, &edges);
    for pair in picture.nodes[1..=10_000].windows(2) {
        assert!(pair[0].bottom() < pair[1].y, "in the order of their declaration");
    }
    assert!(near(line(&picture, 0), line(&picture, 10_001)));
}
