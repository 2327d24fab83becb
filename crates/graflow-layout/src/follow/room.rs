//! Free places between what stands.

use super::Before;
use crate::flow::{DUMMY_GAP, NODE_GAP};
use crate::picture::{Rect, Route};

/// A straight piece of an edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) y: f64,
}

/// What is taken: top and bottom, and how far to stay away from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) gap: f64,
}

/// The edges that ran before, to be kept clear.
pub(super) struct Room {
    pieces: Vec<Piece>,
}

impl Room {
    pub(super) fn new(before: &Before) -> Self {
        Self { pieces: before.routes.iter().flatten().flat_map(pieces).collect() }
    }

    /// What is taken in the columns that a box covers.
    pub(super) fn around(&self, boxes: &[Option<Rect>], wanted: Rect) -> Vec<Taken> {
        let (left, right) = (wanted.x - NODE_GAP / 2.0, wanted.right() + NODE_GAP / 2.0);
        let standing = boxes.iter().flatten().filter(|rect| rect.x < right && left < rect.right());
        let passing =
            self.pieces.iter().filter(|piece| piece.left < wanted.right() && wanted.x < piece.right);
        standing
            .map(|rect| Taken { top: rect.y, bottom: rect.bottom(), gap: NODE_GAP })
            .chain(passing.map(|piece| Taken { top: piece.y, bottom: piece.y, gap: DUMMY_GAP }))
            .collect()
    }
}

/// The straight level pieces of an edge.
pub(super) fn pieces(route: &Route) -> impl Iterator<Item = Piece> {
    let ends = route.points.iter().step_by(3);
    ends.clone()
        .zip(ends.skip(1))
        .filter(|(start, end)| (start.y - end.y).abs() < 1.0)
        .map(|(start, end)| Piece { left: start.x.min(end.x), right: start.x.max(end.x), y: start.y })
}

/// The top nearest to `wanted` at which something so high fits.
pub(super) fn free_place(taken: &[Taken], wanted: f64, height: f64) -> f64 {
    // Tops that are not possible, as open intervals.
    let mut closed: Vec<_> =
        taken.iter().map(|taken| (taken.top - taken.gap - height, taken.bottom + taken.gap)).collect();
    closed.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut best = f64::INFINITY;
    let mut consider = |low: f64, high: f64| {
        let place = wanted.clamp(low, high);
        if (place - wanted).abs() < (best - wanted).abs() {
            best = place;
        }
    };
    let mut free_from = f64::NEG_INFINITY;
    for (low, high) in closed {
        if low >= free_from {
            consider(free_from, low);
        }
        free_from = free_from.max(high);
    }
    consider(free_from, f64::INFINITY);
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_place_is_found() {
        let taken = |top: f64, bottom: f64| Taken { top, bottom, gap: 10.0 };
        let cases: [(&[Taken], f64, f64); 5] = [
            (&[], 5.0, 5.0),
            (&[taken(0.0, 100.0)], 300.0, 300.0),
            (&[taken(0.0, 100.0)], 60.0, 110.0),
            (&[taken(0.0, 100.0)], 10.0, -60.0),
            // Between the two there are 70: just enough.
            (&[taken(170.0, 300.0), taken(0.0, 100.0)], 160.0, 110.0),
        ];
        for (taken, wanted, expected) in cases {
            assert!((free_place(taken, wanted, 50.0) - expected).abs() < 1e-9, "{wanted}");
        }
    }
}
