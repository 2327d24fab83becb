//! Draws edges as cubic Bézier curves that leave and arrive horizontally.

use super::middle;
use crate::picture::{Point, Rect, Route};

/// How far above its card an arc runs.
const LANE: f64 = 12.0;
/// The radius of a corner.
const CORNER: f64 = 16.0;

/// A piece of an edge that runs straight to the right, between the nodes of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pass {
    /// Where it enters the column.
    pub(crate) left: f64,
    /// Where it leaves it.
    pub(crate) right: f64,
    /// Its line.
    pub(crate) y: f64,
    /// How the edge gets here from the pass before, when that is the end of another row.
    pub(crate) turn: Option<Turn>,
}

/// From the right end of one row to the left end of the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Turn {
    /// Right of the row that ends.
    pub(crate) right: f64,
    /// Between the rows.
    pub(crate) y: f64,
    /// Left of the row that begins.
    pub(crate) left: f64,
}

struct Pen {
    points: Vec<Point>,
}

impl Pen {
    fn new(start: Point) -> Self {
        Self { points: vec![start] }
    }

    fn at(&self) -> Point {
        self.points[self.points.len() - 1]
    }

    fn cubic(&mut self, one: Point, other: Point, end: Point) {
        self.points.extend([one, other, end]);
    }

    /// Straight, if it is not there already.
    fn line_to(&mut self, end: Point) {
        let start = self.at();
        if start == end {
            return;
        }
        // A straight piece goes on as one.
        if let [.., before, one, other, _] = self.points[..]
            && [before, one, other, end].iter().all(|point| is_level(*point, start))
            && (end.x - start.x) * (start.x - before.x) > 0.0
        {
            self.points.truncate(self.points.len() - 3);
            return self.line_to(end);
        }
        let third =
            |part: f64| Point::new(start.x + (end.x - start.x) * part, start.y + (end.y - start.y) * part);
        self.cubic(third(1.0 / 3.0), third(2.0 / 3.0), end);
    }

    /// A swing that leaves and arrives horizontally.
    fn swing_to(&mut self, end: Point) {
        let start = self.at();
        if is_level(start, end) {
            return self.line_to(end);
        }
        let half = (end.x - start.x) / 2.0;
        self.cubic(Point::new(start.x + half, start.y), Point::new(end.x - half, end.y), end);
    }

    /// Half a turn, round to the right or (`side` = -1) to the left.
    fn turn_to(&mut self, y: f64, side: f64) {
        let start = self.at();
        let out = side * ((y - start.y).abs() * 0.6 + 8.0).min(40.0);
        let end = Point::new(start.x, y);
        self.cubic(Point::new(start.x + out, start.y), Point::new(end.x + out, y), end);
    }

    /// Through these corners, each rounded.
    fn corners_to(&mut self, corners: &[Point], end: Point) {
        for (place, corner) in corners.iter().enumerate() {
            let next = corners.get(place + 1).copied().unwrap_or(end);
            let towards = |target: Point| {
                let (x, y) = (target.x - corner.x, target.y - corner.y);
                let length = x.hypot(y).max(1e-9);
                let by = CORNER.min(length / 2.0) / length;
                Point::new(corner.x + x * by, corner.y + y * by)
            };
            let (enter, leave) = (towards(self.at()), towards(next));
            self.line_to(enter);
            self.cubic(middle(enter, *corner), middle(*corner, leave), leave);
        }
        self.line_to(end);
    }

    fn finish(self, is_back: bool, label: Point) -> Route {
        Route { is_back, points: self.points.into(), label }
    }
}

/// Lines are whole pixels, or halves: what differs by less lies on one.
fn is_level(one: Point, other: Point) -> bool {
    (one.y - other.y).abs() < 0.1
}

fn right_side(rect: Rect) -> Point {
    Point::new(rect.right(), rect.center().y)
}

fn left_side(rect: Rect) -> Point {
    Point::new(rect.x, rect.center().y)
}

