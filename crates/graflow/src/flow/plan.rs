//! Where each parameter's value will come from, found before anything runs; and everything that is wrong, at once.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::graph::{Graph, VertexKind};
use crate::error::Problem;
use crate::key::KeyDeclaration;
use crate::task::{Parameter, ParameterKind, TaskNode};
use crate::value::{Value, ValueType};

/// The source of every parameter of every vertex, by the vertex's number.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    sources: Vec<Box<[Source]>>,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// It is known already: bound, or a resource.
    Known(Value),
    /// The result of a task, or the members of a group, by the node's number.
    Result(u32),
    /// The channel.
    Key(&'static str),
    /// The value of the previous pass, or else this one.
    Iteration(Option<Value>),
}

/// What there is besides the graph.
pub(crate) struct Available<'a> {
    /// Keys that have a value now.
    pub(crate) keys: BTreeMap<&'a str, &'static ValueType>,
    /// Resources by type.
    pub(crate) resources: &'a HashMap<TypeId, Value>,
    /// Whether a node has a result now.
    pub(crate) has_result: &'a dyn Fn(u32) -> bool,
}

impl Plan {
    pub(crate) fn sources(&self, vertex: u32) -> &[Source] {
        self.sources.get(vertex as usize).map_or(&[], |sources| sources)
    }

    /// Plans the vertices that are not planned yet. Nothing is kept of them when there are problems.
    pub(crate) fn extend(&mut self, graph: &Graph, available: &Available<'_>) -> Result<(), Vec<Problem>> {
        let first = self.sources.len();
        let mut check = Check::new(graph, available);
        for vertex in first..graph.vertices.len() {
            self.sources.push(check.vertex(vertex));
        }
        check.groups(first);
        check.order();
        if check.problems.is_empty() {
            return Ok(());
        }
        self.sources.truncate(first);
        check.problems.sort_by_key(|(vertex, _)| *vertex);
        Err(check.problems.into_iter().map(|(_, problem)| problem).collect())
    }
}

struct Check<'a> {
    graph: &'a Graph,
    available: &'a Available<'a>,
    /// Keys that some task says it writes.
    declared: BTreeMap<&'static str, KeyDeclaration>,
    problems: Vec<(usize, Problem)>,
    /// Results that have to be there first: (node that gives, vertex that takes, its parameter).
    before: Vec<(u32, usize, &'static Parameter)>,
}

impl<'a> Check<'a> {
    fn new(graph: &'a Graph, available: &'a Available<'a>) -> Self {
        let declared = graph
            .vertices
            .iter()
            .filter_map(|vertex| match &vertex.kind {
                VertexKind::Task(node) => Some((node.spec.writes)()),
                _ => None,
            })
            .flatten()
            .map(|key| (key.name, key))
            .collect();
        Self { graph, available, declared, problems: Vec::new(), before: Vec::new() }
    }

    fn vertex(&mut self, number: usize) -> Box<[Source]> {
        let vertex = &self.graph.vertices[number];
        let VertexKind::Task(node) = &vertex.kind else { return Box::default() };
        let output = (node.spec.output)().name();
        if output.starts_with("core::result::Result<") {
            let problem = Problem::HiddenResult { task: vertex.id.to_string(), written: output.to_owned() };
            self.problems.push((number, problem));
        }
        let parameters = node.spec.parameters.iter().enumerate();
        parameters.filter_map(|(slot, parameter)| self.parameter(number, node, slot, parameter)).collect()
    }

    fn parameter(
        &mut self,
        vertex: usize,
        node: &TaskNode,
        slot: usize,
        parameter: &'static Parameter,
    ) -> Option<Source> {
        let bound = node.bound(slot).cloned();
        let fault = match parameter.kind {
            ParameterKind::Iteration => return Some(Source::Iteration(bound)),
            ParameterKind::Resource => match bound.or_else(|| self.resource(parameter)) {
                Some(value) => return Some(Source::Known(value)),
                None => Fault {
                    reason: "there is no resource of that type".into(),
                    hint: "give it with .resource(…)".into(),
                },
            },
            ParameterKind::Members => match self.members(parameter) {
                Ok(node) => {
                    self.before.push((node, vertex, parameter));
                    return Some(Source::Result(node));
                }
                Err(fault) => fault,
            },
            ParameterKind::Required | ParameterKind::Optional => {
                if let Some(value) = bound {
                    return Some(Source::Known(value));
                }
                match self.named(vertex, parameter) {
                    Ok(source) => return Some(source),
                    Err(fault) => fault,
                }
            }
        };
        self.fault(vertex, parameter, fault);
        None
    }

