//! The ways of edges between boxes that stand already.

use super::Before;
use super::direction::Directions;
use super::room::{Taken, free_place, pieces};
use crate::flow::{
    BACK_LANE, COLUMN_GAP, DUMMY_GAP, Flow, Pass, back_route, direct_route, forward_route, self_loop,
};
use crate::picture::{Rect, Route};

/// Edges keep their way when neither end moved and nothing came to stand on it.
pub(super) fn draw(
    flow: Flow<'_>,
    before: &Before,
    boxes: &[Rect],
    has_moved: &[bool],
    directions: &Directions,
) -> Vec<Route> {
    let changed: Vec<_> =
        boxes.iter().zip(has_moved).filter(|(_, moved)| **moved).map(|(rect, _)| *rect).collect();
    let draw = |edge: usize| {
        let (source, target) = flow.edges[edge];
        let stood_still = !has_moved[source] && !has_moved[target];
        if let Some(route) = before.routes[edge].as_ref().filter(|_| stood_still)
            && !changed.iter().any(|rect| is_covered(route, *rect))
        {
            return route.clone();
        }
        if source == target {
            return self_loop(boxes[source]);
        }
        if directions.is_back[edge] {
            return back(boxes, source, target);
        }
        if boxes[target].x < boxes[source].right() {
            return direct_route(boxes[source], boxes[target], false);
        }
        forward(boxes, source, target)
    };
    (0..flow.edges.len()).map(draw).collect()
}

fn is_covered(route: &Route, rect: Rect) -> bool {
    pieces(route).any(|piece| {
        piece.left < rect.right() && rect.x < piece.right && rect.y < piece.y && piece.y < rect.bottom()
    })
}

/// Through each column between the two, where there is room.
fn forward(boxes: &[Rect], source: usize, target: usize) -> Route {
    let (from, to) = (boxes[source], boxes[target]);
    let between = columns_between(boxes, from.right() + 1.0, to.x - 1.0);
    let passes: Vec<_> = between
        .into_iter()
        .map(|(left, right, taken)| {
            let along = (f64::midpoint(left, right) - from.right()) / (to.x - from.right()).max(1.0);
            let wanted = from.center().y + (to.center().y - from.center().y) * along;
            Pass { left, right, y: free_place(&taken, wanted, 0.0).round(), turn: None }
        })
        .collect();
    forward_route(from, to, &passes)
}

/// Above what stands between the two.
fn back(boxes: &[Rect], source: usize, target: usize) -> Route {
    let (from, to) = (boxes[source], boxes[target]);
    let column = |rect: Rect| Pass { left: rect.x, right: rect.right(), y: rect.y, turn: None };
    let (left, right) = (to.right() + COLUMN_GAP / 2.0, from.x - COLUMN_GAP / 2.0);
    let mut taken =
        columns_between(boxes, left, right).into_iter().flat_map(|(_, _, taken)| taken).peekable();
    let mut passes = Vec::new();
    if right > left && taken.peek().is_some() {
        let wanted = from.y.min(to.y) - BACK_LANE;
        let y = free_place(&taken.collect::<Vec<_>>(), wanted, 0.0).round();
        passes.push(Pass { left, right, y, turn: None });
    }
    back_route(from, to, &passes, column(from), column(to))
}

/// Boxes that stand between these two lines, in columns from left to right: what is above each other is one column.
fn columns_between(boxes: &[Rect], left: f64, right: f64) -> Vec<(f64, f64, Vec<Taken>)> {
    let mut inside: Vec<_> = boxes.iter().filter(|rect| rect.x >= left && rect.right() <= right).collect();
    inside.sort_by(|one, other| one.x.total_cmp(&other.x));
    let mut columns: Vec<(f64, f64, Vec<Taken>)> = Vec::new();
    for rect in inside {
        let taken = Taken { top: rect.y, bottom: rect.bottom(), gap: DUMMY_GAP };
        match columns.last_mut().filter(|(_, end, _)| rect.x < *end) {
            Some((_, end, all)) => {
                *end = end.max(rect.right());
                all.push(taken);
            }
            None => columns.push((rect.x, rect.right(), vec![taken])),
        }
    }
    columns
}
