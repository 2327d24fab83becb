//! Takes the end of an attempt: its result, its decision, its failure.

use std::sync::Arc;

use graflow_model::TaskStatus;
use graflow_model::state::CauseKind;

use super::attempt::{Ended, Finished};
use super::driver::Driver;
use super::group::MEMBER_FAILED;
use super::schedule::Follow;
use super::state::Stop;
use crate::context::Attempt;
use crate::error::{TaskError, TaskErrorKind};
use crate::flow::{Flow, NO_GROUP};
use crate::sink::{Cause, RecordKind};
use crate::task::{Ending, Outcome, Step};
use crate::value::Value;

impl Driver {
    pub(super) fn finish(&mut self, finished: Finished) {
        let Finished { vertex, number, ended } = finished;
        let slot = &mut self.slots[vertex as usize];
        if slot.number != number {
            return;
        }
        // Without one, the attempt was given up before it ended.
        let Some(attempt) = slot.running.take() else { return };
        self.occupied -= 1;
        self.leave_group(vertex, &attempt);
        let additions = attempt.close();
        match ended {
            Ended::Attempted(Ok(outcome)) => {
                if let Err(error) = self.succeed(vertex, &attempt, outcome, additions) {
                    self.fail_attempt(vertex, &attempt, error, false);
                }
            }
            Ended::Attempted(Err(error))
                if !attempt.is_cancelled() || error.kind() == TaskErrorKind::Panicked =>
            {
                self.fail_attempt(vertex, &attempt, error, !attempt.is_cancelled());
            }
            // An error is how a blocking task stops that was told to.
            Ended::Attempted(Err(_)) | Ended::Cancelled => {
                let reason = self.stop_reason().unwrap_or(MEMBER_FAILED);
                self.end_cancelled(vertex, &attempt, reason);
            }
        }
    }

    fn succeed(
        &mut self,
        vertex: u32,
        attempt: &Attempt,
        outcome: Outcome,
        additions: Vec<Flow>,
    ) -> Result<(), TaskError> {
        let number = attempt.task.number;
        let step = match outcome.ending {
            Ending::Done => None,
            Ending::Step(step) => Some(step),
        };
        if let Some(Step::Cancel(reason)) = step {
            self.end_cancelled(vertex, attempt, &reason);
            self.stop_with(Stop::Cancelled(reason));
            return Ok(());
        }
        if step == Some(Step::Iterate) && attempt.cycle >= attempt.max_cycles {
            return Err(TaskError::cycle_limit(attempt.max_cycles));
        }
        let target = match &step {
            Some(Step::Jump(target)) => Some(self.jump_target(vertex, target)?),
            _ => None,
        };
        if !additions.is_empty() {
            self.graft(vertex, attempt, additions)?;
        }
        self.record_completed(attempt, outcome.value.as_ref());
        if step == Some(Step::Iterate) {
            self.iterate(vertex, number, outcome.value);
            return Ok(());
        }
        let slot = &mut self.slots[vertex as usize];
        slot.status = TaskStatus::Completed;
        if let Some(value) = outcome.value {
            self.shared.set_result(vertex, value, number);
        }
        let graph = Arc::clone(&self.graph);
        if let Some(target) = target {
            let cause = self.cause(attempt, CauseKind::Jump);
            self.scheduler.jump(&graph, target, vertex, cause.as_slice());
        }
        if step.is_none() {
            let cause = self.cause(attempt, CauseKind::Successor);
            self.scheduler.end(&graph, vertex, &Follow::Successors(cause.as_slice()));
        } else {
            self.scheduler.end(&graph, vertex, &Follow::Nothing);
        }
        if let Some(Step::Terminate(reason)) = step {
            self.stop_with(Stop::Terminated(reason));
        }
        self.record_skipped();
        Ok(())
    }

    fn iterate(&mut self, vertex: u32, number: u32, value: Option<Value>) {
        self.slots[vertex as usize].carried = value.map(|value| (value, number));
        if self.stop.is_some() || self.is_in_stopped_group(vertex) {
            // The pass was good, and the loop is cut off.
            let slot = &mut self.slots[vertex as usize];
            slot.iteration += 1;
            let reason = self.stop_reason().unwrap_or(MEMBER_FAILED);
            self.record_never_began(vertex, reason);
            let graph = Arc::clone(&self.graph);
            self.scheduler.end(&graph, vertex, &Follow::Nothing);
            self.record_skipped();
            return;
        }
        let pass = self.scheduler.begin_again(vertex);
        let slot = &mut self.slots[vertex as usize];
        (slot.iteration, slot.cycle, slot.attempt) = (pass.iteration, pass.cycle, 1);
        slot.status = TaskStatus::Queued;
        self.occupied += 1;
        self.due.push_back(vertex);
    }

    fn jump_target(&self, vertex: u32, target: &str) -> Result<u32, TaskError> {
        let Some(found) = self.graph.find(target) else {
            let names = self.graph.names();
            return Err(TaskError::request(format!(
                "cannot jump to `{target}`: there is no such task; there are: {names}"
            )));
        };
        let (from, to) = (self.graph.vertex(vertex), self.graph.vertex(found));
        if from.group == to.group && (from.group == NO_GROUP || from.member == to.member) {
            return Ok(found);
        }
        Err(TaskError::request(format!(
            "cannot jump to `{target}`: a jump stays inside of one member of a group; jump to the group as a whole"
        )))
    }

    /// An attempt inside of a group has ended; should it be the last, it leads on from the group.
    pub(super) fn leave_group(&mut self, vertex: u32, attempt: &Attempt) {
        let group = self.graph.vertex(vertex).group;
        if let Some(cause) = self.cause(attempt, CauseKind::Successor)
            && let Some(run) = self.groups.get_mut(group as usize)
        {
            run.ended_last = Some(cause);
        }
    }

    /// An attempt as the cause of what follows. What is not recorded leads nowhere that can be seen.
    pub(super) fn cause(&self, attempt: &Attempt, kind: CauseKind) -> Option<Cause> {
        let is_told = self.shared.recorder.is_some() && attempt.is_tracked();
        is_told.then_some(Cause { kind, number: attempt.task.number })
    }

    fn record_completed(&self, attempt: &Attempt, value: Option<&Value>) {
        if let Some(recorder) = self.shared.recorder.as_ref().filter(|_| attempt.is_tracked()) {
            let result = value.filter(|_| recorder.with_values).cloned();
            recorder.record(RecordKind::TaskCompleted { task: attempt.task, result });
        }
    }
}
