//! What is drawn of a graph.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use graflow_layout::{Edge, Graph, Node};
use graflow_model::row;
use graflow_model::{EdgeKind, NodeKind, TaskId, TaskStatus};

use super::families::families;

/// A group of more tasks than this is closed unless a page says otherwise.
const OPEN_AT_MOST: u64 = 12;
/// Width and height of the card of a task, and of a closed group.
const CARD: (f64, f64) = (208.0, 64.0);
const CLOSED_GROUP: (f64, f64) = (224.0, 80.0);

/// Which groups a page wants closed, and which open; of the others their size decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Folding {
    pub(crate) collapsed: BTreeSet<TaskId>,
    pub(crate) expanded: BTreeSet<TaskId>,
}

/// What is drawn: cards, frames and edges between them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    pub(crate) nodes: Vec<SceneNode>,
    pub(crate) edges: Vec<SceneEdge>,
    /// All groups, outer ones first, those inside of closed ones too.
    pub(crate) groups: Vec<SceneGroup>,
}

/// A card, or the frame of an open group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SceneNode {
    pub(crate) id: TaskId,
    pub(crate) label: String,
    pub(crate) kind: NodeKind,
    pub(crate) status: TaskStatus,
    pub(crate) is_frame: bool,
    pub(crate) size: (f64, f64),
    /// The frame it is in, by its place among the nodes.
    pub(crate) frame: Option<usize>,
}

/// An edge between two of the nodes, by their places.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SceneEdge {
    pub(crate) source: usize,
    pub(crate) target: usize,
    pub(crate) kind: EdgeKind,
    pub(crate) count: u64,
}

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SceneGroup {
    pub(crate) id: TaskId,
    pub(crate) label: String,
    pub(crate) parent: Option<TaskId>,
    pub(crate) collapsed: bool,
    /// Its place among the nodes, where it is drawn.
    pub(crate) node: Option<usize>,
    pub(crate) tasks: u64,
    pub(crate) status: TaskStatus,
    pub(crate) by_status: BTreeMap<TaskStatus, u64>,
}

impl Scene {
    /// What is drawn of a graph that is folded so.
    pub(crate) fn new(graph: &row::Graph, folding: &Folding) -> Self {
        let tree = Tree::new(graph);
        let counts = tree.counts();
        let is_closed: Vec<_> = (0..tree.items.len())
            .map(|item| {
                let id = &tree.items[item].id;
                let is_large = counts[item].values().sum::<u64>() > OPEN_AT_MOST;
                tree.items[item].is_group
                    && (folding.collapsed.contains(id) || (is_large && !folding.expanded.contains(id)))
            })
            .collect();
        let shown = tree.shown(&is_closed);
        let mut scene = Self::default();
        let mut place = vec![None; tree.items.len()];
        for item in tree.outer_first().into_iter().filter(|item| shown[*item] == *item) {
            place[item] = Some(scene.nodes.len());
            let what = &tree.items[item];
            let is_frame = what.is_group && !is_closed[item];
            let status =
                if what.is_group { worst(&counts[item]).unwrap_or(what.status) } else { what.status };
            scene.nodes.push(SceneNode {
                id: what.id.clone(),
                label: what.label.clone(),
                kind: what.kind,
                status,
                is_frame,
                size: if what.is_group { CLOSED_GROUP } else { CARD },
                frame: what.parent.and_then(|parent| place[parent]),
            });
        }
        for item in tree.outer_first().into_iter().filter(|item| tree.items[*item].is_group) {
            let what = &tree.items[item];
            scene.groups.push(SceneGroup {
                id: what.id.clone(),
                label: what.label.clone(),
                parent: what.parent.map(|parent| tree.items[parent].id.clone()),
                collapsed: is_closed[item],
                node: place[item],
                tasks: counts[item].values().sum(),
                status: worst(&counts[item]).unwrap_or(what.status),
                by_status: counts[item].clone(),
            });
        }
        scene.edges = edges(graph, &tree, &shown, &place);
        scene
    }

    /// What `graflow_layout` lays out.
    pub(crate) fn graph(&self) -> Option<Graph> {
        let node = |node: &SceneNode| {
            let shape = if node.is_frame {
                Node::frame(node.id.as_str())
            } else {
                Node::card(node.id.as_str(), node.size.0, node.size.1)
            };
            node.frame.map_or(shape.clone(), |frame| shape.within(frame))
        };
        let edge = |edge: &SceneEdge| Edge { source: edge.source, target: edge.target };
        Graph::new(self.nodes.iter().map(node).collect(), self.edges.iter().map(edge).collect())
            .inspect_err(|error| tracing::error!(error = %error, "a graph cannot be drawn"))
            .ok()
    }
}

