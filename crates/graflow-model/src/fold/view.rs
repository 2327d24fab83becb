//! Rows: what people read of a state. Each is a function of the state alone.

use std::collections::{BTreeMap, BTreeSet};

use super::question::Question;
use super::register::Earliest;
use super::task::TaskState;
use super::{ExecutionState, Touched};
use crate::event::NodeDeclaration;
use crate::id::{TaskExecutionId, TaskId, WorkflowName};
use crate::row::{
    ChangedRows, DataFlow, EdgeRow, ExecutionRow, Graph, NodeRow, OpenQuestion, Taken, TaskExecutionRow,
};
use crate::state::{CauseKind, EdgeKind, ExecutionStatus, NodeKind, TaskStatus};
use crate::time::Timestamp;

impl ExecutionState {
    /// The execution's own row.
    pub fn execution_row(&self) -> ExecutionRow {
        let started = self.started.get();
        let (moment, said) = (started.map(|(moment, _)| moment), started.map(|(_, said)| said));
        let end = self.ends.winner();
        let ended = end.map(|end| &end.moment).or(self.handed_on());
        let handed_on = self.handed_on().map(|_| "resumed".to_owned());
        let totals = self.index.totals;
        let first_failed = self.index.failed.first();
        let failed_task =
            first_failed.and_then(|(_, id)| Some((self.tasks.get(id)?.task_id.get()?.clone(), id.clone())));
        let error = end.and_then(|end| end.value.1.error.clone()).or_else(|| {
            let ended_well = end.is_some_and(|end| end.value.0 == ExecutionStatus::Completed);
            let (_, id) = first_failed.filter(|_| !ended_well)?;
            self.tasks.get(id)?.ends.winner()?.value.error.clone()
        });
        ExecutionRow {
            execution_id: self.execution_id.clone(),
            workflow_name: self.workflow_name(),
            start_time: self.start_time(),
            end_time: ended.map(|ended| ended.time),
            status: self.status(),
            duration: ended.zip(moment).map(|(ended, moment)| ended.span_since(moment)),
            total_tasks: totals.total,
            completed_tasks: totals.completed,
            failed_tasks: totals.failed,
            running_tasks: totals.running,
            retried_tasks: totals.retried,
            reason: end.and_then(|end| end.value.1.reason.clone()).or(handed_on),
            error,
            failed_task,
            labels: said.map(|said| said.labels.clone()).unwrap_or_default(),
            inputs: said.and_then(|said| said.inputs.clone()).unwrap_or_default(),
            code: said.and_then(|said| said.code.clone()),
            runtime: said.and_then(|said| said.runtime.clone()),
            parent: said.and_then(|said| said.parent.clone()),
            resumed_from: said.and_then(|said| said.resumed_from.clone()),
            session_id: said.and_then(|said| said.session_id.clone()),
            trace_id: said.and_then(|said| said.trace_id.clone()),
            resumed_by: self.resumed_by.iter().cloned().collect(),
            llm: self.llm_calls.total.totals(),
            waiting_for: self.open_questions(),
            last_event_time: self.last_event.unwrap_or_default(),
        }
    }

    /// Where the execution stands; never `lost`, which is a matter of the time of reading.
    pub fn status(&self) -> ExecutionStatus {
        match self.ends.winner() {
            Some(end) => end.value.0,
            None if self.handed_on().is_some() => ExecutionStatus::Terminated,
            None if self.questions.values().any(Question::is_open) => ExecutionStatus::Waiting,
            None => ExecutionStatus::Running,
        }
    }

    /// The workflow's name; `unknown` until an event says it.
    pub fn workflow_name(&self) -> WorkflowName {
        self.workflow_name.get().cloned().unwrap_or_else(|| WorkflowName::new("unknown"))
    }

    fn start_time(&self) -> Timestamp {
        self.started.time().or(self.first_event).unwrap_or_default()
    }

    fn open_questions(&self) -> Vec<OpenQuestion> {
        if self.ends.winner().is_some() || self.handed_on().is_some() {
            return Vec::new();
        }
        let open = self.questions.values().filter(|question| question.is_open());
        let mut open: Vec<_> = open
            .filter_map(|question| {
                let asked = question.asked.get()?;
                Some(OpenQuestion {
                    since: question.asked.time()?,
                    task_id: asked.task_id.clone(),
                    task_execution_id: asked.task_execution_id.clone(),
                    question: asked.waiting.clone(),
                })
            })
            .collect();
        open.sort_by_key(|question| question.since);
        open
    }

    /// Every task execution, by (queued or begun, id).
    pub fn task_execution_rows(&self) -> Vec<TaskExecutionRow> {
        let mut rows: Vec<_> = self.tasks.iter().filter_map(|(id, task)| self.row_of(id, task)).collect();
        rows.sort_by(|one, other| {
            let key = |row: &TaskExecutionRow| row.queued_time.or(row.start_time).or(row.end_time);
            (key(one), &one.task_execution_id).cmp(&(key(other), &other.task_execution_id))
        });
        rows
    }

