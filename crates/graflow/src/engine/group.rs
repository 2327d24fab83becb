//! Parallel groups: their begin, their members' failures, and the judgement of their policy.

use std::sync::Arc;

use graflow_model::TaskStatus;

use super::driver::Driver;
use crate::error::TaskError;
use crate::flow::{MemberOutcome, NO_GROUP};
use crate::sink::{Failure, RecordKind, TaskExecution};
use crate::task::{MemberRecord, MembersRecord};
use crate::value::Value;

impl Driver {
    pub(super) fn begin_group(&mut self, vertex: u32, group: u32) {
        let graph = Arc::clone(&self.graph);
        let pass = self.scheduler.begin(vertex);
        let number = self.number();
        let slot = &mut self.slots[vertex as usize];
        (slot.number, slot.iteration, slot.attempt) = (number, pass.iteration, 1);
        slot.status = TaskStatus::Running;
        slot.executions += 1;
        self.scheduler.open_group(group);
        let shape = &graph.groups[group as usize];
        let run = &mut self.groups[group as usize];
        run.is_open = true;
        run.errors.clear();
        run.errors.resize(shape.members.len(), None);
        for &inside in &shape.inside {
            self.slots[inside as usize].status = TaskStatus::Pending;
        }
        if let Some(recorder) = &self.shared.recorder {
            let task = self.execution_of(vertex);
            let (causes, reads) = (pass.causes, Vec::new());
            recorder.record(RecordKind::TaskStarted { task, causes, reads, was_queued: false });
        }
        self.scheduler.end(&graph, vertex, Some(number));
        self.record_skipped();
    }

    /// All members have ended, one way or the other.
    pub(super) fn end_group(&mut self, vertex: u32, group: u32) {
        let graph = Arc::clone(&self.graph);
        let shape = &graph.groups[group as usize];
        let begin = shape.begin;
        let pass = self.scheduler.begin(vertex);
        drop(pass);
        self.groups[group as usize].is_open = false;
        let members = self.members(group);
        let outcomes: Vec<MemberOutcome> = members
            .iter()
            .map(|member| MemberOutcome {
                task_id: member.task_id.to_string(),
                status: member.status,
                error: member.error.clone(),
            })
            .collect();
        let judged = shape.policy.evaluate(&outcomes);
        let number = self.slots[begin as usize].number;
        match judged {
            Ok(()) => {
                let record = MembersRecord { members };
                self.shared.results().values[begin as usize] = Some((Value::new(record), number));
                self.slots[begin as usize].status = TaskStatus::Completed;
                self.slots[vertex as usize].status = TaskStatus::Completed;
                self.record_group_end(begin, None);
                self.scheduler.end(&graph, vertex, Some(number));
                self.record_skipped();
            }
            Err(reason) => {
                let name = &graph.vertex(begin).id;
                let policy = shape.policy.name();
                let error = TaskError::group(format!("group `{name}` ({policy}) failed: {reason}"));
                self.record_group_end(begin, Some(&error));
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
        if !graph.groups[group as usize].policy.stops_at_first_failure() {
            return;
        }
        for running in self.scheduler.stop_group(&graph, group) {
            let slot = &mut self.slots[running as usize];
            if let Some(attempt) = &slot.running {
                attempt.cancel();
            } else if slot.status == TaskStatus::Queued {
                // A retry that waits will not come.
                slot.status = TaskStatus::Cancelled;
                self.occupied -= 1;
                self.due.retain(|due| *due != running);
                self.scheduler.end(&graph, running, None);
            }
        }
    }

    pub(super) fn is_in_stopped_group(&self, vertex: u32) -> bool {
        let group = self.graph.vertex(vertex).group;
        group != NO_GROUP && self.scheduler.is_stopped(group)
    }

    /// Groups that were cut off by the end of the workflow.
    pub(super) fn close_groups(&mut self, reason: &str) {
        for group in 0..self.groups.len() {
            if !std::mem::take(&mut self.groups[group].is_open) {
                continue;
            }
            let begin = self.graph.groups[group].begin;
            self.slots[begin as usize].status = TaskStatus::Cancelled;
            if let Some(recorder) = &self.shared.recorder {
                let task = self.execution_of(begin);
                recorder.record(RecordKind::TaskCancelled { task, reason: reason.into() });
            }
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

    fn record_group_end(&self, begin: u32, error: Option<&TaskError>) {
        let Some(recorder) = &self.shared.recorder else { return };
        let task = self.execution_of(begin);
        recorder.record(match error {
            None => RecordKind::TaskCompleted { task, result: None },
            Some(error) => {
                RecordKind::TaskFailed { task, failure: Box::new(Failure::of(error)), retry_after: None }
            }
        });
    }

    fn execution_of(&self, vertex: u32) -> TaskExecution {
        let slot = &self.slots[vertex as usize];
        TaskExecution { task: vertex, number: slot.number, iteration: slot.iteration, attempt: 1 }
    }
}
