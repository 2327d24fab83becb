//! A graph in layers: each edge that spans several is a chain of short ones.

use super::adjacency::Adjacency;
use super::{BACK_LANE, DUMMY_GAP, EDGE_GAP, NODE_GAP};

/// Vertices are the nodes, and after them the dummies that long edges run through.
#[derive(Debug)]
pub(crate) struct Layered {
    /// How many vertices are nodes.
    pub(crate) nodes: usize,
    /// The layer of each vertex.
    pub(crate) layer_of: Vec<usize>,
    /// The vertices of each layer, from top to bottom.
    pub(crate) layers: Vec<Vec<usize>>,
    /// The place of each vertex in its layer.
    pub(crate) place: Vec<usize>,
    /// From each vertex's line to its top, and to its bottom.
    pub(crate) extent: Vec<(f64, f64)>,
    /// Short edges: a vertex, and one in the next layer.
    pub(crate) segments: Vec<(usize, usize)>,
    /// Segments that a vertex should not be put in line with: the ends of back edges.
    pub(crate) is_loose: Vec<bool>,
    /// Segments that arrive from the layer before, by vertex.
    pub(crate) before: Adjacency,
    /// Segments that lead to the next layer, by vertex.
    pub(crate) after: Adjacency,
    /// The dummies of each edge, in the direction of the layers. None: it is too long to be drawn around others.
    pub(crate) chains: Vec<Option<std::ops::Range<usize>>>,
}

/// An edge as it is laid out: from the earlier layer to the later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) early: usize,
    pub(crate) late: usize,
    pub(crate) is_back: bool,
}

impl Layered {
    /// `heights` and `layer_of` of the nodes; spans must lead from an earlier layer to a later one.
    pub(crate) fn new(heights: &[f64], layer_of: Vec<usize>, spans: &[Span], self_loops: &[usize]) -> Self {
        let nodes = heights.len();
        let mut extent: Vec<_> = heights.iter().map(|height| (height / 2.0, height / 2.0)).collect();
        for &node in self_loops {
            extent[node].1 = heights[node] / 2.0 + BACK_LANE * 1.5;
        }
        for span in spans.iter().filter(|span| span.is_back) {
            for node in [span.early, span.late] {
                extent[node].0 = extent[node].0.max(heights[node] / 2.0 + BACK_LANE);
            }
        }
        let limit = longest_chain(nodes, &layer_of, spans);
        let (mut layer_of, mut segments, mut is_loose) = (layer_of, Vec::new(), Vec::new());
        let mut chains = Vec::with_capacity(spans.len());
        for span in spans {
            let (from, to) = (layer_of[span.early], layer_of[span.late]);
            if to - from > limit {
                chains.push(None);
                continue;
            }
            let first = layer_of.len();
            let mut last = span.early;
            for layer in from + 1..to {
                let dummy = layer_of.len();
                layer_of.push(layer);
                extent.push((0.0, 0.0));
                segments.push((last, dummy));
                is_loose.push(span.is_back && last == span.early);
                last = dummy;
            }
            segments.push((last, span.late));
            is_loose.push(span.is_back);
            chains.push(Some(first..layer_of.len()));
        }
        let count = layer_of.iter().max().map_or(0, |last| last + 1);
        let mut layers = vec![Vec::new(); count];
        let mut place = vec![0; layer_of.len()];
        for (vertex, layer) in layer_of.iter().enumerate() {
            place[vertex] = layers[*layer].len();
            layers[*layer].push(vertex);
        }
        let before = Adjacency::new(layer_of.len(), segments.iter().map(|segment| segment.1));
        let after = Adjacency::new(layer_of.len(), segments.iter().map(|segment| segment.0));
        Self { nodes, layer_of, layers, place, extent, segments, is_loose, before, after, chains }
    }

    pub(crate) fn is_dummy(&self, vertex: usize) -> bool {
        vertex >= self.nodes
    }

    /// Puts the vertices of a layer into this order.
    pub(crate) fn set_order(&mut self, layer: usize, order: Vec<usize>) {
        for (place, vertex) in order.iter().enumerate() {
            self.place[*vertex] = place;
        }
        self.layers[layer] = order;
    }

    /// How far the lines of two neighbours must be apart.
    pub(crate) fn separation(&self, upper: usize, lower: usize) -> f64 {
        let gap = match (self.is_dummy(upper), self.is_dummy(lower)) {
            (true, true) => EDGE_GAP,
            (false, false) => NODE_GAP,
            _ => DUMMY_GAP,
        };
        self.extent[upper].1 + gap + self.extent[lower].0
    }
}

/// Edges over more layers than this get no dummies, so that there are not many more dummies than nodes.
fn longest_chain(nodes: usize, layer_of: &[usize], spans: &[Span]) -> usize {
    let mut lengths: Vec<_> = spans.iter().map(|span| layer_of[span.late] - layer_of[span.early]).collect();
    lengths.sort_unstable();
    let mut left = 4 * (nodes + spans.len()) + 10_000;
    for length in lengths {
        match left.checked_sub(length - 1) {
            Some(rest) => left = rest,
            None => return length - 1,
        }
    }
    usize::MAX
}
