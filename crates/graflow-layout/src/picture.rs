//! Where everything stands.

use std::sync::Arc;

/// A place. x grows to the right, y downwards.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// The left side.
    pub x: f64,
    /// The top.
    pub y: f64,
    /// To the right side.
    pub width: f64,
    /// To the bottom.
    pub height: f64,
}

/// A graph, laid out. Nodes and edges stand in the order of the graph's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Picture {
    /// Where the nodes are.
    pub nodes: Vec<Rect>,
    /// How the edges run.
    pub edges: Vec<Route>,
    /// What holds all of it.
    pub bounds: Rect,
    /// The nodes' ids: so that they can be found again in a graph that has grown.
    pub(crate) ids: Vec<Arc<str>>,
    /// Source and target of the edges.
    pub(crate) ends: Vec<(usize, usize)>,
    /// The parts outside of frames of edges that cross their borders, by the frames (or nodes) that they join there.
    pub(crate) crossing: Vec<((usize, usize), Route)>,
}

/// How an edge runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Route {
    /// Whether it leads back to where the flow has been: an arc.
    pub is_back: bool,
    /// Where it begins, then for each cubic Bézier curve its two control points and its end. Empty between a
    /// frame and what is in it: there the frame says it.
    pub points: Arc<[Point]>,
    /// Where a text at the edge has its middle.
    pub label: Point,
}

impl Point {
    /// A place.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }
}

impl Rect {
    /// The right side.
    pub fn right(self) -> f64 {
        self.x + self.width
    }

    /// The bottom.
    pub fn bottom(self) -> f64 {
        self.y + self.height
    }

    /// The middle.
    pub fn center(self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Whether they share more than a border.
    pub fn overlaps(self, other: Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// Whether the other is inside of it.
    pub fn contains(self, other: Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }

    /// The smallest that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// The smallest with whole numbers that holds it.
    pub(crate) fn rounded_out(self) -> Self {
        let (x, y) = (self.x.floor(), self.y.floor());
        Self { x, y, width: self.right().ceil() - x, height: self.bottom().ceil() - y }
    }

    pub(crate) fn moved(self, by: Point) -> Self {
        Self { x: self.x + by.x, y: self.y + by.y, ..self }
    }
}

impl Route {
    pub(crate) fn moved(&self, by: Point) -> Self {
        if by == Point::default() {
            return self.clone();
        }
        let shifted = |point: &Point| Point::new(point.x + by.x, point.y + by.y);
        Self {
            is_back: self.is_back,
            points: self.points.iter().map(shifted).collect(),
            label: shifted(&self.label),
        }
    }

    /// The smallest rectangle that holds its points; none when it is not drawn.
    pub(crate) fn bounds(&self) -> Option<Rect> {
        let first = self.points.first()?;
        let (mut low, mut high) = (*first, *first);
        for point in self.points.iter() {
            low = Point::new(low.x.min(point.x), low.y.min(point.y));
            high = Point::new(high.x.max(point.x), high.y.max(point.y));
        }
        Some(Rect { x: low.x, y: low.y, width: high.x - low.x, height: high.y - low.y })
    }
}
