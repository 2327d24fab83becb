//! A graph that has grown: what stands keeps its place.
//!
//! New boxes go right of what leads to them, into the free place that is nearest; what an edge that must lead forward
//! or a frame that has grown pushes away goes to a free place nearby. Edges whose ends stood still keep their way.

mod direction;
mod room;
mod routes;

use std::collections::VecDeque;

use crate::flow::{COLUMN_GAP, Drawn, Flow, NODE_GAP, real};
use crate::picture::{Rect, Route};
use direction::Directions;
use room::{Room, free_place};

/// An edge is as good as forward when its target begins so far right of its source.
const SHORTEST: f64 = 24.0;

/// What is known from the picture before.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    /// Where the boxes stood, those that were there.
    pub(crate) boxes: Vec<Option<Rect>>,
    /// How the edges ran, those that were there.
    pub(crate) routes: Vec<Option<Route>>,
}

/// None: it has to be laid out anew, because too much of it moves.
pub(crate) fn follow(flow: Flow<'_>, before: &Before) -> Option<Drawn> {
    let directions = Directions::new(flow, before);
    let mut moving = Moving::new(flow, before, directions);
    moving.make_room_for_grown(before);
    moving.add_new();
    moving.push_forward()?;
    let boxes: Vec<_> = moving.boxes.iter().copied().collect::<Option<_>>()?;
    let routes = routes::draw(flow, before, &boxes, &moving.has_moved, &moving.directions);
    Some(Drawn { boxes, routes })
}

/// The boxes, on their way to where they will stand.
struct Moving<'a> {
    flow: Flow<'a>,
    directions: Directions,
    boxes: Vec<Option<Rect>>,
    /// Which are new, or have another place or size than before.
    has_moved: Vec<bool>,
    room: Room,
    /// Where boxes began that were there, from left to right.
    columns: Vec<f64>,
}

impl<'a> Moving<'a> {
    fn new(flow: Flow<'a>, before: &Before, directions: Directions) -> Self {
        let resized = |(old, size): (&Option<Rect>, &(f64, f64))| {
            old.map(|rect| Rect { width: size.0, height: size.1, ..rect })
        };
        let boxes: Vec<_> = before.boxes.iter().zip(flow.sizes).map(resized).collect();
        let has_moved =
            boxes.iter().zip(&before.boxes).map(|(now, old)| now != old || old.is_none()).collect();
        let columns = columns(&boxes);
        Self { flow, directions, boxes, has_moved, room: Room::new(before), columns }
    }

    /// What a frame that has grown covers goes out of its way.
    fn make_room_for_grown(&mut self, before: &Before) {
        for grown in 0..self.boxes.len() {
            let (Some(rect), Some(old)) = (self.boxes[grown], before.boxes[grown]) else { continue };
            if rect.width <= old.width && rect.height <= old.height {
                continue;
            }
            for other in 0..self.boxes.len() {
                let Some(standing) = self.boxes[other].filter(|_| other != grown) else { continue };
                if with_gap(rect).overlaps(standing) {
                    let is_right = standing.x >= old.right();
                    let x = if is_right { rect.right() + COLUMN_GAP } else { standing.x };
                    self.settle(other, Rect { x: standing.x.max(x), ..standing });
                }
            }
        }
    }

    /// Gives the new boxes a place, each after those that lead to it.
    fn add_new(&mut self) {
        let columns = self.columns.clone();
        let bottom = self.boxes.iter().flatten().map(|rect| rect.bottom()).fold(0.0, f64::max);
        let left = columns.first().copied().unwrap_or(0.0);
        for node in self.directions.new_in_order(self.flow, &self.boxes) {
            let (width, height) = self.flow.sizes[node];
            let sources: Vec<_> = self.neighbours(node, true).collect();
            let targets: Vec<_> = self.neighbours(node, false).collect();
            let center =
                |rects: &[Rect]| rects.iter().map(|rect| rect.center().y).sum::<f64>() / real(rects.len());
            let (x, y) = if let Some(right) = sources.iter().map(|rect| rect.right()).reduce(f64::max) {
                (column_from(&columns, right + COLUMN_GAP, width), center(&sources) - height / 2.0)
            } else if let Some(first) = targets.iter().map(|rect| rect.x).reduce(f64::min) {
                (first - COLUMN_GAP - width, center(&targets) - height / 2.0)
            } else {
                (left, bottom + NODE_GAP)
            };
            self.settle(node, Rect { x, y, width, height });
        }
    }

    /// What an edge leads to, and does not stand right of where it leaves, goes there; and what that leads to.
    fn push_forward(&mut self) -> Option<()> {
        let changed = (0..self.boxes.len()).filter(|node| self.has_moved[*node]);
        let mut open: VecDeque<usize> = changed.chain(self.directions.new_sources(self.flow)).collect();
        let mut left = 4 * self.boxes.len() + 64;
        while let Some(node) = open.pop_front() {
            let source = self.boxes[node]?;
            for place in 0..self.directions.out.of(node).len() {
                let edge = self.directions.out.of(node)[place];
                let target = self.flow.edges[edge].1;
                let rect = self.boxes[target]?;
                if !self.directions.must_lead_forward[edge] || rect.x >= source.right() + SHORTEST {
                    continue;
                }
                left = usize::checked_sub(left, 1)?;
                let x = column_from(&self.columns, source.right() + COLUMN_GAP, rect.width);
                self.settle(target, Rect { x, ..rect });
                open.push_back(target);
            }
        }
        Some(())
    }

    /// Puts a box where there is room for it, nearest to this place, above or below.
    fn settle(&mut self, node: usize, wanted: Rect) {
        self.boxes[node] = None;
        let y = free_place(&self.room.around(&self.boxes, wanted), wanted.y, wanted.height);
        self.boxes[node] = Some(Rect { y: y.round(), ..wanted });
        self.has_moved[node] = true;
    }

    /// What leads forward to a box, or what it leads to, as far as that has a place.
    fn neighbours(&self, node: usize, incoming: bool) -> impl Iterator<Item = Rect> {
        let edges = if incoming { self.directions.into.of(node) } else { self.directions.out.of(node) };
        let forward = edges.iter().filter(|edge| !self.directions.is_back[**edge]);
        forward.filter_map(move |edge| {
            let (source, target) = self.flow.edges[*edge];
            self.boxes[if incoming { source } else { target }]
        })
    }
}

fn with_gap(rect: Rect) -> Rect {
    let half = NODE_GAP / 2.0;
    Rect { x: rect.x - half, y: rect.y - half, width: rect.width + NODE_GAP, height: rect.height + NODE_GAP }
}

/// Where boxes begin, from left to right.
fn columns(boxes: &[Option<Rect>]) -> Vec<f64> {
    let mut columns: Vec<_> = boxes.iter().flatten().map(|rect| rect.x).collect();
    columns.sort_by(f64::total_cmp);
    columns.dedup();
    columns
}

/// Where a box goes that cannot begin further left: into a column that begins near, else there.
fn column_from(columns: &[f64], x: f64, width: f64) -> f64 {
    let at = columns.partition_point(|column| *column < x - COLUMN_GAP / 2.0);
    columns.get(at).copied().filter(|column| *column < x + f64::midpoint(width, COLUMN_GAP)).unwrap_or(x)
}
