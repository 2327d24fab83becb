//! One part of a graph, all of which hangs together.

use super::layered::{Layered, Span};
use super::layers::layers;
use super::order::order_layers;
use super::pen::Pass;
use super::place::lines;
use super::rows::Rows;
use super::{COLUMN_GAP, Drawn, back_route, direct_route, forward_route, self_loop};
use crate::picture::Rect;

/// From how steep on a gap between columns is made wider, by how much of the steepness, and up to what.
const STEEP: (f64, f64, f64) = (160.0, 0.12, 200.0);

/// Where the columns are.
pub(super) struct Columns {
    pub(super) left: Vec<f64>,
    pub(super) width: Vec<f64>,
}

pub(super) fn draw(sizes: &[(f64, f64)], edges: &[(usize, usize)], is_back: &[bool]) -> Drawn {
    let spans = spans(edges, is_back);
    let forward: Vec<_> = spans.iter().map(|span| (span.early, span.late)).collect();
    let layer_of = layers(sizes.len(), &forward);
    let self_loops: Vec<_> =
        edges.iter().filter(|(one, other)| one == other).map(|(node, _)| *node).collect();
    let heights: Vec<_> = sizes.iter().map(|(_, height)| *height).collect();
    let mut layered = Layered::new(&heights, layer_of, &spans, &self_loops);
    order_layers(&mut layered);
    let lines = lines(&mut layered);
    let columns = columns(&layered, sizes, &lines);
    let rows = Rows::new(&layered, &columns, &lines, &spans);
    let boxes: Vec<_> = sizes
        .iter()
        .enumerate()
        .map(|(node, (width, height))| {
            let layer = layered.layer_of[node];
            let x = columns.left[layer] + ((columns.width[layer] - width) / 2.0).round();
            Rect { x, y: lines[node] - height / 2.0, width: *width, height: *height }.moved(rows.shift[layer])
        })
        .collect();
    let mut pen = Routes { layered: &layered, columns: &columns, lines: &lines, rows, boxes: &boxes };
    let mut next_span = 0;
    let routes = edges
        .iter()
        .map(|&(source, target)| {
            if source == target {
                return self_loop(boxes[source]);
            }
            next_span += 1;
            pen.route(next_span - 1, spans[next_span - 1])
        })
        .collect();
    Drawn { boxes, routes }
}

/// Each edge but self loops, turned so that it leads to a later layer.
fn spans(edges: &[(usize, usize)], is_back: &[bool]) -> Vec<Span> {
    let joined = edges.iter().zip(is_back).filter(|((source, target), _)| source != target);
    joined
        .map(|(&(source, target), &is_back)| {
            let (early, late) = if is_back { (target, source) } else { (source, target) };
            Span { early, late, is_back }
        })
        .collect()
}

fn columns(layered: &Layered, sizes: &[(f64, f64)], lines: &[f64]) -> Columns {
    let count = layered.layers.len();
    let mut width = vec![0.0_f64; count];
    for (node, size) in sizes.iter().enumerate() {
        let layer = layered.layer_of[node];
        width[layer] = width[layer].max(size.0);
    }
    let mut steepest = vec![0.0_f64; count];
    for &(early, late) in &layered.segments {
        let layer = layered.layer_of[early];
        steepest[layer] = steepest[layer].max((lines[early] - lines[late]).abs());
    }
    let (from, part, most) = STEEP;
    let mut left = Vec::with_capacity(count);
    let mut x = 0.0;
    for layer in 0..count {
        left.push(x);
        let gap = COLUMN_GAP + ((steepest[layer] - from).max(0.0) * part).min(most - COLUMN_GAP);
        x += width[layer] + gap.round();
    }
    Columns { left, width }
}

struct Routes<'a> {
    layered: &'a Layered,
    columns: &'a Columns,
    lines: &'a [f64],
    rows: Rows,
    boxes: &'a [Rect],
}

impl Routes<'_> {
    fn route(&mut self, number: usize, span: Span) -> crate::picture::Route {
        let (early, late) = (self.boxes[span.early], self.boxes[span.late]);
        let (source, target) = if span.is_back { (late, early) } else { (early, late) };
        let Some(chain) = self.layered.chains[number].clone() else {
            return direct_route(source, target, span.is_back);
        };
        let inner = chain.map(|dummy| self.pass(dummy));
        if span.is_back {
            let passes: Vec<_> = inner.collect();
            let (first, last) = (self.pass(span.late), self.pass(span.early));
            return back_route(source, target, &passes, first, last);
        }
        let (first, last) = (self.pass(span.early), self.pass(span.late));
        let first = Pass { left: source.right(), ..first };
        let last = Pass { right: target.x, ..last };
        let mut passes: Vec<_> = std::iter::once(first).chain(inner).chain([last]).collect();
        let layers = self.layered.layer_of[span.early]..;
        for (layer, pass) in layers.zip(&mut passes[1..]) {
            pass.turn = self.rows.turn(layer);
        }
        forward_route(source, target, &passes)
    }

    /// The piece of the edge through the column of this vertex.
    fn pass(&self, vertex: usize) -> Pass {
        let layer = self.layered.layer_of[vertex];
        let shift = self.rows.shift[layer];
        let left = self.columns.left[layer] + shift.x;
        let y = self.lines[vertex] + shift.y;
        Pass { left, right: left + self.columns.width[layer], y, turn: None }
    }
}
