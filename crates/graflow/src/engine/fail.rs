//! Attempts that come to no good end: they fail, are tried again, are cancelled, take too long.

use std::sync::Arc;

use graflow_model::TaskStatus;

use super::driver::Driver;
use super::run::RunFailure;
use super::schedule::Follow;
use super::state::{Due, Stop};
use crate::context::Attempt;
use crate::error::TaskError;
use crate::flow::NO_GROUP;
use crate::sink::{Failure, RecordKind, TaskExecution};

impl Driver {
    /// Tries again, or fails the task.
    pub(super) fn fail_attempt(&mut self, vertex: u32, attempt: &Attempt, error: TaskError, may_retry: bool) {
        let policy = attempt.spec.retry.unwrap_or(self.limits.retry);
        let retry = attempt.task.attempt - 1;
        let again = !error.is_permanent()
            && retry < policy.max_retries
            && self.stop.is_none()
            && may_retry
            && !self.is_in_stopped_group(vertex);
        let wait = again.then(|| policy.wait(retry));
        if let Some(recorder) = self.shared.recorder.as_ref().filter(|_| attempt.is_tracked()) {
            let failure = Box::new(Failure::of(&error));
            recorder.record(RecordKind::TaskFailed { task: attempt.task, failure, retry_after: wait });
        }
        let Some(wait) = wait else {
            self.fail(vertex, attempt.task.attempt, error);
            return;
        };
        let slot = &mut self.slots[vertex as usize];
        slot.status = TaskStatus::Queued;
        slot.attempt += 1;
        self.occupied += 1;
        if wait.is_zero() {
            self.due.push_back(vertex);
        } else {
            self.ring_after(wait, Due::Retry { vertex, number: attempt.task.number });
        }
    }

    /// A task, or a group, has failed for good: so has its group's member, or the workflow.
    pub(super) fn fail(&mut self, vertex: u32, attempts: u32, error: TaskError) {
        let graph = Arc::clone(&self.graph);
        let node = graph.node(vertex);
        let message: Arc<str> = error.words().into();
        for slot in [vertex, node] {
            self.slots[slot as usize].status = TaskStatus::Failed;
            self.slots[slot as usize].error = Some(Arc::clone(&message));
        }
        let shape = graph.vertex(node);
        if shape.group == NO_GROUP {
            let task_id = Arc::clone(&shape.id);
            self.stop_with(Stop::Failed(RunFailure { task_id, attempts, error: Arc::new(error) }));
        } else {
            self.fail_member(shape.group, shape.member, message);
        }
        self.scheduler.end(&graph, vertex, &Follow::Nothing);
        self.record_skipped();
    }

    pub(super) fn end_cancelled(&mut self, vertex: u32, attempt: &Attempt, reason: &str) {
        if let Some(recorder) = self.shared.recorder.as_ref().filter(|_| attempt.is_tracked()) {
            recorder.record(RecordKind::TaskCancelled { task: attempt.task, reason: reason.into() });
        }
        self.slots[vertex as usize].status = TaskStatus::Cancelled;
        let graph = Arc::clone(&self.graph);
        self.scheduler.end(&graph, vertex, &Follow::Nothing);
        self.record_skipped();
    }

    /// A retry or a pass that waits will not come.
    pub(super) fn cancel_queued(&mut self, vertex: u32, reason: &'static str) {
        self.occupied -= 1;
        self.record_never_began(vertex, reason);
    }

    /// The attempt that was to come next is cancelled.
    pub(super) fn record_never_began(&mut self, vertex: u32, reason: &'static str) {
        let number = self.number();
        let slot = &mut self.slots[vertex as usize];
        slot.status = TaskStatus::Cancelled;
        let task = TaskExecution { task: vertex, number, iteration: slot.iteration, attempt: slot.attempt };
        let is_tracked = self.graph.task(vertex).is_some_and(|node| node.spec.track_lineage);
        if let Some(recorder) = self.shared.recorder.as_ref().filter(|_| is_tracked) {
            recorder.record(RecordKind::TaskCancelled { task, reason: reason.into() });
        }
    }

    /// A blocking attempt takes too long. Its thread cannot be stopped; it is asked to, and no longer waited for.
    pub(super) fn time_out(&mut self, vertex: u32, number: u32) {
        let slot = &mut self.slots[vertex as usize];
        if slot.number != number {
            return;
        }
        let Some(attempt) = slot.running.take() else { return };
        attempt.cancel();
        drop(attempt.close());
        self.occupied -= 1;
        self.leave_group(vertex, &attempt);
        let limit = attempt.spec.timeout.unwrap_or_default();
        self.fail_attempt(vertex, &attempt, TaskError::timed_out(limit), true);
    }

    /// Attempts that were cancelled and do not stop are waited for no longer.
    pub(super) fn give_up(&mut self, reason: &str) {
        for vertex in 0..self.slots.len() {
            if let Some(attempt) = self.slots[vertex].running.take() {
                self.occupied -= 1;
                drop(attempt.close());
                self.end_cancelled(crate::flow::index(vertex), &attempt, reason);
            }
        }
    }
}