    fn resource(&self, parameter: &Parameter) -> Option<Value> {
        parameter.accepts.iter().find_map(|accepted| self.available.resources.get(&accepted().id)).cloned()
    }

    fn named(&mut self, vertex: usize, parameter: &'static Parameter) -> Result<Source, Fault> {
        let name = parameter.name;
        if let Some(found) = self.graph.find(name) {
            let Some(giver) = self.graph.task(found) else {
                return Err(Fault {
                    reason: format!("`{name}` is a parallel group"),
                    hint: format!("take `{name}: Members<T>`"),
                });
            };
            let output = (giver.spec.output)();
            if !parameter.takes(output) {
                return Err(Fault {
                    reason: format!("task `{name}` gives `{}`", giver.spec.written_output),
                    hint: format!("give the parameter that type, or another name ({})", output.name()),
                });
            }
            if parameter.kind == ParameterKind::Required {
                self.before.push((found, vertex, parameter));
            }
            return Ok(Source::Result(found));
        }
        let there = self.available.keys.get(name).copied();
        match there.or_else(|| self.declared.get(name).map(|key| key.value_type)) {
            Some(value_type) if parameter.takes(value_type) => Ok(Source::Key(name)),
            Some(value_type) => Err(Fault {
                reason: format!("key `{name}` holds `{}`", value_type.name()),
                hint: "give the parameter that type, or another name".into(),
            }),
            None if parameter.kind == ParameterKind::Optional => Ok(Source::Key(name)),
            None => Err(self.nothing(vertex, name)),
        }
    }

    fn nothing(&self, vertex: usize, name: &str) -> Fault {
        let mut results: Vec<&str> = Vec::new();
        for upstream in self.upstream(vertex) {
            let upstream = self.graph.node(upstream);
            results.push(&self.graph.vertex(upstream).id);
        }
        results.sort_unstable();
        results.dedup();
        let keys: Vec<&str> =
            self.available.keys.keys().copied().chain(self.declared.keys().copied()).collect();
        let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let reason = format!(
            "nothing of that name is there; results upstream: {}; keys: {}",
            list(&results),
            list(&keys)
        );
        let every = self.graph.nodes().map(|(_, node)| &*node.id).chain(keys);
        let closest = every.map(|other| (distance(name, other), other)).min();
        let hint = match closest {
            Some((distance, other)) if distance * 2 <= name.len() => format!("did you mean `{other}`?"),
            _ => format!(
                "bind it with .{name}(…), give it with .input(KEY, …), \
                 or, if a task writes that key, say so there: #[task(writes(KEY))]"
            ),
        };
        Fault { reason, hint }
    }

    fn members(&self, parameter: &Parameter) -> Result<u32, Fault> {
        let name = parameter.name;
        let found = self.graph.find(name);
        let group = match found.map(|found| (found, &self.graph.vertex(found).kind)) {
            Some((found, VertexKind::Begin(group))) => (found, &self.graph.groups[*group as usize]),
            Some(_) => {
                let reason = format!("`{name}` is a task, not a parallel group");
                return Err(Fault { reason, hint: format!("make the group: parallel(\"{name}\", …)") });
            }
            None => {
                let reason = "there is no parallel group of that name".to_owned();
                return Err(Fault { reason, hint: format!("make it: parallel(\"{name}\", …)") });
            }
        };
        let (begin, group) = group;
        for member in &group.members {
            let [exit] = member.exits[..] else {
                return Err(Fault {
                    reason: format!("a member of group `{name}` has {} last tasks", member.exits.len()),
                    hint: "a member whose result is read ends with one task".into(),
                });
            };
            let Some(last) = self.graph.task(exit) else { continue };
            if !parameter.takes((last.spec.output)()) {
                return Err(Fault {
                    reason: format!("member `{}` gives `{}`", last.id(), last.spec.written_output),
                    hint: "all members whose results are read give the same type".into(),
                });
            }
        }
        Ok(begin)
    }

