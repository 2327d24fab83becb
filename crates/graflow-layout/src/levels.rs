//! A graph with frames is laid out level by level: what is in a frame by itself, from the innermost out; around it the
//! frame is a node like any other.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use crate::flow::{Drawn, Flow, draw};
use crate::follow::{Before, follow};
use crate::graph::{Graph, Node, Shape};
use crate::picture::{Picture, Point, Rect, Route};
use crate::quick::PlaceMap;

/// Inside of a frame, around what is in it.
const PADDING: f64 = 20.0;
/// On top of a frame, for its name.
const HEADER: f64 = 40.0;
/// A frame is at least so large.
const SMALLEST_FRAME: (f64, f64) = (160.0, 72.0);

/// Where the nodes and edges of a graph stand.
///
/// Without `previous` it is laid out anew. With it, nodes with an id that was there before keep their place where they
/// can: new nodes are fitted in, and what stands moves only as far as an edge that must lead forward pushes it, or
/// a frame that has grown. When more is new than was there, nothing is kept.
///
/// What holds of every picture: cards and frames do not overlap, except that a frame contains its members; an
/// edge leads to the right, unless it `is_back`; the same arguments give the same picture.
pub fn layout(graph: &Graph, previous: Option<&Picture>) -> Picture {
    let levels = Levels::new(graph);
    let before = previous.map(|picture| Known::new(graph, picture));
    let mut drawn: Vec<Drawn> = vec![Drawn::default(); levels.frames.len() + 1];
    let mut sizes: Vec<_> = graph
        .nodes()
        .iter()
        .map(|node| match node.shape {
            Shape::Card { width, height } => (width, height),
            Shape::Frame => SMALLEST_FRAME,
        })
        .collect();
    for level in levels.innermost_first() {
        let members = &levels.members[level];
        let local: Vec<_> = members.iter().map(|node| sizes[*node]).collect();
        let flow = Flow { sizes: &local, edges: &levels.edges[level] };
        let known = before.as_ref().and_then(|known| known.level(&levels, level));
        drawn[level] = known.and_then(|known| follow(flow, &known)).unwrap_or_else(|| draw(flow));
        if let Some(frame) = levels.frame_of(level).filter(|_| !members.is_empty()) {
            let bounds = drawn[level].bounds();
            let (width, height) = (bounds.width + 2.0 * PADDING, bounds.height + HEADER + PADDING);
            sizes[frame] = (width.max(SMALLEST_FRAME.0), height);
        }
    }
    place(graph, &levels, &drawn)
}

/// Nodes and edges by the frame that they are directly in. The last level is that of no frame.
struct Levels {
    /// The frames, by level.
    frames: Vec<usize>,
    /// How deep each frame is in others, by level; the last is 0.
    depth: Vec<usize>,
    /// The nodes of each level.
    members: Vec<Vec<usize>>,
    /// The level of each node, and its place there.
    home: Vec<(usize, usize)>,
    /// The edges of each level, each pair of members once.
    edges: Vec<Vec<(usize, usize)>>,
    /// The level of each edge, and its place there; none from a frame to what is in it.
    edge_home: Vec<Option<(usize, usize)>>,
}

impl Levels {
    fn new(graph: &Graph) -> Self {
        let nodes = graph.nodes();
        let frames: Vec<_> = (0..nodes.len()).filter(|node| nodes[*node].shape == Shape::Frame).collect();
        let level_of: HashMap<usize, usize> =
            frames.iter().enumerate().map(|(level, frame)| (*frame, level)).collect();
        let outside = frames.len();
        let level = |node: usize| nodes[node].frame.map_or(outside, |frame| level_of[&frame]);
        let mut members = vec![Vec::new(); outside + 1];
        let mut home = Vec::with_capacity(nodes.len());
        for node in 0..nodes.len() {
            let level = level(node);
            home.push((level, members[level].len()));
            members[level].push(node);
        }
        let depth_of = |level: usize| {
            let first = frames.get(level).copied();
            std::iter::successors(first, |frame| nodes[*frame].frame).count()
        };
        let depth: Vec<_> = (0..=outside).map(depth_of).collect();
        let mut levels = Self {
            frames,
            depth,
            members,
            home,
            edges: vec![Vec::new(); outside + 1],
            edge_home: Vec::new(),
        };
        let mut known: PlaceMap<(usize, usize, usize), usize> = PlaceMap::default();
        for edge in graph.edges() {
            let home = levels.meet(edge.source, edge.target).map(|(level, source, target)| {
                let place = *known.entry((level, source, target)).or_insert_with(|| {
                    levels.edges[level].push((source, target));
                    levels.edges[level].len() - 1
                });
                (level, place)
            });
            levels.edge_home.push(home);
        }
        levels
    }

