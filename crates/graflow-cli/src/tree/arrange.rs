use std::collections::{BTreeMap, BTreeSet, HashMap};

use graflow_model::{EdgeKind, NodeKind, TaskId, TaskStatus, Timestamp};
use graflow_wire::{Execution, Graph, Node, TaskExecution};

use super::item::{Follows, Item, ItemKind};

/// Everything a tree is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Picture<'a> {
    pub(crate) execution: &'a Execution,
    pub(crate) graph: &'a Graph,
    /// The task executions; none when there are too many to ask for.
    pub(crate) task_executions: Option<&'a [TaskExecution]>,
    /// What still runs has run until now.
    pub(crate) now: Timestamp,
}

impl Picture<'_> {
    /// The rows, in the order in which the graph runs them.
    pub(crate) fn tree(&self) -> Vec<Item> {
        let places = Places::of(self.graph);
        let ran = self.ran();
        self.siblings(&places, &ran, None)
    }

    /// How long the run took, or has been running.
    pub(crate) fn seconds(&self) -> f64 {
        self.execution.duration.unwrap_or_else(|| {
            seconds_between(
                self.execution.start_time,
                self.execution.end_time.unwrap_or_else(|| self.known_until()),
            )
        })
    }

    /// Until when what has not ended is known to have run: what is lost until its last event.
    fn known_until(&self) -> Timestamp {
        if self.execution.lost_since.is_some() { self.execution.last_event_time } else { self.now }
    }

    /// The rows under a node, or at the top.
    fn siblings(&self, places: &Places, ran: &HashMap<&TaskId, Ran<'_>>, parent: Option<usize>) -> Vec<Item> {
        let Some(nodes) = places.under.get(&parent) else { return Vec::new() };
        let mut above = None;
        places
            .in_running_order(nodes)
            .into_iter()
            .map(|index| {
                let follows = self.follows(places, index, parent, above);
                above = Some(index);
                let children = self.siblings(places, ran, Some(index));
                item(&self.graph.nodes[index], ran, follows, children)
            })
            .collect()
    }

    fn follows(&self, places: &Places, index: usize, parent: Option<usize>, above: Option<usize>) -> Follows {
        // What a member waits for is what its group waits for, and the row of that says it.
        let sources: BTreeSet<usize> =
            places.before[index].iter().copied().filter(|source| Some(*source) != parent).collect();
        let inherited = sources.is_empty() && parent.is_some();
        let one_above = above.is_some_and(|above| sources.len() == 1 && sources.contains(&above));
        match above {
            _ if inherited || one_above => Follows::RowAbove,
            None if sources.is_empty() => Follows::RowAbove,
            _ if sources.is_empty() => Follows::Nothing,
            _ => Follows::Tasks(
                sources.into_iter().map(|source| self.graph.nodes[source].id.clone()).collect(),
            ),
        }
    }

    fn ran(&self) -> HashMap<&TaskId, Ran<'_>> {
        let mut ran: HashMap<&TaskId, Ran<'_>> = HashMap::new();
        for row in self.task_executions.unwrap_or_default() {
            let ran = ran.entry(&row.task_id).or_default();
            if matches!(row.status, TaskStatus::Skipped | TaskStatus::Cancelled) {
                ran.reason = row.reason.as_deref().or(ran.reason);
            }
            let Some(start) = row.start_time else { continue };
            let open = matches!(row.status, TaskStatus::Running | TaskStatus::Waiting | TaskStatus::Lost);
            let end = row.end_time.or_else(|| open.then(|| self.known_until()));
            let seconds = row.duration.or(end.map(|end| seconds_between(start, end))).unwrap_or(0.0);
            let from = seconds_between(self.execution.start_time, start);
            ran.seconds = Some(ran.seconds.unwrap_or(0.0) + seconds);
            ran.span = hull(ran.span, Some((from, from + seconds)));
        }
        ran
    }
}

/// What a task's attempts say, all together.
#[derive(Debug, Clone, Copy, Default)]
struct Ran<'a> {
    seconds: Option<f64>,
    span: Option<(f64, f64)>,
    /// Why it was skipped or cancelled.
    reason: Option<&'a str>,
}

/// The shortest span that holds both.
pub(super) fn hull(one: Option<(f64, f64)>, other: Option<(f64, f64)>) -> Option<(f64, f64)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