/// An edge that leads on, through these passes.
pub(crate) fn forward_route(source: Rect, target: Rect, passes: &[Pass]) -> Route {
    let mut pen = Pen::new(right_side(source));
    let end = left_side(target);
    for pass in passes {
        let enter = Point::new(pass.left, pass.y);
        match pass.turn {
            None => pen.swing_to(enter),
            Some(turn) => {
                let corners = [
                    Point::new(turn.right, pen.at().y),
                    Point::new(turn.right, turn.y),
                    Point::new(turn.left, turn.y),
                    Point::new(turn.left, enter.y),
                ];
                pen.corners_to(&corners, enter);
            }
        }
        pen.line_to(Point::new(pass.right, pass.y));
    }
    pen.swing_to(end);
    let label = middle_of(&pen.points);
    pen.finish(false, label)
}

/// An edge that leads back: up from the right side of its source, back above it through these passes (from left
/// to right), and down to the left side of its target.
pub(crate) fn back_route(
    source: Rect,
    target: Rect,
    passes: &[Pass],
    source_column: Pass,
    target_column: Pass,
) -> Route {
    let mut pen = Pen::new(right_side(source));
    pen.line_to(Point::new(source_column.right.max(source.right()), pen.at().y));
    let lane = source.y - LANE;
    pen.turn_to(lane, 1.0);
    pen.line_to(Point::new(source_column.left.min(source.x), lane));
    for pass in passes.iter().rev() {
        pen.swing_to(Point::new(pass.right, pass.y));
        pen.line_to(Point::new(pass.left, pass.y));
    }
    let lane = target.y - LANE;
    pen.swing_to(Point::new(target_column.right.max(target.right()), lane));
    pen.line_to(Point::new(target_column.left.min(target.x), lane));
    let end = left_side(target);
    pen.turn_to(end.y, -1.0);
    pen.line_to(end);
    let label = match passes.get(passes.len() / 2) {
        Some(pass) => Point::new(f64::midpoint(pass.left, pass.right), pass.y),
        None => middle(Point::new(source.x, source.y - LANE), Point::new(target.right(), target.y - LANE)),
    };
    pen.finish(true, label)
}

/// An edge straight to where it leads, over or under whatever is between.
pub(crate) fn direct_route(source: Rect, target: Rect, is_back: bool) -> Route {
    let (start, end) = (right_side(source), left_side(target));
    let mut pen = Pen::new(start);
    if is_back {
        let out = 120.0;
        pen.cubic(Point::new(start.x + out, start.y - out), Point::new(end.x - out, end.y - out), end);
    } else {
        pen.swing_to(end);
    }
    let label = middle_of(&pen.points);
    pen.finish(is_back, label)
}

/// An edge from a node to itself: a small arc below, where those of longer loops do not run.
pub(crate) fn self_loop(rect: Rect) -> Route {
    let (center, bottom) = (rect.center().x, rect.bottom());
    let half = (rect.width * 0.14).clamp(8.0, 28.0);
    let mut pen = Pen::new(Point::new(center + half, bottom));
    let low = bottom + LANE * 1.8;
    pen.cubic(
        Point::new(center + half * 1.2, low),
        Point::new(center - half * 1.2, low),
        Point::new(center - half, bottom),
    );
    pen.finish(true, Point::new(center, bottom + LANE * 1.35))
}

/// The middle of the middle curve.
fn middle_of(points: &[Point]) -> Point {
    let curves = points.len().saturating_sub(1) / 3;
    let Some(curve) = points.get(curves / 2 * 3..curves / 2 * 3 + 4) else {
        return points.first().copied().unwrap_or_default();
    };
    let at = |pick: fn(&Point) -> f64| {
        (pick(&curve[0]) + 3.0 * pick(&curve[1]) + 3.0 * pick(&curve[2]) + pick(&curve[3])) / 8.0
    };
    Point::new(at(|point| point.x), at(|point| point.y))
}
