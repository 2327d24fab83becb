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

/// What is to be done for a flow, one after the other: flows may be nested deeper than a thread's stack.
enum Work {
    Lower(Shape, Place),
    /// The flow that was lowered last follows the one before it.
    Follow(EdgeKind),
    /// It stands beside the one before it.
    Beside,
    /// It is a member of a group.
    Member(u32),
    /// All members of a group are there.
    Close(u32),
}

impl Graph {
    pub(super) fn lower(&mut self, shape: Shape, place: Place) -> Ends {
        let mut work = vec![Work::Lower(shape, place)];
        let mut lowered: Vec<Ends> = Vec::new();
        while let Some(next) = work.pop() {
            match next {
                Work::Lower(shape, place) => {
                    let (ends, inside) = self.open(shape, place);
                    lowered.extend(ends);
                    work.extend(inside.into_iter().rev());
                }
                Work::Follow(kind) => {
                    let last = lowered.pop().unwrap_or_default();
                    if let Some(before) = lowered.last_mut()
                        && !last.entries.is_empty()
                    {
                        self.link_all(&before.exits, &last.entries, kind);
                        if before.entries.is_empty() {
                            before.entries = last.entries;
                        }
                        before.exits = last.exits;
                    }
                }
                Work::Beside => {
                    let last = lowered.pop().unwrap_or_default();
                    if let Some(before) = lowered.last_mut() {
                        before.entries.extend(last.entries);
                        before.exits.extend(last.exits);
                    }
                }
                Work::Member(group) => {
                    let ends = lowered.pop().unwrap_or_default();
                    self.add_member(group, ends);
                }
                Work::Close(group) => {
                    let GroupShape { begin, end, .. } = self.groups[group as usize];
                    self.link_new(begin, end, None);
                    lowered.push(Ends { entries: vec![begin], exits: vec![end] });
                }
            }
        }
        lowered.pop().unwrap_or_default()
    }

    /// The ends of a task; of everything else, nothing yet, and what is to be done for what is inside of it.
    fn open(&mut self, shape: Shape, place: Place) -> (Option<Ends>, Vec<Work>) {
        let lower = |shape| Work::Lower(shape, place);
        match shape {
            Shape::Task(node) => {
                let vertex = self.add_task(node, place);
                (Some(Ends { entries: vec![vertex], exits: vec![vertex] }), Vec::new())
            }
            Shape::Branches(branches) => {
                let inside = branches.into_iter().flat_map(|branch| [lower(branch), Work::Beside]);
                (Some(Ends::default()), inside.collect())
            }
            Shape::Sequence(steps) => {
                let is_dynamic = place.origin == NodeKind::Dynamic;
                let kind = if is_dynamic { EdgeKind::Dynamic } else { EdgeKind::Static };
                let inside = steps.into_iter().flat_map(|step| [lower(step), Work::Follow(kind)]);
                (Some(Ends::default()), inside.collect())
            }
            Shape::Group { name, policy, members } => {
                let group = self.add_group(name, policy, place);
                let members = members.into_iter().enumerate().flat_map(|(member, shape)| {
                    let inside = Place { group, member: index(member), ..place };
                    [Work::Lower(shape, inside), Work::Member(group)]
                });
                (None, members.chain([Work::Close(group)]).collect())
            }
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

    /// Adds a group without members, and gives its number.
    fn add_group(&mut self, name: Option<Arc<str>>, policy: Arc<dyn GroupPolicy>, place: Place) -> u32 {
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
        number
    }

    fn add_member(&mut self, group: u32, ends: Ends) {
        let GroupShape { begin, end, .. } = self.groups[group as usize];
        for &entry in &ends.entries {
            self.link_new(begin, entry, Some(EdgeKind::GroupMember));
        }
        for &exit in &ends.exits {
            self.link_new(exit, end, None);
        }
        self.groups[group as usize].members.push(MemberShape { exits: ends.exits });
    }

    fn next_group_name(&mut self) -> Arc<str> {
        loop {
            self.unnamed_groups += 1;
            let name = format!("parallel_{}", self.unnamed_groups);
            if self.find(&name).is_none() {
                return name.into();
            }
        }
    }
}
