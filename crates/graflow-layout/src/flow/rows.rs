//! Folds what is very long into rows, like a text: a chain of thousands would be a line that nobody can look at.

use super::component::Columns;
use super::layered::{Layered, Span};
use super::pen::Turn;
use super::{COLUMN_GAP, EDGE_GAP, real};
use crate::picture::Point;

/// So many layers always stay one row.
const SHORT: usize = 16;
/// What is not so many times as wide as high stays one row.
const LONG: f64 = 8.0;
/// How many times as wide as high rows together should be.
const ASPECT: f64 = 2.2;
/// Where more edges cross than this, a row is not cut.
const CUT_AT_MOST: usize = 3;
/// Between two rows.
const ROW_GAP: f64 = 88.0;

/// Where each layer goes, and how edges get from row to row.
pub(super) struct Rows {
    /// By how much each layer is moved.
    pub(super) shift: Vec<Point>,
    /// After a layer: the way to the next row, if the next layer begins one, and how many edges took it.
    turns: Vec<Option<(Turn, usize)>>,
}

impl Rows {
    pub(super) fn new(layered: &Layered, columns: &Columns, lines: &[f64], spans: &[Span]) -> Self {
        let count = layered.layers.len();
        let mut rows = Self { shift: vec![Point::default(); count], turns: vec![None; count] };
        let borders = borders(layered, lines);
        let right = |layer: usize| columns.left[layer] + columns.width[layer];
        let Some(last) = count.checked_sub(1).filter(|last| *last >= SHORT) else { return rows };
        let (top, bottom) = span_of(&borders);
        let (width, height) = (right(last), bottom - top);
        if width < LONG * height {
            return rows;
        }
        let target = (width * (height + ROW_GAP) * ASPECT).sqrt();
        let cuts = cuts(layered, columns, spans, target);
        let (mut begin, mut y) = (0, 0.0);
        let mut row_before: Option<(usize, f64)> = None;
        for end in cuts.into_iter().chain([last]) {
            let (top, bottom) = span_of(&borders[begin..=end]);
            let shift = Point::new(-columns.left[begin], (y - top).round());
            rows.shift[begin..=end].fill(shift);
            if let Some((before, right_end)) = row_before {
                let between = shift.y + top - ROW_GAP / 2.0;
                let turn = Turn { right: right_end + COLUMN_GAP / 2.0, y: between, left: -COLUMN_GAP / 2.0 };
                rows.turns[before] = Some((turn, 0));
            }
            row_before = Some((end, right(end) + shift.x));
            y += bottom - top + ROW_GAP;
            begin = end + 1;
        }
        rows
    }

    /// The way of one more edge from this layer to the next, if that begins a row. Each has a lane of its own.
    pub(super) fn turn(&mut self, layer: usize) -> Option<Turn> {
        let (turn, taken) = self.turns[layer].as_mut()?;
        let by = real(*taken) * EDGE_GAP;
        *taken += 1;
        Some(Turn { right: turn.right + by / 2.0, y: turn.y + by, left: turn.left - by / 2.0 })
    }
}

/// Top and bottom of each layer.
fn borders(layered: &Layered, lines: &[f64]) -> Vec<(f64, f64)> {
    let border = |order: &Vec<usize>| {
        let top = order.first().map_or(0.0, |vertex| lines[*vertex] - layered.extent[*vertex].0);
        let bottom = order.last().map_or(0.0, |vertex| lines[*vertex] + layered.extent[*vertex].1);
        (top, bottom)
    };
    layered.layers.iter().map(border).collect()
}

fn span_of(borders: &[(f64, f64)]) -> (f64, f64) {
    borders
        .iter()
        .copied()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |all, border| (all.0.min(border.0), all.1.max(border.1)))
}

/// The last layer of each row but the last row's.
fn cuts(layered: &Layered, columns: &Columns, spans: &[Span], target: f64) -> Vec<usize> {
    let count = layered.layers.len();
    let mut crossing = vec![0_usize; count];
    for (early, _) in &layered.segments {
        crossing[layered.layer_of[*early]] += 1;
    }
    // What leads back, or runs without dummies, is not cut: a sum over where these begin and end.
    let mut uncut = vec![0_isize; count + 1];
    for (span, chain) in spans.iter().zip(&layered.chains) {
        if span.is_back || chain.is_none() {
            uncut[layered.layer_of[span.early]] += 1;
            uncut[layered.layer_of[span.late]] -= 1;
        }
    }
    let mut cuts = Vec::new();
    let (mut begin, mut open) = (0.0, 0);
    for layer in 0..count.saturating_sub(1) {
        open += uncut[layer];
        let is_wide = columns.left[layer] + columns.width[layer] - begin >= target;
        if is_wide && open == 0 && crossing[layer] <= CUT_AT_MOST {
            cuts.push(layer);
            begin = columns.left[layer + 1];
        }
    }
    cuts
}
