//! Faults that no picture may have.

use graflow_layout::{Edge, Graph, Picture, Rect, Route, Shape};
use proptest::prelude::*;

/// A graph of cards and frames, as lists that can be changed before it is made.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// For each node: whether it is a frame, and the frame it is in.
    pub(crate) nodes: Vec<(bool, Option<usize>)>,
    pub(crate) edges: Vec<(usize, usize)>,
}

impl Draft {
    pub(crate) fn graph(&self) -> Graph {
        let node = |(place, (is_frame, frame)): (usize, &(bool, Option<usize>))| {
            let id = format!("n{place}");
            // Sizes differ, so that what holds only for equal ones is found.
            let card = graflow_layout::Node::card(id.clone(), 120.0 + [0.0, 40.0, 80.0][place % 3], 64.0);
            let node = if *is_frame { graflow_layout::Node::frame(id) } else { card };
            frame.map_or(node.clone(), |frame| node.within(frame))
        };
        let edges = self.edges.iter().map(|&(source, target)| Edge { source, target }).collect();
        Graph::new(self.nodes.iter().enumerate().map(node).collect(), edges).unwrap()
    }
}

/// Cards only: few enough layers that no row is folded.
pub(crate) fn flat(nodes: usize) -> impl Strategy<Value = Draft> {
    (1..=nodes).prop_flat_map(|count| {
        let edges = prop::collection::vec((0..count, 0..count), 0..count * 2);
        edges.prop_map(move |edges| Draft { nodes: vec![(false, None); count], edges })
    })
}

/// With frames in frames: a node may be in a frame that comes before it.
pub(crate) fn nested() -> impl Strategy<Value = Draft> {
    let nodes = prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<bool>()), 1..16);
    (nodes, prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..24))
        .prop_map(|(wanted, edges)| {
            let mut nodes: Vec<(bool, Option<usize>)> = Vec::new();
            for (is_frame, frame, is_inside) in wanted {
                let frames: Vec<_> = (0..nodes.len()).filter(|node| nodes[*node].0).collect();
                let frame = (is_inside && !frames.is_empty()).then(|| *frame.get(&frames));
                nodes.push((is_frame, frame));
            }
            let count = nodes.len();
            let edges = edges.iter().map(|(one, other)| (one.index(count), other.index(count))).collect();
            Draft { nodes, edges }
        })
}

/// Everything that can be wrong with a picture of the graph.
pub(crate) fn faults(graph: &Graph, picture: &Picture) -> Vec<String> {
    let mut faults = Vec::new();
    let nodes = graph.nodes();
    for (place, rect) in picture.nodes.iter().enumerate() {
        if ![rect.x, rect.y, rect.width, rect.height].iter().all(|value| value.is_finite()) {
            faults.push(format!("{place} is nowhere: {rect:?}"));
        }
        if let Some(frame) = nodes[place].frame
            && !picture.nodes[frame].contains(*rect)
        {
            faults.push(format!("{place} is not in its frame {frame}"));
        }
        for other in 0..place {
            if nodes[place].frame == nodes[other].frame && rect.overlaps(picture.nodes[other]) {
                faults.push(format!("{place} overlaps {other}: {rect:?} {:?}", picture.nodes[other]));
            }
        }
        if !picture.bounds.contains(*rect) {
            faults.push(format!("{place} is out of bounds"));
        }
    }
    for (edge, route) in graph.edges().iter().zip(&picture.edges) {
        faults.extend(faults_of_edge(graph, picture, *edge, route));
    }
    faults
}

fn faults_of_edge(graph: &Graph, picture: &Picture, edge: Edge, route: &Route) -> Vec<String> {
    let (source, target) = (picture.nodes[edge.source], picture.nodes[edge.target]);
    let name = format!("{} -> {}", edge.source, edge.target);
    let mut faults = Vec::new();
    let (Some(first), Some(last)) = (route.points.first(), route.points.last()) else {
        // Only between a frame and what is in it.
        if !is_inside(graph, edge.source, edge.target) && !is_inside(graph, edge.target, edge.source) {
            faults.push(format!("{name} is not drawn"));
        }
        return faults;
    };
    if route.points.len() % 3 != 1 {
        faults.push(format!("{name} is no row of curves"));
    }
    let touches = |rect: Rect, x: f64, y: f64| {
        rect.x - 0.1 <= x && x <= rect.right() + 0.1 && rect.y - 0.1 <= y && y <= rect.bottom() + 0.1
    };
    if !touches(source, first.x, first.y) || !touches(target, last.x, last.y) {
        faults.push(format!("{name} does not begin or end at its nodes"));
    }
    if !route.is_back
        && source.right() > target.x
        && graph.nodes()[edge.source].frame == graph.nodes()[edge.target].frame
    {
        faults.push(format!("{name} leads forward, to the left: {source:?} {target:?}"));
    }
    faults
}

pub(crate) fn is_inside(graph: &Graph, node: usize, frame: usize) -> bool {
    std::iter::successors(graph.nodes()[node].frame, |frame| graph.nodes()[*frame].frame)
        .any(|above| above == frame)
}

/// Cards that a straight piece of an edge runs through.
pub(crate) fn covered(graph: &Graph, picture: &Picture) -> Vec<String> {
    let mut faults = Vec::new();
    for (edge, route) in graph.edges().iter().zip(&picture.edges) {
        let ends: Vec<_> = route.points.iter().step_by(3).collect();
        for piece in ends.windows(2).filter(|piece| (piece[0].y - piece[1].y).abs() < 0.5) {
            let (left, right) = (piece[0].x.min(piece[1].x), piece[0].x.max(piece[1].x));
            for (place, rect) in picture.nodes.iter().enumerate() {
                let is_end = place == edge.source || place == edge.target;
                let is_hit = left < rect.right()
                    && rect.x < right
                    && rect.y < piece[0].y
                    && piece[0].y < rect.bottom();
                if !is_end && is_hit && matches!(graph.nodes()[place].shape, Shape::Card { .. }) {
                    faults.push(format!("{} -> {} runs through {place}", edge.source, edge.target));
                }
            }
        }
    }
    faults
}