    /// The innermost level that holds both, and which of its members they are, or are in.
    fn meet(&self, one: usize, other: usize) -> Option<(usize, usize, usize)> {
        let (mut one_home, mut other_home) = (self.home[one], self.home[other]);
        loop {
            let (depth, other_depth) = (self.depth[one_home.0], self.depth[other_home.0]);
            if one_home.0 == other_home.0 {
                let is_contained = one_home.1 == other_home.1 && one != other;
                return (!is_contained).then_some((one_home.0, one_home.1, other_home.1));
            }
            if depth >= other_depth {
                one_home = self.home[self.frames[one_home.0]];
            }
            if other_depth >= depth {
                other_home = self.home[self.frames[other_home.0]];
            }
        }
    }

    fn frame_of(&self, level: usize) -> Option<usize> {
        self.frames.get(level).copied()
    }

    fn innermost_first(&self) -> Vec<usize> {
        let mut levels: Vec<_> = (0..self.depth.len()).collect();
        levels.sort_by_key(|level| std::cmp::Reverse(self.depth[*level]));
        levels
    }
}

/// Puts what is in a frame where the frame is, and joins edges that cross its border.
fn place(graph: &Graph, levels: &Levels, drawn: &[Drawn]) -> Picture {
    let mut nodes = vec![Rect::default(); graph.nodes().len()];
    let mut origin = vec![Point::default(); drawn.len()];
    for level in levels.innermost_first().into_iter().rev() {
        if let Some(frame) = levels.frame_of(level) {
            let (outer, inner) = (inside(nodes[frame]), drawn[level].bounds());
            origin[level] = Point::new(outer.x - inner.x, outer.y - inner.y);
        }
        for (node, rect) in levels.members[level].iter().zip(&drawn[level].boxes) {
            nodes[*node] = rect.moved(origin[level]);
        }
    }
    let edges: Vec<_> = graph
        .edges()
        .iter()
        .zip(&levels.edge_home)
        .map(|(edge, home)| {
            let Some((level, place)) = *home else { return Route::default() };
            let route = drawn[level].routes[place].moved(origin[level]);
            extended(route, nodes[edge.source], nodes[edge.target], edge.source == edge.target)
        })
        .collect();
    let routes = edges.iter().filter_map(Route::bounds);
    let bounds = nodes.iter().copied().chain(routes).reduce(Rect::union).unwrap_or_default().rounded_out();
    let ids = graph.nodes().iter().map(|node| node.id.clone()).collect();
    let ends = graph.edges().iter().map(|edge| (edge.source, edge.target)).collect();
    Picture { nodes, edges, bounds, ids, ends, crossing: crossing(graph, levels, drawn, &origin) }
}

fn crossing(
    graph: &Graph,
    levels: &Levels,
    drawn: &[Drawn],
    origin: &[Point],
) -> Vec<((usize, usize), Route)> {
    let mut seen = HashSet::new();
    let mut crossing = Vec::new();
    for (edge, home) in graph.edges().iter().zip(&levels.edge_home) {
        let Some((level, place)) = *home else { continue };
        let (source, target) = levels.edges[level][place];
        let joined = (levels.members[level][source], levels.members[level][target]);
        if joined != (edge.source, edge.target) && seen.insert(joined) {
            crossing.push((joined, drawn[level].routes[place].moved(origin[level])));
        }
    }
    crossing
}

