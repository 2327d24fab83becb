//! A picture that pages follow, and what of it changed when.

use std::collections::HashMap;

use graflow_layout::{Picture, Rect, layout};
use graflow_model::TaskId;
use graflow_wire as wire;

use super::scene::{Scene, SceneEdge, SceneNode};

/// A picture, and when what of it last changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Followed {
    pub(super) scene: Scene,
    picture: Picture,
    /// Rises with each change.
    pub(super) generation: u64,
    nodes: HashMap<TaskId, u64>,
    edges: HashMap<(TaskId, TaskId), u64>,
    removed_nodes: HashMap<TaskId, u64>,
    removed_edges: HashMap<(TaskId, TaskId), u64>,
}

impl Scene {
    /// Whether it is drawn the same: only where tasks stand, and how often edges were taken, may differ.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let node = |one: &SceneNode, other: &SceneNode| {
            one.id == other.id
                && one.is_frame == other.is_frame
                && one.size == other.size
                && one.frame == other.frame
        };
        let edge =
            |one: &SceneEdge, other: &SceneEdge| (one.source, one.target) == (other.source, other.target);
        self.nodes.len() == other.nodes.len()
            && self.edges.len() == other.edges.len()
            && self.nodes.iter().zip(&other.nodes).all(|(one, other)| node(one, other))
            && self.edges.iter().zip(&other.edges).all(|(one, other)| edge(one, other))
    }

    fn edge_ids(&self, edge: &SceneEdge) -> (TaskId, TaskId) {
        (self.nodes[edge.source].id.clone(), self.nodes[edge.target].id.clone())
    }
}

impl Followed {
    /// Cards and edges.
    pub(super) fn weight(&self) -> usize {
        self.scene.nodes.len() + self.scene.edges.len()
    }

    /// Goes on to what the graph is now.
    pub(super) fn advance(&mut self, scene: Scene) {
        if self.scene.looks_like(&scene) {
            let counts = |scene: &Scene| scene.edges.iter().map(|edge| edge.count).collect::<Vec<_>>();
            if counts(&self.scene) == counts(&scene) {
                self.scene = scene;
                return;
            }
            let picture = self.picture.clone();
            return self.take(scene, picture);
        }
        let picture = scene.graph().map(|graph| layout(&graph, Some(&self.picture))).unwrap_or_default();
        self.take(scene, picture);
    }

    /// Takes the place of what was, and notes what differs.
    pub(super) fn take(&mut self, scene: Scene, picture: Picture) {
        self.generation += 1;
        let before: HashMap<_, _> = (self.scene.nodes.iter().zip(&self.picture.nodes))
            .map(|(node, rect)| (&node.id, (*rect, node.is_frame)))
            .collect();
        let edges_before: HashMap<_, _> = (self.scene.edges.iter().zip(&self.picture.edges))
            .map(|(edge, route)| (self.scene.edge_ids(edge), (route, edge.count)))
            .collect();
        let (mut nodes, mut edges) = (HashMap::new(), HashMap::new());
        for (node, rect) in scene.nodes.iter().zip(&picture.nodes) {
            let is_same = before.get(&node.id) == Some(&(*rect, node.is_frame));
            let since = self.nodes.get(&node.id).copied().filter(|_| is_same);
            nodes.insert(node.id.clone(), since.unwrap_or(self.generation));
        }
        for (edge, route) in scene.edges.iter().zip(&picture.edges) {
            let ids = scene.edge_ids(edge);
            let is_same = edges_before.get(&ids) == Some(&(route, edge.count));
            let since = self.edges.get(&ids).copied().filter(|_| is_same);
            edges.insert(ids, since.unwrap_or(self.generation));
        }
        let gone = self.nodes.keys().filter(|id| !nodes.contains_key(*id));
        self.removed_nodes.extend(gone.map(|id| (id.clone(), self.generation)));
        self.removed_nodes.retain(|id, _| !nodes.contains_key(id));
        let gone = self.edges.keys().filter(|ids| !edges.contains_key(*ids));
        self.removed_edges.extend(gone.map(|ids| (ids.clone(), self.generation)));
        self.removed_edges.retain(|ids, _| !edges.contains_key(ids));
        (self.scene, self.picture, self.nodes, self.edges) = (scene, picture, nodes, edges);
    }

    /// What changed after that generation, or everything.
    pub(super) fn since(&self, generation: Option<u64>) -> Changes {
        let is_new = |changed: Option<&u64>| match (generation, changed) {
            (Some(generation), Some(changed)) => *changed > generation,
            _ => true,
        };
        let mut changes = Changes { bounds: bounds(self.picture.bounds), ..Changes::default() };
        for (node, rect) in self.scene.nodes.iter().zip(&self.picture.nodes) {
            if node.is_frame || !is_new(self.nodes.get(&node.id)) {
                continue;
            }
            let columns = &mut changes.nodes;
            columns.id.push(node.id.clone());
            columns.x.push(rect.x);
            columns.y.push(rect.y);
            columns.width.push(rect.width);
            columns.height.push(rect.height);
            columns.kind.push(node.kind);
            columns.status.push(node.status);
            columns.group.push(node.frame.map(|frame| self.scene.nodes[frame].id.clone()));
        }
        for (edge, route) in self.scene.edges.iter().zip(&self.picture.edges) {
            let (source, target) = self.scene.edge_ids(edge);
            let ids = (source, target);
            if !is_new(self.edges.get(&ids)) {
                continue;
            }
            let columns = &mut changes.edges;
            columns.source.push(ids.0);
            columns.target.push(ids.1);
            columns.kind.push(edge.kind);
            columns.count.push(edge.count);
            columns.back.push(route.is_back);
            columns
                .route
                .push(route.points.iter().flat_map(|point| [tenth(point.x), tenth(point.y)]).collect());
            columns.label.push((tenth(route.label.x), tenth(route.label.y)));
        }
        changes.groups = self
            .scene
            .groups
            .iter()
            .map(|group| wire::LayoutGroup {
                id: group.id.clone(),
                label: group.label.clone(),
                parent: group.parent.clone(),
                collapsed: group.collapsed,
                bounds: group.node.and_then(|node| self.picture.nodes.get(node)).map(|rect| bounds(*rect)),
                tasks: group.tasks,
                status: group.status,
                by_status: group.by_status.clone(),
            })
            .collect();
        if let Some(generation) = generation {
            let is_later = |changed: &u64| *changed > generation;
            let nodes = self.removed_nodes.iter().filter(|(_, changed)| is_later(changed));
            let edges = self.removed_edges.iter().filter(|(_, changed)| is_later(changed));
            changes.removed_nodes = nodes.map(|(id, _)| id.clone()).collect();
            changes.removed_edges = edges.map(|(ids, _)| ids.clone()).collect();
            changes.removed_nodes.sort_unstable();
            changes.removed_edges.sort_unstable();
        }
        changes
    }
}

/// An answer but for its head.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) bounds: wire::Bounds,
    pub(super) nodes: wire::LayoutNodes,
    pub(super) groups: Vec<wire::LayoutGroup>,
    pub(super) edges: wire::LayoutEdges,
    pub(super) removed_nodes: Vec<TaskId>,
    pub(super) removed_edges: Vec<(TaskId, TaskId)>,
}

fn bounds(rect: Rect) -> wire::Bounds {
    wire::Bounds { x: tenth(rect.x), y: tenth(rect.y), width: tenth(rect.width), height: tenth(rect.height) }
}

/// Tenths of a pixel are finer than anybody sees, and shorter to write.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
