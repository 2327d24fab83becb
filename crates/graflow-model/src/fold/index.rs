//! What nodes, edges and totals add up to, kept up to date as task executions change.
//!
//! It is a function of the task executions alone: each brings its [`Contribution`], which is taken out
//! before the task execution changes and put in again after.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::task::TaskOrder;
use crate::id::{TaskExecutionId, TaskId};
use crate::row::Taken;
use crate::state::{CauseKind, TaskStatus};
use crate::time::Timestamp;

/// What one task execution brings to the whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contribution {
    pub(crate) task_id: TaskId,
    pub(crate) group: Option<TaskId>,
    pub(crate) order: TaskOrder,
    pub(crate) status: TaskStatus,
    pub(crate) will_retry: bool,
    pub(crate) end_time: Option<Timestamp>,
    /// The edges that led to it; shared, since they seldom change and may be many.
    pub(crate) takings: Arc<[Taking]>,
}

/// An edge that was taken. Takings of one edge with one kind and key are one taking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taking {
    pub(crate) source: TaskId,
    pub(crate) target: TaskId,
    pub(crate) kind: CauseKind,
    pub(crate) key: TaskExecutionId,
}

/// The whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Index {
    pub(crate) nodes: HashMap<TaskId, NodeIndex>,
    pub(crate) edges: HashMap<(TaskId, TaskId), EdgeIndex>,
    /// Groups that task executions say they are members of, with how many say so.
    pub(crate) members: HashMap<TaskId, BTreeMap<TaskId, u64>>,
    pub(crate) totals: Totals,
    /// Failed for good, by when.
    pub(crate) failed: BTreeSet<(Option<Timestamp>, TaskExecutionId)>,
}

/// The executions of one task.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct NodeIndex {
    pub(crate) all: BTreeMap<TaskOrder, TaskStatus>,
    pub(crate) running: BTreeSet<TaskOrder>,
    pub(crate) ended: BTreeSet<TaskOrder>,
    pub(crate) by_status: BTreeMap<TaskStatus, u64>,
    pub(crate) retried: u64,
    /// Groups that its executions say they are in, with how many say so.
    pub(crate) groups: BTreeMap<TaskId, u64>,
}

/// The takings of one edge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct EdgeIndex {
    takings: BTreeMap<(CauseKind, TaskExecutionId), u64>,
    pub(crate) taken: Taken,
    /// From a group to a member.
    pub(crate) member: u64,
}

/// Sums over an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) total: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) running: u64,
    pub(crate) retried: u64,
}

impl NodeIndex {
    /// Running while any of its executions runs, else where the greatest stands.
    pub(crate) fn status(&self) -> TaskStatus {
        if !self.running.is_empty() {
            return TaskStatus::Running;
        }
        self.all.last_key_value().map_or(TaskStatus::Pending, |(_, status)| *status)
    }
}

impl EdgeIndex {
    /// Times it was taken.
    pub(crate) fn count(&self) -> u64 {
        let Taken { successor, dynamic, iteration, jump } = self.taken;
        successor + dynamic + iteration + jump + self.member
    }

    /// The least of the kinds it was taken by.
    pub(crate) fn first_kind(&self) -> Option<CauseKind> {
        self.takings.first_key_value().map(|((kind, _), _)| *kind)
    }

    fn counter(&mut self, kind: CauseKind) -> Option<&mut u64> {
        match kind {
            CauseKind::Successor => Some(&mut self.taken.successor),
            CauseKind::Dynamic => Some(&mut self.taken.dynamic),
            CauseKind::Iteration => Some(&mut self.taken.iteration),
            CauseKind::Jump => Some(&mut self.taken.jump),
            CauseKind::Member => Some(&mut self.member),
            // A retry stays on its node.
            CauseKind::Retry => None,
        }
    }

    fn insert(&mut self, taking: &Taking) {
        let times = self.takings.entry((taking.kind, taking.key.clone())).or_default();
        *times += 1;
        if *times == 1
            && let Some(counter) = self.counter(taking.kind)
        {
            *counter += 1;
        }
    }