/// Edges between what is shown: several that look the same are one, with their counts added.
fn edges(graph: &row::Graph, tree: &Tree, shown: &[usize], place: &[Option<usize>]) -> Vec<SceneEdge> {
    let mut edges: Vec<SceneEdge> = Vec::new();
    let mut known: HashMap<(usize, usize), usize> = HashMap::new();
    for edge in graph.edges.iter().filter(|edge| edge.kind != EdgeKind::GroupMember) {
        let ends = tree.place.get(&edge.source).zip(tree.place.get(&edge.target));
        let Some((&source, &target)) = ends else { continue };
        let (from, to) = (shown[source], shown[target]);
        // Inside of a closed group nothing is drawn; between a frame and what is in it the frame says it.
        let is_inside = from == to && (source != target || from != source);
        if is_inside || tree.is_within(from, to) || tree.is_within(to, from) {
            continue;
        }
        let (Some(source), Some(target)) = (place[from], place[to]) else { continue };
        if let Some(same) = known.get(&(source, target)) {
            edges[*same].count += edge.count;
        } else {
            known.insert((source, target), edges.len());
            edges.push(SceneEdge { source, target, kind: edge.kind, count: edge.count });
        }
    }
    edges
}

fn worst(counts: &BTreeMap<TaskStatus, u64>) -> Option<TaskStatus> {
    counts.keys().copied().max_by_key(|status| status.severity())
}

/// Tasks and groups, each under the group it is in.
struct Tree {
    items: Vec<Item>,
    place: HashMap<TaskId, usize>,
}

struct Item {
    id: TaskId,
    label: String,
    kind: NodeKind,
    status: TaskStatus,
    is_group: bool,
    parent: Option<usize>,
}

impl Tree {
    fn new(graph: &row::Graph) -> Self {
        let mut items: Vec<_> = graph
            .nodes
            .iter()
            .map(|node| Item {
                id: node.id.clone(),
                label: node.id.to_string(),
                kind: node.kind,
                status: node.status,
                is_group: node.kind == NodeKind::Group,
                parent: None,
            })
            .collect();
        let mut place: HashMap<_, _> =
            items.iter().enumerate().map(|(place, item)| (item.id.clone(), place)).collect();
        for (item, node) in graph.nodes.iter().enumerate() {
            let group = node.group.as_ref().and_then(|group| place.get(group)).copied();
            items[item].parent = group.filter(|group| items[*group].is_group && *group != item);
        }
        break_circles(&mut items);
        for family in families(&graph.nodes, &graph.edges) {
            let group = items.len();
            for member in family.members {
                items[member].parent = Some(group);
            }
            // Should a task have that name, it keeps it and the family goes without edges of its own.
            place.entry(family.id.clone()).or_insert(group);
            items.push(Item {
                id: family.id,
                label: family.label,
                kind: NodeKind::Group,
                status: TaskStatus::Pending,
                is_group: true,
                parent: None,
            });
        }
        Self { items, place }
    }

    fn above(&self, item: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.items[item].parent, |item| self.items[*item].parent)
    }

    fn is_within(&self, item: usize, group: usize) -> bool {
        self.above(item).any(|above| above == group)
    }

    /// Tasks by where they stand, of each group and all that is inside of it.
    fn counts(&self) -> Vec<BTreeMap<TaskStatus, u64>> {
        let mut counts = vec![BTreeMap::new(); self.items.len()];
        for item in (0..self.items.len()).filter(|item| !self.items[*item].is_group) {
            for group in self.above(item) {
                *counts[group].entry(self.items[item].status).or_default() += 1;
            }
        }
        counts
    }

    /// As what each item is shown: as itself, or as the outermost closed group around it.
    fn shown(&self, is_closed: &[bool]) -> Vec<usize> {
        let outermost = |item| self.above(item).filter(|group| is_closed[*group]).last();
        (0..self.items.len()).map(|item| outermost(item).unwrap_or(item)).collect()
    }

    /// Groups before what is in them; else as they were declared, a family where its first member was.
    fn outer_first(&self) -> Vec<usize> {
        let mut first = (0..self.items.len()).collect::<Vec<_>>();
        for item in 0..self.items.len() {
            for group in self.above(item) {
                first[group] = first[group].min(item);
            }
        }
        let mut order: Vec<_> =
            (0..self.items.len()).map(|item| (first[item], self.above(item).count(), item)).collect();
        order.sort_unstable();
        let mut listed = HashSet::with_capacity(order.len());
        let mut sorted = Vec::with_capacity(order.len());
        for (_, _, item) in order {
            let mut way: Vec<_> = self.above(item).take_while(|group| !listed.contains(group)).collect();
            way.reverse();
            for item in way.into_iter().chain([item]) {
                if listed.insert(item) {
                    sorted.push(item);
                }
            }
        }
        sorted
    }
}

/// Groups that hold each other, as producers that contradict themselves may say, are taken out of one another.
fn break_circles(items: &mut [Item]) {
    for item in 0..items.len() {
        let mut seen = HashSet::from([item]);
        let mut at = item;
        while let Some(parent) = items[at].parent {
            if !seen.insert(parent) {
                items[at].parent = None;
                break;
            }
            at = parent;
        }
    }
}
