//! Parallel groups: their begin, their members' failures, and the judgement of their policy.
//!
//! A group is no task: it has no executions of its own and is not recorded as running. What led to it led to its
//! members; out of it leads the member that ended last, however many there are.

use std::sync::Arc;

use graflow_model::TaskStatus;

use super::driver::Driver;
use super::schedule::Follow;
use crate::error::TaskError;
use crate::flow::{MemberOutcome, NO_GROUP, VertexKind};
use crate::task::{MemberRecord, MembersRecord};
use crate::value::Value;

/// Why a member no longer runs.
pub(super) const MEMBER_FAILED: &str = "another member of its group failed";

impl Driver {
    pub(super) fn begin_group(&mut self, vertex: u32, group: u32) {
        let graph = Arc::clone(&self.graph);
        let pass = self.scheduler.begin(vertex);
        let slot = &mut self.slots[vertex as usize];
        slot.status = TaskStatus::Running;
        slot.executions += 1;
        self.scheduler.open_group(group);
        let shape = &graph.groups[group as usize];
        let run = &mut self.groups[group as usize];
        run.is_open = true;
        run.ended_last = None;
        run.errors.clear();
        run.errors.resize(shape.members.len(), None);
        for &inside in &shape.inside {
            self.slots[inside as usize].status = TaskStatus::Pending;
        }
        self.scheduler.end(&graph, vertex, &Follow::Successors(&pass.causes));
        self.record_skipped();
    }

    /// All members have ended, one way or the other.
    pub(super) fn end_group(&mut self, vertex: u32, group: u32) {
        let graph = Arc::clone(&self.graph);
        let shape = &graph.groups[group as usize];
        let begin = shape.begin;
        let mut pass = self.scheduler.begin(vertex);
        self.groups[group as usize].is_open = false;
        if let Some(ended_last) = self.groups[group as usize].ended_last {
            pass.causes = vec![ended_last];
            if let Some(outer) = self.groups.get_mut(graph.vertex(vertex).group as usize) {
                outer.ended_last = Some(ended_last);
            }
        }
        let members = self.members(group);
        let outcomes: Vec<MemberOutcome> = members
            .iter()
            .map(|member| MemberOutcome {
                task_id: member.task_id.to_string(),
                status: member.status,
                error: member.error.clone(),
            })
            .collect();
        match shape.policy.judge(&outcomes) {
            Ok(()) => {
                let record = MembersRecord { members };
                self.shared.set_result(begin, Value::new(record), 0);
                self.slots[begin as usize].status = TaskStatus::Completed;
                self.slots[vertex as usize].status = TaskStatus::Completed;
                self.scheduler.end(&graph, vertex, &Follow::Successors(&pass.causes));
                self.record_skipped();
            }
            Err(reason) => {
                let name = &graph.vertex(begin).id;
                let policy = shape.policy.shown();
                let error = TaskError::group(format!("group `{name}` ({policy}) failed: {reason}"));
                self.fail(vertex, 1, error);
            }
        }
    }

    /// A task inside of a group has failed for good.
    pub(super) fn fail_member(&mut self, group: u32, member: u32, message: Arc<str>) {
        let error = &mut self.groups[group as usize].errors[member as usize];
        if error.is_none() {
            *error = Some(message);
        }
        let graph = Arc::clone(&self.graph);
        if !graph.groups[group as usize].policy.is_strict() {
            return;
        }
        self.close_inner_groups(group);
        for running in self.scheduler.stop_group(&graph, group) {
            let slot = &self.slots[running as usize];
            if let Some(attempt) = &slot.running {
                attempt.cancel();
            } else if slot.status == TaskStatus::Queued {
                // A retry that waits will not come.
                self.due.retain(|due| *due != running);
                self.cancel_queued(running, MEMBER_FAILED);
                self.scheduler.end(&graph, running, &Follow::Nothing);
            }
        }
    }

    /// Groups inside of a group that stops come to no end of their own.
    fn close_inner_groups(&mut self, group: u32) {
        let graph = Arc::clone(&self.graph);
        for &inside in &graph.groups[group as usize].inside {
            if let VertexKind::Begin(inner) = graph.vertex(inside).kind {
                if std::mem::take(&mut self.groups[inner as usize].is_open) {
                    self.slots[inside as usize].status = TaskStatus::Cancelled;
                }
                self.close_inner_groups(inner);
            }
        }
    }

    pub(super) fn is_in_stopped_group(&self, vertex: u32) -> bool {
        let group = self.graph.vertex(vertex).group;
        group != NO_GROUP && self.scheduler.is_stopped(group)
    }

    /// Groups that were cut off by the end of the workflow.
    pub(super) fn close_groups(&mut self) {
        for group in 0..self.groups.len() {
            if !std::mem::take(&mut self.groups[group].is_open) {
                continue;
            }
            let begin = self.graph.groups[group].begin;
            self.slots[begin as usize].status = TaskStatus::Cancelled;
        }
    }

    fn members(&self, group: u32) -> Vec<MemberRecord> {
        let graph = &self.graph;
        let errors = &self.groups[group as usize].errors;
        let results = self.shared.results();
        let members = graph.groups[group as usize].members.iter().zip(errors);
        let records = members.map(|(member, error)| {
            let statuses = member.exits.iter().map(|exit| self.slots[graph.node(*exit) as usize].status);
            let status = match error {
                Some(_) => TaskStatus::Failed,
                None => statuses.max_by_key(|status| status.severity()).unwrap_or(TaskStatus::Completed),
            };
            let exit = member.exits.last().map(|exit| graph.node(*exit));
            let result = exit.filter(|_| status == TaskStatus::Completed).and_then(|exit| results.get(exit));
            MemberRecord {
                task_id: exit.map_or_else(|| "".into(), |exit| Arc::clone(&graph.vertex(exit).id)),
                status,
                result: result.map(|(value, _)| value.clone()),
                error: error.as_ref().map(ToString::to_string),
            }
        });
        records.collect()
    }
}
