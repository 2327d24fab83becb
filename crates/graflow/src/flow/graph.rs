//! The graph: vertices by number, forward edges and back edges.
//!
//! A group is two vertices, its begin and its end; both are one node to the outside, the begin's number. An edge is a
//! back edge if, when declared, its target already reaches its source; the forward edges alone have no cycle.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use graflow_model::{EdgeKind, NodeKind};

use super::compose::Flow;
use super::lower::Place;
use super::policy::GroupPolicy;
use crate::error::Problem;
use crate::task::TaskNode;

/// A vertex that is in no group has this for one.
pub(crate) const NO_GROUP: u32 = u32::MAX;

#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    pub(crate) vertices: Vec<Vertex>,
    pub(crate) groups: Vec<GroupShape>,
    /// The edges that people see, in the order of declaration.
    pub(crate) edges: Vec<EdgeShape>,
    /// What was wrong while building.
    pub(crate) problems: Vec<Problem>,
    pub(crate) by_id: Arc<HashMap<Arc<str>, u32>>,
    declared: HashSet<(u32, u32)>,
    /// How many groups were given a name.
    pub(super) unnamed_groups: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Vertex {
    pub(crate) id: Arc<str>,
    pub(crate) kind: VertexKind,
    pub(crate) origin: NodeKind,
    /// The innermost group that it is inside of.
    pub(crate) group: u32,
    /// Of that group, the member that it belongs to.
    pub(crate) member: u32,
    /// Forward edges out and in.
    pub(crate) successors: Vec<u32>,
    pub(crate) predecessors: Vec<u32>,
    /// Back edges out.
    pub(crate) back: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(crate) enum VertexKind {
    Task(TaskNode),
    Begin(u32),
    End(u32),
}

#[derive(Debug, Clone)]
pub(crate) struct GroupShape {
    pub(crate) begin: u32,
    pub(crate) end: u32,
    pub(crate) policy: Arc<dyn GroupPolicy>,
    pub(crate) members: Vec<MemberShape>,
    /// The vertices of its members, without those of groups inside of it.
    pub(crate) inside: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct MemberShape {
    /// The last vertices: tasks, or ends of groups.
    pub(crate) exits: Vec<u32>,
}

/// An edge between nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EdgeShape {
    pub(crate) source: u32,
    pub(crate) target: u32,
    pub(crate) kind: EdgeKind,
    pub(crate) is_back: bool,
}

/// An edge that leaves the begin of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupEdge {
    /// To the first task of a member.
    Member,
    /// To the group's own end.
    End { is_empty: bool },
}

/// How far a graph had grown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GraphSize {
    pub(crate) vertices: usize,
    groups: usize,
    pub(crate) edges: usize,
    unnamed_groups: usize,
}

impl Graph {
    /// Adds the flow of a workflow that does not run yet.
    pub(crate) fn add(&mut self, flow: Flow) {
        self.lower(flow.shape, Place { origin: NodeKind::Static, group: NO_GROUP, member: 0, first_new: 0 });
    }

    /// Adds a flow while the workflow runs, on behalf of a task; inside of a group it belongs to the same member.
    /// Gives the vertices that it starts with.
    pub(crate) fn add_dynamic(&mut self, flow: Flow, adder: u32, first_new: u32) -> Vec<u32> {
        let Vertex { group, member, .. } = *self.vertex(adder);
        let ends = self.lower(flow.shape, Place { origin: NodeKind::Dynamic, group, member, first_new });
        for &target in &ends.entries {
            self.edges.push(EdgeShape { source: adder, target, kind: EdgeKind::Dynamic, is_back: false });
        }
        if let Some(outer) = self.groups.get(group as usize) {
            let end = outer.end;
            for exit in ends.exits {
                self.link_new(exit, end, None);
            }
        }
        ends.entries
    }

    pub(crate) fn size(&self) -> GraphSize {
        GraphSize {
            vertices: self.vertices.len(),
            groups: self.groups.len(),
            edges: self.edges.len(),
            unnamed_groups: self.unnamed_groups,
        }
    }

