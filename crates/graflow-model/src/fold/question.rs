//! Questions put to people: a run waits while one is open.

use super::register::Earliest;
use super::register::Moment;
use super::{ExecutionState, Touched};
use crate::event::{Event, Waiting};
use crate::id::{ExecutionId, FeedbackId, TaskExecutionId, TaskId};

/// A question put to a person.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Question {
    pub(super) asked: Earliest<Asked>,
    pub(super) ended: Earliest<()>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) waiting: Waiting,
    pub(super) task_id: Option<TaskId>,
    pub(super) task_execution_id: Option<TaskExecutionId>,
}

impl Question {
    /// Whether it was asked and the answer is still to come.
    pub(super) fn is_open(&self) -> bool {
        self.asked.get().is_some() && self.ended.get().is_none()
    }

    /// The task execution that waits for the answer.
    fn asked_by(&self) -> Option<TaskExecutionId> {
        let asked = self.asked.get().filter(|_| self.ended.get().is_none())?;
        asked.task_execution_id.clone()
    }
}

impl ExecutionState {
    pub(super) fn question(
        &mut self,
        id: FeedbackId,
        touched: &mut Touched,
        change: impl FnOnce(&mut Question) -> bool,
    ) {
        let question = self.questions.entry(id.clone()).or_default();
        let before = question.asked_by();
        let changed = change(question);
        let after = question.asked_by();
        if !changed || before == after {
            return;
        }
        if let Some(task) = before {
            self.change_task(&task, touched, |task| {
                task.questions.remove(&id);
                task.is_resumed &= !task.questions.is_empty();
            });
        }
        let is_resumed = !self.resumed_by.is_empty();
        if let Some(task) = after {
            self.change_task(&task, touched, |task| {
                task.questions.insert(id);
                task.is_resumed = is_resumed;
            });
        }
    }

    /// Another run goes on from a checkpoint: who still waits for an answer here waits no longer.
    pub(super) fn resume(&mut self, event: &Event, by: ExecutionId, touched: &mut Touched) {
        self.resumed.join(event, Moment::of(event));
        self.resumed_by.insert(by);
        let waiting: Vec<_> = self.questions.values().filter_map(Question::asked_by).collect();
        for task in waiting {
            self.change_task(&task, touched, |task| task.is_resumed = true);
        }
    }

    /// When another run took over what this one waited for, if it did.
    pub(super) fn handed_on(&self) -> Option<&Moment> {
        let waits = self.ends.winner().is_none() && self.questions.values().any(Question::is_open);
        self.resumed.get().filter(|_| waits)
    }
}