/// Where the content of a frame begins.
fn inside(frame: Rect) -> Point {
    Point::new(frame.x + PADDING, frame.y + HEADER)
}

/// From the border of a frame to the member that the edge leaves, or arrives at.
fn extended(mut route: Route, source: Rect, target: Rect, is_self_loop: bool) -> Route {
    let swing = |start: Point, end: Point| {
        let half = (end.x - start.x) / 2.0;
        [Point::new(start.x + half, start.y), Point::new(end.x - half, end.y)]
    };
    let (Some(first), Some(last)) = (route.points.first().copied(), route.points.last().copied()) else {
        return route;
    };
    let start = Point::new(source.right(), source.center().y);
    let end = Point::new(target.x, target.center().y);
    if is_self_loop || (first == start && last == end) {
        return route;
    }
    let mut points = route.points.to_vec();
    if first != start {
        let [one, other] = swing(start, first);
        points.splice(..0, [start, one, other]);
    }
    if last != end {
        let [one, other] = swing(last, end);
        points.extend([one, other, end]);
    }
    route.points = points.into();
    route
}

/// What is known from the picture before, by the places of the graph's nodes.
struct Known<'a> {
    picture: &'a Picture,
    /// The place of each node in the previous picture.
    old: Vec<Option<usize>>,
    /// The routes of the previous picture, by source and target; made when one is not where it was.
    routes: OnceCell<PlaceMap<(usize, usize), &'a Route>>,
}

impl<'a> Known<'a> {
    fn new(graph: &Graph, picture: &'a Picture) -> Self {
        // Most stand in the same order as before; only the others are looked for.
        let mut by_id: Option<HashMap<&str, usize>> = None;
        let find = |(place, node): (usize, &Node)| {
            if picture.ids.get(place).is_some_and(|id| *id == node.id) {
                return Some(place);
            }
            let all = || picture.ids.iter().enumerate().map(|(place, id)| (&**id, place)).collect();
            by_id.get_or_insert_with(all).get(&*node.id).copied()
        };
        let old = graph.nodes().iter().enumerate().map(find).collect();
        Self { picture, old, routes: OnceCell::new() }
    }

    /// The route between two nodes of the previous picture; most edges stand in the same order as before.
    fn route(&self, place: usize, ends: (usize, usize)) -> Option<&'a Route> {
        let picture = self.picture;
        if picture.ends.get(place) == Some(&ends) {
            return picture.edges.get(place).filter(|route| !route.points.is_empty());
        }
        let all = || {
            let crossing = picture.crossing.iter().map(|(ends, route)| (*ends, route));
            let routes = picture.ends.iter().copied().zip(&picture.edges);
            // An edge between two frames that is there itself is the same as what crosses from one to the other.
            crossing.chain(routes.filter(|(_, route)| !route.points.is_empty())).collect()
        };
        self.routes.get_or_init(all).get(&ends).copied()
    }

    /// What was in this level; none when it has to be laid out anew.
    fn level(&self, levels: &Levels, level: usize) -> Option<Before> {
        let origin = match levels.frame_of(level) {
            Some(frame) => inside(self.picture.nodes[self.old[frame]?]),
            None => Point::default(),
        };
        let back = Point::new(-origin.x, -origin.y);
        let members = &levels.members[level];
        let boxes: Vec<_> =
            members.iter().map(|node| Some(self.picture.nodes[self.old[*node]?].moved(back))).collect();
        let kept = boxes.iter().flatten().count();
        if kept * 2 < members.len() || kept == 0 {
            return None;
        }
        let route = |(place, &(source, target)): (usize, &(usize, usize))| {
            let ends = (self.old[members[source]]?, self.old[members[target]]?);
            Some(self.route(place, ends)?.moved(back))
        };
        Some(Before { boxes, routes: levels.edges[level].iter().enumerate().map(route).collect() })
    }
}
