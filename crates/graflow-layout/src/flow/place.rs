//! The vertical line of each vertex.
//!
//! After U. Brandes and B. Köpf, "Fast and Simple Horizontal Coordinate Assignment" (Graph Drawing 2001), turned by 90
//! degrees: vertices are put in line with the median of their neighbours, to the left and to the right, from the top
//! and from the bottom; each of the four gives blocks of vertices on one line, which are set as close as they may be;
//! of the four results each vertex takes the mean of the two in the middle. Their compaction is replaced by a longest
//! path over the blocks, which has no fault with sizes that differ.

use super::adjacency::Adjacency;
use super::layered::Layered;

/// The line of each vertex, downwards.
pub(crate) fn lines(layered: &mut Layered) -> Vec<f64> {
    let place = std::mem::take(&mut layered.place);
    layered.before.sort_by_key(|segment| place[layered.segments[segment].0]);
    layered.after.sort_by_key(|segment| place[layered.segments[segment].1]);
    layered.place = place;
    let conflicts = conflicts(layered);
    let mut drawn = Vec::with_capacity(4);
    for forwards in [true, false] {
        for from_top in [true, false] {
            let roots = align(layered, &conflicts, forwards, from_top);
            drawn.push(compact(layered, &roots, from_top));
        }
    }
    let mut lines = balance(layered, &drawn);
    settle(layered, &mut lines);
    lines
}

/// Segments that cross the inside of a long edge: the long edge is to be straight.
fn conflicts(layered: &Layered) -> Vec<bool> {
    let mut is_conflict = vec![false; layered.segments.len()];
    for layer in 1..layered.layers.len() {
        let (early, late) = (&layered.layers[layer - 1], &layered.layers[layer]);
        let (mut low, mut from) = (0, 0);
        for (place, &vertex) in late.iter().enumerate() {
            let inner = layered
                .before
                .of(vertex)
                .iter()
                .map(|segment| layered.segments[*segment].0)
                .find(|neighbour| layered.is_dummy(vertex) && layered.is_dummy(*neighbour));
            if inner.is_none() && place + 1 < late.len() {
                continue;
            }
            let high = inner.map_or(early.len(), |neighbour| layered.place[neighbour]);
            for &between in &late[from..=place] {
                for &segment in layered.before.of(between) {
                    let neighbour = layered.segments[segment].0;
                    let at = layered.place[neighbour];
                    let is_inner = layered.is_dummy(between) && layered.is_dummy(neighbour);
                    is_conflict[segment] |= !is_inner && (at < low || at > high);
                }
            }
            (low, from) = (high, place + 1);
        }
    }
    is_conflict
}

/// The block of each vertex, named by its first vertex.
fn align(layered: &Layered, conflicts: &[bool], forwards: bool, from_top: bool) -> Vec<usize> {
    let vertices = layered.layer_of.len();
    let mut root: Vec<_> = (0..vertices).collect();
    let mut is_aligned = vec![false; vertices];
    let count = layered.layers.len();
    let mut neighbours = Vec::new();
    for step in 1..count {
        let layer = if forwards { step } else { count - 1 - step };
        let order = &layered.layers[layer];
        let width = if forwards { layered.layers[layer - 1].len() } else { layered.layers[layer + 1].len() };
        // The first place in the neighbouring layer that is still free to be taken.
        let mut free = 0;
        for step in 0..order.len() {
            let vertex = order[if from_top { step } else { order.len() - 1 - step }];
            let segments = if forwards { layered.before.of(vertex) } else { layered.after.of(vertex) };
            neighbours.clear();
            neighbours.extend(segments.iter().copied().filter(|segment| !layered.is_loose[*segment]));
            if !from_top {
                neighbours.reverse();
            }
            let Some(last) = neighbours.len().checked_sub(1) else { continue };
            for median in [last / 2, last.div_ceil(2)] {
                let segment = neighbours[median];
                let (early, late) = layered.segments[segment];
                let neighbour = if forwards { early } else { late };
                let place = layered.place[neighbour];
                let place = if from_top { place } else { width - 1 - place };
                if !is_aligned[vertex] && !conflicts[segment] && place >= free {
                    root[vertex] = root[neighbour];
                    is_aligned[vertex] = true;
                    free = place + 1;
                }
            }
        }
    }
    root
}