    /// One task execution.
    pub fn task_execution_row(&self, id: &TaskExecutionId) -> Option<TaskExecutionRow> {
        self.row_of(id, self.tasks.get(id)?)
    }

    fn row_of(&self, id: &TaskExecutionId, task: &TaskState) -> Option<TaskExecutionRow> {
        if !task.is_known() {
            return None;
        }
        let started = task.started.get();
        let begun = started.map(|started| &started.moment);
        let queued = task.queued.get();
        let end = task.ends.winner();
        let task_id = task.task_id.get()?.clone();
        let family = self.nodes.get(&task_id).and_then(|declared| declared.get()?.node.family.clone());
        Some(TaskExecutionRow {
            task_execution_id: id.clone(),
            execution_id: self.execution_id.clone(),
            workflow_name: self.workflow_name(),
            task_id,
            family,
            iteration: task.iteration.get().copied().unwrap_or(0),
            attempt: task.attempt.get().copied().unwrap_or(1),
            status: task.status(),
            queued_time: task.queued.time(),
            start_time: task.started.time(),
            end_time: end.map(|end| end.moment.time),
            duration: end.zip(begun).map(|(end, begun)| end.moment.span_since(begun)),
            queued: begun.zip(queued).map(|(begun, queued)| begun.span_since(queued)),
            result_size: end.and_then(|end| end.value.result.result_size),
            result_type: end.and_then(|end| end.value.result.result_type.clone()),
            result_hash: end.and_then(|end| end.value.result.result_hash.clone()),
            error: end.and_then(|end| end.value.error.clone()),
            reason: end
                .and_then(|end| end.value.reason.clone())
                .or_else(|| task.retried.get().and_then(|retried| retried.reason.clone())),
            will_retry: task.will_retry(),
            group: task.group.get().cloned(),
            thread: started.and_then(|started| started.thread.clone()),
            worker: started.and_then(|started| started.worker.clone()),
            causes: task.causes.iter().cloned().collect(),
            parent_task_execution_id: task.parent.get().cloned(),
            producer: task.producer.get().cloned(),
            writes: task.writes,
            reads: task.reads,
            llm: task.llm.totals(),
        })
    }

    /// The task graph as it stands.
    pub fn graph(&self) -> Graph {
        let place =
            |id: &TaskId| self.nodes.get(id).and_then(Earliest::get).map_or(usize::MAX, |it| it.place);
        let mut nodes: Vec<_> = self.node_ids().into_iter().filter_map(|id| self.node_row(id)).collect();
        nodes.sort_by_cached_key(|node| (node.created_at, place(&node.id), node.id.clone()));
        let edges = self
            .edge_ids()
            .into_iter()
            .filter_map(|(source, target)| self.edge_row(source, target))
            .collect();
        Graph { nodes, edges }
    }

    fn node_ids(&self) -> BTreeSet<&TaskId> {
        let groups = self.members.keys().chain(self.index.members.keys());
        self.nodes.keys().chain(self.index.nodes.keys()).chain(groups).collect()
    }

    fn edge_ids(&self) -> BTreeSet<(&TaskId, &TaskId)> {
        let declared = self.edges.keys().map(|(source, target)| (source, target));
        let taken = self.index.edges.keys().map(|(source, target)| (source, target));
        let members =
            self.members.iter().flat_map(|(group, members)| members.iter().map(move |id| (group, id)));
        declared.chain(taken).chain(members).collect()
    }

    /// One node.
    pub fn node_row(&self, id: &TaskId) -> Option<NodeRow> {
        let declared = self.nodes.get(id);
        let node = declared.and_then(Earliest::get).map(|declared| &declared.node);
        let index = self.index.nodes.get(id);
        let members = self.members_of(id);
        if node.is_none() && index.is_none() && members.is_empty() {
            return None;
        }
        let is_group = node.map_or(!members.is_empty(), |node| node.kind == NodeKind::Group);
        let latest = index.and_then(|index| index.all.last_key_value()).map(|(order, _)| order);
        let ended = index.and_then(|index| index.ended.last());
        let ended_task = ended.and_then(|order| self.tasks.get(&order.3));
        let shows_error = index.is_some_and(|index| index.status() == TaskStatus::Failed);
        let text = |field: fn(&NodeDeclaration) -> &Option<String>| node.and_then(|node| field(node).clone());
        let member_counts = || self.count_members(&members);
        // Without a declaration: the first time that it, or a member of it, was heard of.
        let heard_of = |id: &TaskId| {
            let first_pass = || Some(self.index.nodes.get(id)?.all.first_key_value()?.0.2);
            self.nodes.get(id).and_then(Earliest::time).or_else(first_pass)
        };
        let members_heard_of = || members.iter().filter_map(|id| heard_of(id)).min();
        Some(NodeRow {
            id: id.clone(),
            task_type: text(|node| &node.task_type),
            kind: match node {
                Some(node) => node.kind,
                None if is_group => NodeKind::Group,
                None => NodeKind::Dynamic,
            },
            status: self.node_status(id),
            created_at: heard_of(id).or_else(members_heard_of).unwrap_or_default(),
            current_execution: index.and_then(|index| index.running.last()).map(|order| order.3.clone()),
            last_duration: ended_task.and_then(|task| {
                let begun = &task.started.get()?.moment;
                Some(task.ends.winner()?.moment.span_since(begun))
            }),
            error: ended_task
                .filter(|_| shows_error)
                .and_then(|task| task.ends.winner()?.value.error.clone()),
            group: self.groups_of(id).first().map(|group| (*group).clone()),
            family: text(|node| &node.family),
            native_id: text(|node| &node.native_id),
            source: node.and_then(|node| node.source.clone()),
            doc: text(|node| &node.doc),
            executions: index.map_or(0, |index| index.all.len() as u64),
            iterations: latest.map_or(0, |order| order.0.saturating_add(1)),
            by_status: if is_group {
                member_counts()
            } else {
                index.map(|index| index.by_status.clone()).unwrap_or_default()
            },
            retried: index.map_or(0, |index| index.retried),
            track_lineage: node.and_then(|node| node.track_lineage).unwrap_or(true),
            members: members.into_iter().cloned().collect(),
        })
    }

