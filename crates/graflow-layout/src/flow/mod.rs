//! A graph without frames, laid out anew from left to right.

mod adjacency;
mod component;
mod cycles;
mod layered;
mod layers;
mod order;
mod pack;
mod pen;
mod place;
mod rows;

pub(crate) use adjacency::Adjacency;
use cycles::back_edges;
pub(crate) use pen::{Pass, back_route, direct_route, forward_route, self_loop};

use crate::picture::{Point, Rect, Route};

/// Between two cards, one above the other.
pub(crate) const NODE_GAP: f64 = 28.0;
/// Between a card and an edge that passes it.
pub(crate) const DUMMY_GAP: f64 = 18.0;
/// Between two edges that run side by side.
pub(crate) const EDGE_GAP: f64 = 12.0;
/// Above a card for each arc that leads back from or to it.
pub(crate) const BACK_LANE: f64 = 20.0;
/// Between two columns, at least.
pub(crate) const COLUMN_GAP: f64 = 72.0;
/// Between parts of a graph that nothing joins.
pub(crate) const PART_GAP: f64 = 40.0;

/// What is laid out: boxes by size, and edges between them, which may lead back to where they begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow<'a> {
    pub(crate) sizes: &'a [(f64, f64)],
    pub(crate) edges: &'a [(usize, usize)],
}

/// Where the boxes stand, and how the edges run.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Drawn {
    pub(crate) boxes: Vec<Rect>,
    pub(crate) routes: Vec<Route>,
}

/// Lays out the parts that nothing joins one by one, and packs them.
pub(crate) fn draw(flow: Flow<'_>) -> Drawn {
    let is_back = back_edges(flow.sizes.len(), flow.edges);
    let parts = Parts::new(flow);
    let mut drawn = Drawn {
        boxes: vec![Rect::default(); flow.sizes.len()],
        routes: vec![Route::default(); flow.edges.len()],
    };
    let mut local = vec![0; flow.sizes.len()];
    let mut pieces = Vec::with_capacity(parts.nodes.len());
    for (nodes, edges) in parts.nodes.iter().zip(&parts.edges) {
        for (place, node) in nodes.iter().enumerate() {
            local[*node] = place;
        }
        let sizes: Vec<_> = nodes.iter().map(|node| flow.sizes[*node]).collect();
        let ends: Vec<_> =
            edges.iter().map(|edge| (local[flow.edges[*edge].0], local[flow.edges[*edge].1])).collect();
        let back: Vec<_> = edges.iter().map(|edge| is_back[*edge]).collect();
        pieces.push(component::draw(&sizes, &ends, &back));
    }
    let shifts = pack::pack(&pieces.iter().map(Drawn::bounds).collect::<Vec<_>>());
    for (part, (piece, shift)) in pieces.into_iter().zip(shifts).enumerate() {
        for (node, rect) in parts.nodes[part].iter().zip(piece.boxes) {
            drawn.boxes[*node] = rect.moved(shift);
        }
        for (edge, route) in parts.edges[part].iter().zip(piece.routes) {
            drawn.routes[*edge] = route.moved(shift);
        }
    }
    drawn
}

impl Drawn {
    /// What holds boxes and edges, in whole pixels: so that what is moved by it is moved back exactly.
    pub(crate) fn bounds(&self) -> Rect {
        let routes = self.routes.iter().filter_map(Route::bounds);
        self.boxes.iter().copied().chain(routes).reduce(Rect::union).unwrap_or_default().rounded_out()
    }
}

/// The parts that nothing joins: those with several nodes first, in the order of their first nodes.
struct Parts {
    nodes: Vec<Vec<usize>>,
    edges: Vec<Vec<usize>>,
}

impl Parts {
    fn new(flow: Flow<'_>) -> Self {
        let count = flow.sizes.len();
        let out = Adjacency::new(count, flow.edges.iter().map(|(source, _)| *source));
        let into = Adjacency::new(count, flow.edges.iter().map(|(_, target)| *target));
        let mut part_of = vec![usize::MAX; count];
        let mut found: Vec<Vec<usize>> = Vec::new();
        for start in 0..count {
            if part_of[start] != usize::MAX {
                continue;
            }
            let part = found.len();
            part_of[start] = part;
            let mut nodes = vec![start];
            let mut next = 0;
            while let Some(&node) = nodes.get(next) {
                next += 1;
                let targets = out.of(node).iter().map(|edge| flow.edges[*edge].1);
                let sources = into.of(node).iter().map(|edge| flow.edges[*edge].0);
                for other in targets.chain(sources) {
                    if part_of[other] == usize::MAX {
                        part_of[other] = part;
                        nodes.push(other);
                    }
                }
            }
            nodes.sort_unstable();
            found.push(nodes);
        }
        let mut edges = vec![Vec::new(); found.len()];
        for (edge, (source, _)) in flow.edges.iter().enumerate() {
            edges[part_of[*source]].push(edge);
        }
        let mut parts: Vec<_> = found.into_iter().zip(edges).collect();
        parts.sort_by_key(|(nodes, _)| nodes.len() == 1);
        let (nodes, edges) = parts.into_iter().unzip();
        Self { nodes, edges }
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts of what fits into memory, far below 2^52")]
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}

/// The middle of two places.
pub(crate) fn middle(one: Point, other: Point) -> Point {
    Point::new(f64::midpoint(one.x, other.x), f64::midpoint(one.y, other.y))
}
