//! Takes the end of an attempt: its result, its decision, its failure.

use std::sync::Arc;

use graflow_model::state::CauseKind;
use graflow_model::{NodeKind, TaskStatus};

use super::attempt::{Ended, Finished};
use super::driver::{Driver, Due, Stop};
use super::group::MEMBER_FAILED;
use super::run::RunFailure;
use super::schedule::Follow;
use crate::context::Attempt;
use crate::error::{TaskError, TaskErrorKind};
use crate::flow::{Available, Flow, NO_GROUP, VertexKind};
use crate::sink::{Cause, EdgeRecord, Failure, GraphChange, NodeRecord, RecordKind, TaskExecution};
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

    /// Adds tasks to the running graph; all of them, or none.
    fn graft(&mut self, vertex: u32, attempt: &Attempt, additions: Vec<Flow>) -> Result<(), TaskError> {
        if self.stop.is_some() {
            return Ok(());
        }
        let graph = Arc::make_mut(&mut self.graph);
        let size = graph.size();
        let mut starts = Vec::new();
        for flow in additions {
            starts.extend(graph.add_dynamic(flow, vertex, crate::flow::index(size.vertices)));
        }
        let mut problems = std::mem::take(&mut graph.problems);
        if problems.is_empty() {
            let types = self.shared.channel.types();
            let shared = &self.shared;
            // Asked for one by one: a group's policy, which is checked as well, may be the user's own code.
            let available = Available {
                keys: types.into_iter().collect(),
                resources: &shared.resources,
                has_result: &|node| shared.results().get(node).is_some(),
            };
            if let Err(found) = self.plan.extend(graph, &available) {
                problems = found;
            }
        }
        if !problems.is_empty() {
            graph.shrink(size);
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(TaskError::request(format!("cannot add tasks: {}", problems.join("; "))));
        }
        self.record_graph(size.vertices, size.edges);
        self.grow();
        let graph = Arc::clone(&self.graph);
        let cause = self.cause(attempt, CauseKind::Dynamic);
        self.scheduler.activate(&graph, &starts, vertex, cause.as_slice());
        Ok(())
    }

    /// An attempt inside of a group has ended; should it be the last, it leads on from the group.
    fn leave_group(&mut self, vertex: u32, attempt: &Attempt) {
        let group = self.graph.vertex(vertex).group;
        if let Some(cause) = self.cause(attempt, CauseKind::Successor)
            && let Some(run) = self.groups.get_mut(group as usize)
        {
            run.ended_last = Some(cause);
        }
    }

    /// An attempt as the cause of what follows. What is not recorded leads nowhere that can be seen.
    fn cause(&self, attempt: &Attempt, kind: CauseKind) -> Option<Cause> {
        let is_told = self.shared.recorder.is_some() && attempt.is_tracked();
        is_told.then_some(Cause { kind, number: attempt.task.number })
    }

    /// Tries again, or fails the task.
    fn fail_attempt(&mut self, vertex: u32, attempt: &Attempt, error: TaskError, may_retry: bool) {
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
        let message: Arc<str> = error.to_string().into();
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

    fn end_cancelled(&mut self, vertex: u32, attempt: &Attempt, reason: &str) {
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
    fn record_never_began(&mut self, vertex: u32, reason: &'static str) {
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
    pub(super) fn give_up(&mut self) {
        for vertex in 0..self.slots.len() {
            if let Some(attempt) = self.slots[vertex].running.take() {
                self.occupied -= 1;
                drop(attempt.close());
                let reason = "cancelled; its thread did not stop in time and was left behind";
                self.end_cancelled(crate::flow::index(vertex), &attempt, reason);
            }
        }
    }

    fn record_completed(&self, attempt: &Attempt, value: Option<&Value>) {
        if let Some(recorder) = self.shared.recorder.as_ref().filter(|_| attempt.is_tracked()) {
            let result = value.filter(|_| recorder.with_values).cloned();
            recorder.record(RecordKind::TaskCompleted { task: attempt.task, result });
        }
    }

    /// Marks and records what can no longer run.
    pub(super) fn record_skipped(&mut self) {
        if self.scheduler.skipped.is_empty() {
            return;
        }
        let reason = self.stop_reason().unwrap_or("no task led here");
        for vertex in std::mem::take(&mut self.scheduler.skipped) {
            self.skip(vertex, reason);
        }
    }

    pub(super) fn skip(&mut self, vertex: u32, reason: &'static str) {
        self.slots[vertex as usize].status = TaskStatus::Skipped;
        let Some(node) = self.graph.task(vertex) else { return };
        if !node.spec.track_lineage || self.shared.recorder.is_none() {
            return;
        }
        let number = self.number();
        if let Some(recorder) = &self.shared.recorder {
            let task = TaskExecution { task: vertex, number, iteration: 0, attempt: 1 };
            recorder.record(RecordKind::TaskSkipped { task, reason });
        }
    }

    /// Records the nodes and edges from here on.
    pub(super) fn record_graph(&self, first_vertex: usize, first_edge: usize) {
        let Some(recorder) = &self.shared.recorder else { return };
        let nodes = self.graph.nodes_from(first_vertex).map(|(number, vertex)| NodeRecord {
            number,
            id: Arc::clone(&vertex.id),
            kind: if matches!(vertex.kind, VertexKind::Begin(_)) { NodeKind::Group } else { vertex.origin },
            group: self.graph.groups.get(vertex.group as usize).map(|group| group.begin),
            spec: self.graph.task(number).map(|task| task.spec),
        });
        let edges = self.graph.edges[first_edge..].iter().map(|edge| EdgeRecord {
            source: edge.source,
            target: edge.target,
            kind: edge.kind,
        });
        let change = GraphChange { nodes: nodes.collect(), edges: edges.collect() };
        recorder.record(RecordKind::GraphChanged(Box::new(change)));
    }
}