    fn remove(&mut self, taking: &Taking) {
        let key = (taking.kind, taking.key.clone());
        let Some(times) = self.takings.get_mut(&key) else { return };
        *times -= 1;
        if *times == 0 {
            self.takings.remove(&key);
            if let Some(counter) = self.counter(taking.kind) {
                *counter -= 1;
            }
        }
    }
}

impl Index {
    /// Counts a task execution in, its edges apart.
    pub(crate) fn insert(&mut self, contribution: &Contribution) {
        let node = self.nodes.entry(contribution.task_id.clone()).or_default();
        node.all.insert(contribution.order.clone(), contribution.status);
        match contribution.status {
            TaskStatus::Running => drop(node.running.insert(contribution.order.clone())),
            status if status.is_ended() => drop(node.ended.insert(contribution.order.clone())),
            _ => {}
        }
        *node.by_status.entry(contribution.status).or_default() += 1;
        node.retried += u64::from(contribution.will_retry);
        if let Some(group) = &contribution.group {
            *node.groups.entry(group.clone()).or_default() += 1;
            *self
                .members
                .entry(group.clone())
                .or_default()
                .entry(contribution.task_id.clone())
                .or_default() += 1;
        }
        if contribution.is_failure() {
            self.failed.insert((contribution.end_time, contribution.order.3.clone()));
        }
        for counter in self.totals.counters(contribution) {
            *counter += 1;
        }
    }

    /// Counts edges that were taken in.
    pub(crate) fn take(&mut self, takings: &[Taking]) {
        for taking in takings {
            self.edges.entry((taking.source.clone(), taking.target.clone())).or_default().insert(taking);
        }
    }

    /// Takes out edges that were counted in.
    pub(crate) fn untake(&mut self, takings: &[Taking]) {
        for taking in takings {
            let key = (taking.source.clone(), taking.target.clone());
            if let Some(edge) = self.edges.get_mut(&key) {
                edge.remove(taking);
                if edge.takings.is_empty() {
                    self.edges.remove(&key);
                }
            }
        }
    }

    /// Takes out what was counted in.
    pub(crate) fn remove(&mut self, contribution: &Contribution) {
        if let Some(node) = self.nodes.get_mut(&contribution.task_id) {
            node.all.remove(&contribution.order);
            node.running.remove(&contribution.order);
            node.ended.remove(&contribution.order);
            decrement(&mut node.by_status, &contribution.status);
            node.retried -= u64::from(contribution.will_retry);
            if let Some(group) = &contribution.group {
                decrement(&mut node.groups, group);
            }
            if node.all.is_empty() {
                self.nodes.remove(&contribution.task_id);
            }
        }
        if let Some(group) = &contribution.group
            && let Some(members) = self.members.get_mut(group)
        {
            decrement(members, &contribution.task_id);
            if members.is_empty() {
                self.members.remove(group);
            }
        }
        if contribution.is_failure() {
            self.failed.remove(&(contribution.end_time, contribution.order.3.clone()));
        }
        for counter in self.totals.counters(contribution) {
            *counter -= 1;
        }
    }
}

impl Contribution {
    fn is_failure(&self) -> bool {
        self.status == TaskStatus::Failed && !self.will_retry
    }
}

impl Totals {
    /// The counters that a task execution stands in. An attempt that was tried again stands in `retried` alone.
    fn counters(&mut self, contribution: &Contribution) -> Vec<&mut u64> {
        if contribution.will_retry {
            return vec![&mut self.retried];
        }
        let mut counters = vec![&mut self.total];
        match contribution.status {
            TaskStatus::Completed => counters.push(&mut self.completed),
            TaskStatus::Failed => counters.push(&mut self.failed),
            TaskStatus::Running => counters.push(&mut self.running),
            _ => {}
        }
        counters
    }
}

fn decrement<K: Ord>(counts: &mut BTreeMap<K, u64>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
