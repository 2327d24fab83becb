//! Puts parts that nothing joins beside and below each other.

use super::{NODE_GAP, PART_GAP};
use crate::picture::{Point, Rect};

/// How much wider than high the whole should be.
const ASPECT: f64 = 1.6;

/// By how much to move each part. They are set like words in a text, in lines of about the same width.
pub(crate) fn pack(parts: &[Rect]) -> Vec<Point> {
    let area: f64 = parts.iter().map(|part| (part.width + NODE_GAP) * (part.height + NODE_GAP)).sum();
    let widest = parts.iter().map(|part| part.width).fold(0.0, f64::max);
    // A few stand better below each other: so do branches that run side by side.
    let line_width = if parts.len() <= 5 { widest } else { widest.max((area * ASPECT).sqrt()) };
    let is_uniform = parts.iter().all(|part| part.height <= 2.0 * NODE_GAP + 64.0);
    let gap = if is_uniform { NODE_GAP } else { PART_GAP };
    let mut moves = Vec::with_capacity(parts.len());
    let (mut x, mut y, mut line_height) = (0.0, 0.0, 0.0_f64);
    for part in parts {
        if x > 0.0 && x + part.width > line_width {
            (x, y, line_height) = (0.0, y + line_height + gap, 0.0);
        }
        moves.push(Point::new(x - part.x, y - part.y));
        x += part.width + gap;
        line_height = line_height.max(part.height);
    }
    moves
}
