//! Where each parameter's value will come from, found before anything runs; and everything that is wrong, at once.

mod hint;
mod order;

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};

use super::graph::{Graph, Vertex, VertexKind};
use crate::error::Problem;
use crate::key::KeyDeclaration;
use crate::task::{Parameter, ParameterKind, TaskNode};
use crate::value::{Value, ValueType};

/// The source of every parameter of every vertex, by the vertex's number.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    sources: Vec<Box<[Source]>>,
    written: WrittenKeys,
}

/// Keys that some task says it writes.
type WrittenKeys = BTreeMap<&'static str, KeyDeclaration>;

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
        self.written.extend(written_keys(&graph.vertices[first..]));
        let mut check =
            Check { graph, available, written: &self.written, problems: Vec::new(), before: Vec::new() };
        let new: Vec<_> = (first..graph.vertices.len()).map(|vertex| check.vertex(vertex)).collect();
        check.groups(first);
        check.order();
        let mut problems = check.problems;
        if problems.is_empty() {
            self.sources.extend(new);
            return Ok(());
        }
        self.written = written_keys(&graph.vertices[..first]).collect();
        problems.sort_by_key(|(vertex, _)| *vertex);
        Err(problems.into_iter().map(|(_, problem)| problem).collect())
    }
}

fn written_keys(vertices: &[Vertex]) -> impl Iterator<Item = (&'static str, KeyDeclaration)> {
    let tasks = vertices.iter().filter_map(|vertex| match &vertex.kind {
        VertexKind::Task(node) => Some(node.spec),
        _ => None,
    });
    tasks.flat_map(|spec| (spec.writes)()).map(|key| (key.name, key))
}

struct Check<'a> {
    graph: &'a Graph,
    available: &'a Available<'a>,
    written: &'a WrittenKeys,
    problems: Vec<(usize, Problem)>,
    /// Results that have to be there first: (node that gives, vertex that takes, its parameter).
    before: Vec<(u32, usize, &'static Parameter)>,
}

impl Check<'_> {
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
        match there.or_else(|| self.written.get(name).map(|key| key.value_type)) {
            Some(value_type) if parameter.takes(value_type) => Ok(Source::Key(name)),
            Some(value_type) => Err(Fault {
                reason: format!("key `{name}` holds `{}`", value_type.name()),
                hint: "give the parameter that type, or another name".into(),
            }),
            None if parameter.kind == ParameterKind::Optional => Ok(Source::Key(name)),
            None => Err(self.nothing(vertex, name)),
        }
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
            if let Err(reason) = group.policy.fits(&ids) {
                let problem = Problem::Group { group: self.graph.vertex(group.begin).id.to_string(), reason };
                self.problems.push((group.begin as usize, problem));
            }
        }
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