    /// Withdraws what was added while the workflow ran, since the graph had this size.
    pub(crate) fn shrink(&mut self, size: GraphSize) {
        let by_id = Arc::make_mut(&mut self.by_id);
        let is_old = |vertex: &u32| (*vertex as usize) < size.vertices;
        for vertex in &self.vertices[size.vertices..] {
            // What had the same name, and was therefore refused, has not taken it.
            if by_id.get(&vertex.id).is_some_and(|known| !is_old(known)) {
                by_id.remove(&vertex.id);
            }
        }
        self.unnamed_groups = size.unnamed_groups;
        self.vertices.truncate(size.vertices);
        self.groups.truncate(size.groups);
        self.edges.truncate(size.edges);
        self.problems.clear();
        self.declared.retain(|(source, target)| is_old(source) && is_old(target));
        for group in &mut self.groups {
            group.inside.retain(is_old);
            self.vertices[group.end as usize].predecessors.retain(is_old);
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn vertex(&self, vertex: u32) -> &Vertex {
        &self.vertices[vertex as usize]
    }

    pub(crate) fn task(&self, vertex: u32) -> Option<&TaskNode> {
        match &self.vertex(vertex).kind {
            VertexKind::Task(node) => Some(node),
            _ => None,
        }
    }

    /// The node that a vertex is to the outside: a group's end is its group.
    pub(crate) fn node(&self, vertex: u32) -> u32 {
        match self.vertex(vertex).kind {
            VertexKind::End(group) => self.groups[group as usize].begin,
            _ => vertex,
        }
    }

    /// The vertex whose end is the end of the node: of a group its end.
    pub(crate) fn end_of(&self, node: u32) -> u32 {
        match self.vertex(node).kind {
            VertexKind::Begin(group) => self.groups[group as usize].end,
            _ => node,
        }
    }

    /// The nodes, without the ends of groups.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (u32, &Vertex)> {
        self.nodes_from(0)
    }

    /// The nodes from a vertex on.
    pub(crate) fn nodes_from(&self, first: usize) -> impl Iterator<Item = (u32, &Vertex)> {
        let numbered = self.vertices.iter().enumerate().skip(first);
        let numbered = numbered.map(|(number, vertex)| (index(number), vertex));
        numbered.filter(|(_, vertex)| !matches!(vertex.kind, VertexKind::End(_)))
    }

    /// The vertices without forward predecessors.
    pub(crate) fn starts(&self) -> Vec<u32> {
        let numbered = self.vertices.iter().enumerate();
        numbered
            .filter(|(_, vertex)| vertex.predecessors.is_empty())
            .map(|(number, _)| index(number))
            .collect()
    }

    pub(crate) fn is_group_end(&self, vertex: u32) -> bool {
        matches!(self.vertex(vertex).kind, VertexKind::End(_))
    }

    /// What an edge is that leaves the begin of a group.
    pub(crate) fn group_edge(&self, source: u32, target: u32) -> Option<GroupEdge> {
        let VertexKind::Begin(group) = self.vertex(source).kind else { return None };
        let group = &self.groups[group as usize];
        Some(if group.end == target {
            GroupEdge::End { is_empty: group.inside.is_empty() }
        } else {
            GroupEdge::Member
        })
    }

    /// The ids of all nodes, for messages; the first few.
    pub(crate) fn names(&self) -> String {
        const SHOWN: usize = 12;
        let names: Vec<&str> = self.nodes().take(SHOWN + 1).map(|(_, vertex)| &*vertex.id).collect();
        match names.len() {
            0 => "none".into(),
            length if length > SHOWN => format!("{}, …", names[..SHOWN].join(", ")),
            _ => names.join(", "),
        }
    }

    /// Declares an edge between two nodes, as `>>` does.
    ///
    /// # Errors
    /// The two are one.
    pub(crate) fn connect(&mut self, source: u32, target: u32) -> Result<(), Problem> {
        self.link(self.end_of(source), target, Some(EdgeKind::Static))
    }

    pub(super) fn add_vertex(&mut self, id: Arc<str>, kind: VertexKind, place: Place) -> u32 {
        let number = self.push(Vertex::new(Arc::clone(&id), kind, place));
        Arc::make_mut(&mut self.by_id).entry(id).or_insert(number);
        number
    }

    pub(super) fn push(&mut self, vertex: Vertex) -> u32 {
        let number = index(self.vertices.len());
        if let Some(group) = self.groups.get_mut(vertex.group as usize) {
            group.inside.push(number);
        }
        self.vertices.push(vertex);
        number
    }

    /// Adds an edge between vertices; one without a kind is not shown.
    ///
    /// # Errors
    /// A task or group would follow itself. That is a loop by the letter, and what people write who forget that a
    /// task of one name is one task.
    pub(super) fn link(&mut self, source: u32, target: u32, kind: Option<EdgeKind>) -> Result<(), Problem> {
        if self.node(source) == target {
            return Err(Problem::FollowsItself { task: self.vertex(target).id.to_string() });
        }
        self.link_new(source, target, kind);
        Ok(())
    }

    /// Adds an edge between vertices that are known not to be one node, or to be the begin and end of one.
    pub(super) fn link_new(&mut self, source: u32, target: u32, kind: Option<EdgeKind>) {
        if !self.declared.insert((source, target)) {
            return;
        }
        let is_back = self.reaches(target, source);
        if is_back {
            self.vertices[source as usize].back.push(target);
        } else {
            self.vertices[source as usize].successors.push(target);
            self.vertices[target as usize].predecessors.push(source);
        }
        if let Some(kind) = kind {
            self.edges.push(EdgeShape { source: self.node(source), target, kind, is_back });
        }
    }

    /// Whether forward edges lead from one vertex to another.
    pub(crate) fn reaches(&self, from: u32, to: u32) -> bool {
        if from == to {
            return true;
        }
        // New ends of a growing flow, by far the most common case, need no search.
        if self.vertex(from).successors.is_empty() || self.vertex(to).predecessors.is_empty() {
            return false;
        }
        let mut seen = vec![false; self.vertices.len()];
        let mut stack = vec![from];
        while let Some(vertex) = stack.pop() {
            if vertex == to {
                return true;
            }
            if !std::mem::replace(&mut seen[vertex as usize], true) {
                stack.extend_from_slice(&self.vertex(vertex).successors);
            }
        }
        false
    }
}

impl Vertex {
    pub(super) fn new(id: Arc<str>, kind: VertexKind, place: Place) -> Self {
        Self {
            id,
            kind,
            origin: place.origin,
            group: place.group,
            member: place.member,
            successors: Vec::new(),
            predecessors: Vec::new(),
            back: Vec::new(),
        }
    }
}

/// Vertices are counted in 32 bits: a graph of four thousand million tasks does not fit into memory.
pub(crate) fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX - 1)
}