    fn members_of(&self, group: &TaskId) -> BTreeSet<&TaskId> {
        let declared = self.members.get(group).into_iter().flatten();
        let told = self.index.members.get(group).into_iter().flat_map(BTreeMap::keys);
        declared.chain(told).collect()
    }

    /// The groups that a node is in: one, unless producers contradict themselves. The declared one comes first.
    pub(super) fn groups_of(&self, id: &TaskId) -> Vec<&TaskId> {
        let declared = self.nodes.get(id).and_then(|declared| declared.get()?.node.group.as_ref());
        let told = self.index.nodes.get(id).into_iter().flat_map(|index| index.groups.keys());
        declared.into_iter().chain(told.filter(|group| Some(*group) != declared)).collect()
    }

    fn count_members(&self, members: &BTreeSet<&TaskId>) -> BTreeMap<TaskStatus, u64> {
        let mut counts = BTreeMap::new();
        for member in members {
            *counts.entry(self.node_status(member)).or_default() += 1;
        }
        counts
    }

    /// Where a node stands: a group as its worst member does.
    fn node_status(&self, id: &TaskId) -> TaskStatus {
        self.status_within(id, 0)
    }

    fn status_within(&self, id: &TaskId, depth: usize) -> TaskStatus {
        // Groups nest a few levels deep; deeper is a group that holds itself, which no engine builds.
        const DEEPEST_GROUP: usize = 32;
        let own = self.index.nodes.get(id).map(super::index::NodeIndex::status);
        let members = if depth < DEEPEST_GROUP { self.members_of(id) } else { BTreeSet::new() };
        let worst = members
            .into_iter()
            .map(|member| self.status_within(member, depth + 1))
            .max_by_key(|status| status.severity());
        worst.or(own).unwrap_or(TaskStatus::Pending)
    }

    /// One edge.
    pub fn edge_row(&self, source: &TaskId, target: &TaskId) -> Option<EdgeRow> {
        let key = (source.clone(), target.clone());
        let declared = self.edges.get(&key).and_then(Earliest::get).copied();
        let is_member = || self.members.get(source).is_some_and(|members| members.contains(target));
        let index = self.index.edges.get(&key);
        let kind = declared.or_else(|| is_member().then_some(EdgeKind::GroupMember)).or_else(|| {
            Some(match index?.first_kind()? {
                CauseKind::Successor | CauseKind::Retry => EdgeKind::Static,
                CauseKind::Dynamic => EdgeKind::Dynamic,
                CauseKind::Iteration => EdgeKind::Iteration,
                CauseKind::Jump => EdgeKind::Jump,
                CauseKind::Member => EdgeKind::GroupMember,
            })
        })?;
        Some(EdgeRow {
            source: source.clone(),
            target: target.clone(),
            kind,
            count: index.map_or(0, super::index::EdgeIndex::count),
            taken: index.map_or_else(Taken::default, |index| index.taken),
        })
    }

    /// Who wrote what, and who read it.
    pub fn data_flow(&self) -> DataFlow {
        self.values.flow()
    }

    /// The rows behind what events changed, as they stand now.
    pub fn rows(&self, touched: &Touched) -> ChangedRows {
        let mut rows = ChangedRows {
            execution: touched.execution.then(|| self.execution_row()),
            task_executions: touched
                .task_executions
                .iter()
                .filter_map(|id| self.task_execution_row(id))
                .collect(),
            ..ChangedRows::default()
        };
        for id in &touched.nodes {
            match self.node_row(id) {
                Some(row) => rows.nodes.push(row),
                None => rows.removed_nodes.push(id.clone()),
            }
        }
        for (source, target) in &touched.edges {
            match self.edge_row(source, target) {
                Some(row) => rows.edges.push(row),
                None => rows.removed_edges.push((source.clone(), target.clone())),
            }
        }
        rows
    }
}
