//! The end of a run: what can no longer run, and where everything stands.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use graflow_model::TaskStatus;

use super::driver::Driver;
use super::run::{Run, TaskReport};
use super::state::Stop;
use crate::sink::{End, Failure, RecordKind, TaskExecution};

impl Driver {
    /// Says of everything where it stands, and records the end.
    pub(super) fn conclude(&mut self, started: Instant) -> Run {
        self.is_over = true;
        let status = self.status();
        let why = self.stop_reason().unwrap_or("no task led here");
        let (reason, failure) = match self.stop.take() {
            None => (None, None),
            Some(Stop::Failed(failure)) => (None, Some(failure)),
            Some(Stop::Cancelled(reason) | Stop::Terminated(reason)) => (Some(reason), None),
            Some(Stop::MaxSteps) => (Some("max_steps".to_owned()), None),
        };
        self.close_groups();
        for vertex in 0..self.slots.len() {
            if self.slots[vertex].status == TaskStatus::Pending {
                self.skip(crate::flow::index(vertex), why);
            }
        }
        if let Some(recorder) = &self.shared.recorder {
            let failure = failure
                .as_ref()
                .map(|failed| Failure { error_type: failed.error.type_name(), message: failed.to_string() });
            recorder.record(RecordKind::WorkflowEnded(Box::new(End {
                status,
                reason: reason.clone(),
                failure,
            })));
        }
        let graph = Arc::clone(&self.graph);
        let tasks = graph.nodes().map(|(node, vertex)| {
            let slot = &mut self.slots[node as usize];
            TaskReport {
                task_id: Arc::clone(&vertex.id),
                status: slot.status,
                executions: slot.executions,
                error: slot.error.take(),
            }
        });
        let tasks = tasks.collect();
        let results =
            self.shared.results().values.iter().map(|result| Some(result.as_ref()?.0.clone())).collect();
        Run {
            shared: Arc::clone(&self.shared),
            graph,
            status,
            reason,
            failure,
            tasks,
            results,
            steps: self.steps,
            duration: started.elapsed(),
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
}

/// A run whose future is dropped is cancelled.
impl Drop for Driver {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // Nobody is there to wait for timers, and perhaps no runtime.
        self.is_over = true;
        let reason = "the future of the run was dropped";
        let cut_short = || {
            self.stop_with(Stop::Cancelled(reason.to_owned()));
            self.here.clear();
            self.give_up(reason);
            drop(self.conclude(Instant::now()));
        };
        // A panic may be what drops it, and a second one would end the program.
        let _ = catch_unwind(AssertUnwindSafe(cut_short));
    }
}