fn item(node: &Node, ran: &HashMap<&TaskId, Ran<'_>>, follows: Follows, children: Vec<Item>) -> Item {
    let data = &node.data;
    let own = ran.get(&node.id).copied().unwrap_or_default();
    let is_group = data.kind == NodeKind::Group;
    let span = if is_group {
        children.iter().fold(own.span, |span, child| hull(span, child.span))
    } else {
        own.span
    };
    Item {
        name: node.id.as_str().to_owned(),
        kind: if is_group {
            ItemKind::Group(data.members.as_ref().map_or(0, Vec::len) as u64)
        } else {
            ItemKind::Task
        },
        status: data.status,
        // Members run side by side: a group takes as long as it takes from the first to the last.
        seconds: if is_group { span.map(|(from, to)| to - from) } else { own.seconds.or(data.last_duration) },
        span,
        iterations: data.iterations,
        retried: data.retried,
        error: data.error.as_ref().map(|message| match &data.error_type {
            Some(kind) if !message.starts_with(kind.as_str()) => format!("{kind}: {message}"),
            _ => message.clone(),
        }),
        reason: own.reason.map(ToOwned::to_owned),
        follows,
        family: data.family.clone().unwrap_or_else(|| node.id.without_digits()),
        children,
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    graflow_wire::seconds(u64::try_from(to.micros_since(from)).unwrap_or(0))
}

/// Where nodes stand, by their index.
struct Places {
    /// The nodes under a node, or at the top, as they were declared.
    under: BTreeMap<Option<usize>, Vec<usize>>,
    /// What a node follows.
    before: Vec<BTreeSet<usize>>,
    parent: Vec<Option<usize>>,
}

impl Places {
    fn of(graph: &Graph) -> Self {
        let index: HashMap<&TaskId, usize> =
            graph.nodes.iter().enumerate().map(|(index, node)| (&node.id, index)).collect();
        let mut before = vec![BTreeSet::new(); graph.nodes.len()];
        let mut added_by = vec![None; graph.nodes.len()];
        let mut declared = vec![false; graph.nodes.len()];
        for edge in &graph.edges {
            let (Some(&source), Some(&target)) = (index.get(&edge.source), index.get(&edge.target)) else {
                continue;
            };
            if source == target {
                continue;
            }
            match edge.data.kind {
                EdgeKind::Static => {
                    before[target].insert(source);
                    declared[target] = true;
                }
                EdgeKind::Dynamic => {
                    before[target].insert(source);
                    added_by[target] = added_by[target].min(Some(source)).or(Some(source));
                }
                EdgeKind::Iteration | EdgeKind::Jump | EdgeKind::GroupMember => {}
            }
        }
        let is_dynamic = |node: usize| graph.nodes[node].data.kind != NodeKind::Static && !declared[node];
        let parent: Vec<Option<usize>> = (0..graph.nodes.len())
            .map(|node| {
                let group = graph.nodes[node].data.group.as_ref().and_then(|group| index.get(group).copied());
                group
                    .filter(|group| *group != node)
                    .or_else(|| nearest_declared(node, &added_by, &is_dynamic))
            })
            .collect();
        let mut under: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for node in 0..graph.nodes.len() {
            // A ring of groups cannot be; were there one, its nodes would stand at the top.
            let place = if in_ring(node, &parent) { None } else { parent[node] };
            under.entry(place).or_default().push(node);
        }
        Self { under, before, parent }
    }

    /// Each after what it follows, else as declared; what goes round in a circle begins where it was declared.
    fn in_running_order(&self, nodes: &[usize]) -> Vec<usize> {
        let here: BTreeSet<usize> = nodes.iter().copied().collect();
        let mut waits_for: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut leads_to: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &node in nodes {
            let sources = self.before[node].iter().filter_map(|source| self.ancestor_among(*source, &here));
            let sources: BTreeSet<usize> = sources.filter(|source| *source != node).collect();
            for &source in &sources {
                leads_to.entry(source).or_default().push(node);
            }
            waits_for.insert(node, sources);
        }
        let mut ready: BTreeSet<usize> =
            waits_for.iter().filter(|(_, sources)| sources.is_empty()).map(|(node, _)| *node).collect();
        let mut ordered = Vec::with_capacity(nodes.len());
        while let Some(node) = ready.pop_first().or_else(|| waits_for.keys().next().copied()) {
            waits_for.remove(&node);
            ordered.push(node);
            for next in leads_to.get(&node).into_iter().flatten() {
                if let Some(sources) = waits_for.get_mut(next) {
                    sources.remove(&node);
                    if sources.is_empty() {
                        ready.insert(*next);
                    }
                }
            }
        }
        ordered
    }

    /// The node itself or the one above it that stands among these.
    fn ancestor_among(&self, node: usize, here: &BTreeSet<usize>) -> Option<usize> {
        let mut place = Some(node);
        for _ in 0..=self.parent.len() {
            let node = place?;
            if here.contains(&node) {
                return Some(node);
            }
            place = self.parent[node];
        }
        None
    }
}

/// Follows who added whom back to a task that was declared: a chain of a thousand dynamic tasks is no deep tree.
fn nearest_declared(
    node: usize,
    added_by: &[Option<usize>],
    is_dynamic: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    if !is_dynamic(node) {
        return None;
    }
    let mut place = added_by[node]?;
    for _ in 0..added_by.len() {
        match added_by[place].filter(|_| is_dynamic(place)) {
            Some(next) => place = next,
            None => return (place != node).then_some(place),
        }
    }
    None
}

fn in_ring(node: usize, parent: &[Option<usize>]) -> bool {
    let mut place = parent[node];
    for _ in 0..parent.len() {
        match place {
            None => return false,
            Some(above) if above == node => return true,
            Some(above) => place = parent[above],
        }
    }
    true
}