/// Sets the blocks as close to each other as they may be; `from_top` says to which side.
fn compact(layered: &Layered, root: &[usize], from_top: bool) -> Vec<f64> {
    let vertices = layered.layer_of.len();
    let mut constraints = Vec::with_capacity(vertices);
    for order in &layered.layers {
        for pair in order.windows(2) {
            let apart = layered.separation(pair[0], pair[1]);
            let (first, second) = if from_top { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
            constraints.push((root[first], root[second], apart));
        }
    }
    let outgoing = Adjacency::new(vertices, constraints.iter().map(|constraint| constraint.0));
    let mut missing = vec![0_usize; vertices];
    for constraint in &constraints {
        missing[constraint.1] += 1;
    }
    let mut order: Vec<_> =
        (0..vertices).filter(|vertex| root[*vertex] == *vertex && missing[*vertex] == 0).collect();
    let mut line = vec![0.0_f64; vertices];
    let mut next = 0;
    while let Some(&block) = order.get(next) {
        next += 1;
        for &constraint in outgoing.of(block) {
            let (_, other, apart) = constraints[constraint];
            line[other] = line[other].max(line[block] + apart);
            missing[other] -= 1;
            if missing[other] == 0 {
                order.push(other);
            }
        }
    }
    // The other way: what has room towards its neighbours goes there, so that blocks do not lie apart from their own.
    for &block in order.iter().rev() {
        let limits = outgoing.of(block).iter().map(|constraint| {
            let (_, other, apart) = constraints[*constraint];
            line[other] - apart
        });
        if let Some(limit) = limits.min_by(f64::total_cmp) {
            line[block] = line[block].max(limit);
        }
    }
    let sign = if from_top { 1.0 } else { -1.0 };
    (0..vertices).map(|vertex| sign * line[root[vertex]]).collect()
}

/// The mean of the two middle ones of four, after all were put beside the narrowest.
fn balance(layered: &Layered, drawn: &[Vec<f64>]) -> Vec<f64> {
    let borders = |lines: &[f64]| {
        let top = lines.iter().zip(&layered.extent).map(|(line, extent)| line - extent.0);
        let bottom = lines.iter().zip(&layered.extent).map(|(line, extent)| line + extent.1);
        (top.fold(f64::INFINITY, f64::min), bottom.fold(f64::NEG_INFINITY, f64::max))
    };
    let all: Vec<_> = drawn.iter().map(|lines| borders(lines)).collect();
    let narrowest = all.iter().min_by(|one, other| (one.1 - one.0).total_cmp(&(other.1 - other.0)));
    let Some(&(top, bottom)) = narrowest else { return Vec::new() };
    // Every second one is set from the bottom.
    let shift =
        |which: usize| if which.is_multiple_of(2) { top - all[which].0 } else { bottom - all[which].1 };
    let shifts: Vec<_> = (0..drawn.len()).map(shift).collect();
    (0..layered.layer_of.len())
        .map(|vertex| {
            let mut four: Vec<_> = drawn.iter().zip(&shifts).map(|(lines, by)| lines[vertex] + by).collect();
            four.sort_by(f64::total_cmp);
            f64::midpoint(four[1], four[2]).round()
        })
        .collect()
}

/// Rounding may have brought neighbours a pixel too close.
fn settle(layered: &Layered, lines: &mut [f64]) {
    for order in &layered.layers {
        for pair in order.windows(2) {
            lines[pair[1]] = lines[pair[1]].max(lines[pair[0]] + layered.separation(pair[0], pair[1]));
        }
    }
}
