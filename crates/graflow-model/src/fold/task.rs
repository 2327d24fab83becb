//! The state of one task execution.

use std::collections::BTreeSet;

use super::index::Contribution;
use super::llm::LlmSum;
use super::register::{Earliest, Ends, Moment};
use crate::event::{Cause, ErrorInfo, Event, EventType, Payload, TaskCompleted, TaskEnded};
use crate::id::{FeedbackId, ProducerId, TaskExecutionId, TaskId};
use crate::state::TaskStatus;
use crate::time::Timestamp;

/// What is known of one attempt of one iteration of a task.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TaskState {
    pub(crate) task_id: Earliest<TaskId>,
    pub(crate) iteration: Earliest<u32>,
    pub(crate) attempt: Earliest<u32>,
    pub(crate) queued: Earliest<Moment>,
    pub(crate) started: Earliest<Started>,
    pub(crate) group: Earliest<TaskId>,
    pub(crate) causes: BTreeSet<Cause>,
    pub(crate) parent: Earliest<TaskExecutionId>,
    pub(crate) producer: Earliest<ProducerId>,
    pub(crate) ends: Ends<TaskEnd>,
    pub(crate) retried: Earliest<TaskEnded>,
    /// Questions of it that are open.
    pub(crate) questions: BTreeSet<FeedbackId>,
    /// Whether another run has taken these over.
    pub(crate) is_resumed: bool,
    pub(crate) writes: u64,
    pub(crate) reads: u64,
    pub(crate) llm: LlmSum,
    /// Task executions that name it as a cause.
    pub(crate) followers: BTreeSet<TaskExecutionId>,
    /// Earliest time of any event about it.
    pub(crate) first_seen: Option<Timestamp>,
    /// What it has brought to the index.
    pub(crate) contribution: Option<Contribution>,
}

/// How it began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Started {
    pub(crate) moment: Moment,
    pub(crate) thread: Option<String>,
    pub(crate) worker: Option<String>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskEnd {
    pub(crate) status: TaskStatus,
    pub(crate) result: TaskCompleted,
    pub(crate) error: Option<ErrorInfo>,
    pub(crate) reason: Option<String>,
}

/// What the index shows of a task execution, apart from edges: while it stays, so does the index.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
    is_known: bool,
    status: TaskStatus,
    will_retry: bool,
    pass: (Option<u32>, Option<u32>),
    times: [Option<Timestamp>; 3],
}

impl TaskEnd {
    /// Failed beats cancelled beats completed beats skipped: what went wrong is never hidden by a later word.
    fn rank(&self) -> u8 {
        match self.status {
            TaskStatus::Failed => 3,
            TaskStatus::Cancelled => 2,
            TaskStatus::Completed => 1,
            _ => 0,
        }
    }
}

impl TaskState {
    /// Takes what every event that names this task execution says.
    pub(crate) fn join_envelope(&mut self, event: &Event) {
        if let Some(task_id) = &event.task_id {
            self.task_id.join(event, task_id.clone());
        }
        if let Some(iteration) = event.iteration {
            self.iteration.join(event, iteration);
        }
        if let Some(attempt) = event.attempt {
            self.attempt.join(event, attempt);
        }
        if let Some(parent) = &event.parent_task_execution_id {
            self.parent.join(event, parent.clone());
        }
        self.first_seen = Some(self.first_seen.map_or(event.time, |seen| seen.min(event.time)));
    }

    /// Takes a `task_…` event.
    pub(crate) fn join(&mut self, event: &Event, payload: Payload) {
        if let Some(producer) = &event.producer {
            self.producer.join(event, producer.clone());
        }
        match payload {
            Payload::TaskQueued(queued) => {
                self.queued.join(event, Moment::of(event));
                if let Some(group) = queued.group {
                    self.group.join(event, group);
                }
            }
            Payload::TaskStarted(started) => {
                if let Some(group) = started.group {
                    self.group.join(event, group);
                }
                self.causes.extend(started.causes);
                let moment = Moment::of(event);
                self.started.join(event, Started { moment, thread: started.thread, worker: started.worker });
            }
            Payload::TaskCompleted(result) => {
                self.end(event, TaskEnd { status: TaskStatus::Completed, result, error: None, reason: None });
            }
            Payload::TaskFailed(failed) => {
                let error = Some(failed.error);
                let result = TaskCompleted::default();
                self.end(event, TaskEnd { status: TaskStatus::Failed, result, error, reason: None });
            }
            Payload::TaskEnded(ended) => match event.event_type {
                EventType::TaskRetried => {
                    self.retried.join(event, ended);
                }
                EventType::TaskSkipped => self.end_without_result(event, TaskStatus::Skipped, ended),
                _ => self.end_without_result(event, TaskStatus::Cancelled, ended),
            },
            _ => {}
        }
    }

    fn end_without_result(&mut self, event: &Event, status: TaskStatus, ended: TaskEnded) {
        self.end(
            event,
            TaskEnd { status, result: TaskCompleted::default(), error: None, reason: ended.reason },
        );
    }

    fn end(&mut self, event: &Event, end: TaskEnd) {
        self.ends.join(event, end.rank(), end);
    }

    /// Whether an event told of it, or others only mention it.
    pub(crate) fn is_known(&self) -> bool {
        self.queued.get().is_some()
            || self.started.get().is_some()
            || self.ends.winner().is_some()
            || self.retried.get().is_some()
    }

    /// What the edges that lead on from it hang on.
    pub(crate) fn place(&self) -> (Option<TaskId>, Option<TaskId>) {
        (self.task_id.get().cloned(), self.group.get().cloned())
    }

    /// What the edges that led to it hang on, which only ever grows: whether it began, and its causes.
    pub(crate) fn led_to_by(&self) -> (bool, usize) {
        (self.started.get().is_some(), self.causes.len())
    }

    /// What the index shows of it, apart from edges.
    pub(crate) fn shown(&self) -> Shown {
        Shown {
            is_known: self.is_known(),
            status: self.status(),
            will_retry: self.will_retry(),
            pass: (self.iteration.get().copied(), self.attempt.get().copied()),
            times: [self.started.time(), self.first_seen, self.ends.winner().map(|end| end.moment.time)],
        }
    }

    /// Where it stands.
    pub(crate) fn status(&self) -> TaskStatus {
        if let Some(end) = self.ends.winner() {
            end.value.status
        } else if !self.questions.is_empty() {
            if self.is_resumed { TaskStatus::Cancelled } else { TaskStatus::Waiting }
        } else if self.started.get().is_some() {
            TaskStatus::Running
        } else if self.queued.get().is_some() {
            TaskStatus::Queued
        } else {
            TaskStatus::Pending
        }
    }

    /// Whether it failed and was tried again.
    pub(crate) fn will_retry(&self) -> bool {
        self.retried.get().is_some()
    }

    /// When it began, or else was first heard of.
    pub(crate) fn time(&self) -> Timestamp {
        self.started.time().or(self.first_seen).unwrap_or_default()
    }

    /// Its place among the executions of its task: the greatest is the one that the node shows.
    pub(crate) fn order(&self, id: &TaskExecutionId) -> TaskOrder {
        let iteration = self.iteration.get().copied().unwrap_or(0);
        let attempt = self.attempt.get().copied().unwrap_or(1);
        (iteration, attempt, self.time(), id.clone())
    }
}

/// (iteration, attempt, start, id)
pub(crate) type TaskOrder = (u32, u32, Timestamp, TaskExecutionId);
