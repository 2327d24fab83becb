//! From a flow, as it is written, to vertices and edges.

use std::sync::Arc;

use graflow_model::{EdgeKind, NodeKind};

use super::compose::Shape;
use super::graph::{Graph, GroupShape, MemberShape, NO_GROUP, Vertex, VertexKind, index};
use super::names::check_task_name;
use super::policy::GroupPolicy;
use crate::error::Problem;
use crate::task::TaskNode;

/// Most edges of a graph: a thousand tasks each of which leads to a thousand others.
const MOST_EDGES: usize = 1_000_000;

/// Where a flow begins and ends.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) entries: Vec<u32>,
    pub(super) exits: Vec<u32>,
}

/// What is being added, and to where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) origin: NodeKind,
    pub(super) group: u32,
    pub(super) member: u32,
    /// Vertices from here on are new; a running workflow may not touch those before.
    pub(super) first_new: u32,
}

impl Graph {
    pub(super) fn lower(&mut self, shape: Shape, place: Place) -> Ends {
        match shape {
            Shape::Task(node) => {
                let vertex = self.add_task(node, place);
                Ends { entries: vec![vertex], exits: vec![vertex] }
            }
            Shape::Branches(branches) => {
                let mut ends = Ends::default();
                for branch in branches {
                    let branch = self.lower(branch, place);
                    ends.entries.extend(branch.entries);
                    ends.exits.extend(branch.exits);
                }
                ends
            }
            Shape::Sequence(steps) => {
                let kind =
                    if place.origin == NodeKind::Dynamic { EdgeKind::Dynamic } else { EdgeKind::Static };
                let mut ends = Ends::default();
                for step in steps {
                    let step = self.lower(step, place);
                    if step.entries.is_empty() {
                        continue;
                    }
                    self.link_all(&ends.exits, &step.entries, kind);
                    if ends.entries.is_empty() {
                        ends.entries = step.entries;
                    }
                    ends.exits = step.exits;
                }
                ends
            }
            Shape::Group { name, policy, members } => self.add_group(name, policy, members, place),
        }
    }

    /// Every task on the left leads to every one on the right.
    fn link_all(&mut self, sources: &[u32], targets: &[u32], kind: EdgeKind) {
        let edges = sources.len().saturating_mul(targets.len());
        if self.edges.len().saturating_add(edges) > MOST_EDGES {
            let (sources, targets) = (sources.len(), targets.len());
            self.problems.push(Problem::TooManyEdges { sources, targets, most: MOST_EDGES });
            return;
        }
        for &source in sources {
            for &target in targets {
                if let Err(problem) = self.link(source, target, Some(kind)) {
                    self.problems.push(problem);
                }
            }
        }
    }

    fn add_task(&mut self, node: TaskNode, place: Place) -> u32 {
        let Some(known) = self.find(node.id()) else {
            self.problems.extend(check_task_name(node.id()).err());
            return self.add_vertex(node.shared_id(), VertexKind::Task(node), place);
        };
        let problem = match &self.vertex(known).kind {
            VertexKind::Task(_) if known < place.first_new => Some(
                "it exists already; go there with ctx.jump(…), or give the new one an id with .named(…)"
                    .to_owned(),
            ),
            VertexKind::Task(other) if !std::ptr::eq(other.spec, node.spec) => {
                let (first, second) = (other.spec, node.spec);
                Some(format!(
                    "it is both {} ({}:{}) and {} ({}:{}); give one of them an id with .named(…)",
                    first.function, first.file, first.line, second.function, second.file, second.line
                ))
            }
            VertexKind::Task(other) if !other.bound.is_empty() && !node.bound.is_empty() => {
                Some("it is used twice, with values bound to both; give each an id with .named(…)".to_owned())
            }
            VertexKind::Task(_) => self.other_group(known, place),
            _ => Some("there is a parallel group of that name".to_owned()),
        };
        match problem {
            Some(reason) => {
                self.problems.push(Problem::DuplicateTask { task: node.id().to_owned(), reason });
            }
            None => {
                if let VertexKind::Task(other) = &mut self.vertices[known as usize].kind
                    && !node.bound.is_empty()
                {
                    other.bound = node.bound;
                }
            }
        }
        known
    }

    fn other_group(&self, known: u32, place: Place) -> Option<String> {
        let vertex = self.vertex(known);
        if vertex.group == place.group && (vertex.member == place.member || place.group == NO_GROUP) {
            return None;
        }
        let group =
            self.groups.get(vertex.group as usize).or_else(|| self.groups.get(place.group as usize))?;
        let group = &self.vertex(group.begin).id;
        Some(format!("it is a member of group `{group}` and stands outside of that member as well"))
    }

    fn add_group(
        &mut self,
        name: Option<Arc<str>>,
        policy: Arc<dyn GroupPolicy>,
        members: Vec<Shape>,
        place: Place,
    ) -> Ends {
        let id = name.unwrap_or_else(|| self.next_group_name());
        self.problems.extend(check_task_name(&id).err());
        if self.find(&id).is_some() {
            let reason = "there is a task or group of that name already".to_owned();
            self.problems.push(Problem::DuplicateTask { task: id.to_string(), reason });
        }
        let number = index(self.groups.len());
        let begin = self.add_vertex(Arc::clone(&id), VertexKind::Begin(number), place);
        let end = self.push(Vertex::new(id, VertexKind::End(number), place));
        self.groups.push(GroupShape { begin, end, policy, members: Vec::new(), inside: Vec::new() });
        for (member, shape) in members.into_iter().enumerate() {
            let inside = Place { group: number, member: index(member), ..place };
            let ends = self.lower(shape, inside);
            for &entry in &ends.entries {
                self.link_new(begin, entry, Some(EdgeKind::GroupMember));
            }
            for &exit in &ends.exits {
                self.link_new(exit, end, None);
            }
            self.groups[number as usize].members.push(MemberShape { exits: ends.exits });
        }
        self.link_new(begin, end, None);
        Ends { entries: vec![begin], exits: vec![end] }
    }

    fn next_group_name(&self) -> Arc<str> {
        let mut number = 1;
        loop {
            let name = format!("parallel_{number}");
            if self.find(&name).is_none() {
                return name.into();
            }
            number += 1;
        }
    }
}
