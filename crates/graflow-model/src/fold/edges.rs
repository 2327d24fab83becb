//! The edges that led to a task execution: what its causes say, seen through the groups around both ends.

use std::collections::BTreeSet;

use super::index::Taking;
use super::register::Earliest;
use super::task::TaskState;
use super::{ExecutionState, Touched};
use crate::id::{TaskExecutionId, TaskId};
use crate::state::CauseKind;

impl ExecutionState {
    /// The edges that led to a task execution.
    ///
    /// A way into a parallel group is one to the group and one on to the member; a way out of it leaves from the
    /// group, once, however many members it comes from. Where groups stand in groups, so does every one that is
    /// entered, and the way leaves from the outermost one that is left. A retry stays on its node.
    pub(super) fn takings(&self, id: &TaskExecutionId, task: &TaskState, target: &TaskId) -> Vec<Taking> {
        let mut takings = Vec::new();
        let to = self.groups_around(task);
        // All members name the same causes, so the least of them stands for this start of the group. Where nothing
        // led to it, the run itself began there.
        let begin = TaskExecutionId::new(self.execution_id.as_str());
        let first = task.causes.first().map_or(&begin, |cause| &cause.task_execution_id);
        if task.causes.is_empty() && task.started.get().is_some() {
            let inwards = to.iter().rev().copied().chain([target]);
            for (source, entered) in to.iter().rev().copied().zip(inwards.skip(1)) {
                let key = if entered == target { id } else { first };
                takings.push(taking(source, entered, CauseKind::Member, key));
            }
        }
        for cause in task.causes.iter().filter(|cause| cause.kind != CauseKind::Retry) {
            let Some(from) = self.tasks.get(&cause.task_execution_id) else { continue };
            let Some(mut source) = from.task_id.get() else { continue };
            let from = self.groups_around(from);
            // What a member adds, or jumps to, it leads to itself.
            if matches!(cause.kind, CauseKind::Successor | CauseKind::Member | CauseKind::Iteration) {
                source = from.iter().rfind(|group| !to.contains(group)).unwrap_or(&source);
            }
            // A member was led to by what led to its group.
            let mut kind = if cause.kind == CauseKind::Member { CauseKind::Successor } else { cause.kind };
            let entered = to.iter().rev().filter(|group| !from.contains(group)).map(|&group| (group, first));
            for (target, key) in entered.chain([(target, id)]) {
                takings.push(taking(source, target, kind, key));
                (source, kind) = (target, CauseKind::Member);
            }
        }
        takings
    }

    /// The groups that a task execution stands in, the innermost first: the one that it names, and those that
    /// declarations put around that.
    fn groups_around<'a>(&'a self, task: &'a TaskState) -> Vec<&'a TaskId> {
        let mut around = Vec::new();
        let mut next = task.group.get();
        // A group that holds itself, which no engine builds, ends the way.
        while let Some(group) = next.filter(|group| !around.contains(group)) {
            around.push(group);
            let declared = self.nodes.get(group).and_then(Earliest::get);
            next = declared.and_then(|declared| declared.node.group.as_ref());
        }
        around
    }

    /// Where a group stands has changed, and with it the edges into and out of what is inside of it. Groups are
    /// declared before anything inside of them runs, so there is seldom any.
    pub(super) fn refresh_inside(&mut self, group: &TaskId, touched: &mut Touched) {
        let mut groups = BTreeSet::new();
        let mut inside = BTreeSet::new();
        let mut open = vec![group];
        while let Some(group) = open.pop() {
            if !groups.insert(group) {
                continue;
            }
            let members = self.index.members.get(group).into_iter().flat_map(|members| members.keys());
            for node in members.filter_map(|id| self.index.nodes.get(id)) {
                inside.extend(node.all.keys().map(|order| order.3.clone()));
            }
            open.extend(self.members.get(group).into_iter().flatten());
        }
        let followers = inside.iter().filter_map(|id| self.tasks.get(id)).flat_map(|task| &task.followers);
        let followers: Vec<TaskExecutionId> = followers.cloned().collect();
        for id in inside.iter().chain(&followers) {
            self.refresh(id, true, touched);
        }
    }
}

fn taking(source: &TaskId, target: &TaskId, kind: CauseKind, key: &TaskExecutionId) -> Taking {
    Taking { source: source.clone(), target: target.clone(), kind, key: key.clone() }
}