    fn groups(&mut self, first: usize) {
        for group in self.graph.groups.iter().filter(|group| group.begin as usize >= first) {
            let ids: Vec<&str> = group
                .members
                .iter()
                .filter_map(|member| member.exits.last())
                .map(|exit| &*self.graph.vertex(self.graph.node(*exit)).id)
                .collect();
            if let Err(reason) = group.policy.check(&ids) {
                let problem = Problem::Group { group: self.graph.vertex(group.begin).id.to_string(), reason };
                self.problems.push((group.begin as usize, problem));
            }
        }
    }

    /// Whether what a task takes comes from a task that runs before it.
    fn order(&mut self) {
        let mut before = std::mem::take(&mut self.before);
        before.retain(|(giver, taker, _)| {
            let direct = self.graph.vertices[*taker].predecessors.contains(&self.graph.end_of(*giver));
            !direct && !(self.available.has_result)(*giver)
        });
        if before.is_empty() {
            return;
        }
        let position = self.positions();
        before.sort_by_key(|(giver, ..)| *giver);
        for takers in before.chunk_by(|(left, ..), (right, ..)| left == right) {
            let giver = takers[0].0;
            let last = takers.iter().map(|(_, taker, _)| position[*taker]).max().unwrap_or(0);
            let reached = self.reached(self.graph.end_of(giver), last, &position);
            for &(_, taker, parameter) in takers {
                if reached.contains(&taker) {
                    continue;
                }
                let (name, id) = (&self.graph.vertex(giver).id, &self.graph.vertices[taker].id);
                let reason = format!("`{name}` is there, and does not run before `{id}`");
                let hint = format!(
                    "put it before, {name} >> … >> {id}; or take an `Option`, if only a later pass has it"
                );
                self.fault(taker, parameter, Fault { reason, hint });
            }
        }
    }

    /// The place of every vertex in an order that the forward edges agree with.
    fn positions(&self) -> Vec<u32> {
        let count = self.graph.vertices.len();
        let mut waiting: Vec<usize> =
            self.graph.vertices.iter().map(|vertex| vertex.predecessors.len()).collect();
        let mut ready: Vec<usize> = (0..count).filter(|&vertex| waiting[vertex] == 0).collect();
        let mut position = vec![0; count];
        let mut next = 0;
        while let Some(vertex) = ready.pop() {
            position[vertex] = next;
            next += 1;
            for &successor in &self.graph.vertices[vertex].successors {
                waiting[successor as usize] -= 1;
                if waiting[successor as usize] == 0 {
                    ready.push(successor as usize);
                }
            }
        }
        position
    }

    /// The vertices that forward edges lead to, up to a position.
    fn reached(&self, from: u32, last: u32, position: &[u32]) -> HashSet<usize> {
        let mut reached = HashSet::new();
        let mut stack = vec![from];
        while let Some(vertex) = stack.pop() {
            for &successor in &self.graph.vertex(vertex).successors {
                let successor_place = position[successor as usize];
                if successor_place <= last && reached.insert(successor as usize) {
                    stack.push(successor);
                }
            }
        }
        reached
    }

    fn upstream(&self, vertex: usize) -> Vec<u32> {
        let mut seen = vec![false; self.graph.vertices.len()];
        let mut found = Vec::new();
        let mut stack = self.graph.vertices[vertex].predecessors.clone();
        while let Some(vertex) = stack.pop() {
            if !std::mem::replace(&mut seen[vertex as usize], true) {
                found.push(vertex);
                stack.extend_from_slice(&self.graph.vertex(vertex).predecessors);
            }
        }
        found
    }

    fn fault(&mut self, vertex: usize, parameter: &Parameter, fault: Fault) {
        let problem = Problem::UnresolvedParameter {
            task: self.graph.vertices[vertex].id.to_string(),
            parameter: parameter.name.to_owned(),
            written: parameter.written.to_owned(),
            reason: fault.reason,
            hint: fault.hint,
        };
        self.problems.push((vertex, problem));
    }
}

struct Fault {
    reason: String,
    hint: String,
}

/// How many letters have to change to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, other) in right.iter().enumerate() {
            let cost = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = cost.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("extract", "extrakt"), 1);
        assert_eq!(distance("clean", "clean"), 0);
        assert_eq!(distance("", "abc"), 3);
    }
}
