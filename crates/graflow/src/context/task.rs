//! What a task can ask of its workflow.

use std::sync::Arc;
use std::time::Duration;

use graflow_model::{ExecutionId, TaskExecutionId};
use tokio_util::sync::CancellationToken;

use super::attempt::Attempt;
use super::current::{CurrentTask, task_execution_id};
use super::execution::ExecutionContext;
use crate::channel::Channel;
use crate::error::{Result, TaskError};
use crate::flow::IntoFlow;
use crate::sink::{LogLine, RecordKind, Usage};
use crate::task::{Next, Step, Task, TaskRef};

/// A running task's view of its workflow. A task gets one by taking `&TaskContext`.
///
/// What steers the workflow is a value that the task returns, so that no two decisions can contradict each other.
#[derive(Debug, Clone)]
pub struct TaskContext {
    attempt: Arc<Attempt>,
}

impl TaskContext {
    pub(crate) fn new(attempt: Arc<Attempt>) -> Self {
        Self { attempt }
    }

    /// Runs this task again, with `value` as its `#[iteration]` parameter. Its successors wait for the last pass.
    pub fn next_iteration<T>(&self, value: T) -> Next<T> {
        Next::step(Step::Iterate, Some(value))
    }

    /// Goes to another task of the graph; the task's own successors are skipped.
    ///
    /// Use [`Next::with`] to give the task a result as well.
    pub fn jump<T>(&self, target: impl TaskRef) -> Next<T> {
        Next::step(Step::Jump(target.into_task_id()), None)
    }

    /// Ends the workflow here, on purpose: what runs comes to its end, nothing more starts.
    pub fn terminate<T>(&self, reason: impl Into<String>) -> Next<T> {
        Next::step(Step::Terminate(reason.into()), None)
    }

    /// Cancels the workflow: what runs is cancelled, nothing more starts.
    pub fn cancel<T>(&self, reason: impl Into<String>) -> Next<T> {
        Next::step(Step::Cancel(reason.into()), None)
    }

    /// Adds tasks to the running workflow. They start when this attempt completes, beside the task's successors;
    /// when it fails, they are withdrawn. Inside of a parallel group they belong to the same member.
    ///
    /// # Errors
    /// A name that is empty or too long; and when this attempt has ended, for a context that was kept. What else is
    /// wrong with the new tasks (an id that exists, a parameter without a value) fails the attempt when it ends,
    /// with everything in one message.
    pub fn next_task(&self, flow: impl IntoFlow) -> Result<()> {
        let flow = flow.into_flow();
        flow.check_names().map_err(|problem| TaskError::from(problem).into_permanent())?;
        self.attempt.add(flow)
    }

    /// The task.
    pub fn task_id(&self) -> &str {
        &self.attempt.id
    }

    /// The run.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.attempt.shared.execution.id
    }

    /// The id of this attempt.
    pub fn task_execution_id(&self) -> TaskExecutionId {
        task_execution_id(self.execution_id(), self.attempt.task.number)
    }

    /// The pass of the loop over the whole run, from 0.
    pub fn iteration(&self) -> u32 {
        self.attempt.task.iteration
    }

    /// The pass since the loop was entered, from 1.
    pub fn cycle_count(&self) -> u32 {
        self.attempt.cycle
    }

    /// How many passes the loop may have.
    pub fn max_cycles(&self) -> u32 {
        self.attempt.max_cycles
    }

    /// Whether the task may ask for another pass.
    pub fn can_iterate(&self) -> bool {
        self.attempt.cycle < self.attempt.max_cycles
    }

    /// The attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt.task.attempt
    }

    /// How many attempts of this pass have failed.
    pub fn retry_count(&self) -> u32 {
        self.attempt.task.attempt - 1
    }

    /// How often a failed attempt is tried again.
    pub fn max_retries(&self) -> u32 {
        self.attempt.max_retries
    }

    /// The time since this attempt began.
    pub fn elapsed(&self) -> Duration {
        self.attempt.started.map_or(Duration::ZERO, |started| started.elapsed())
    }

    /// The channel; what is written to it is known to come from this task.
    pub fn channel(&self) -> Channel {
        Channel::new(Arc::clone(&self.attempt.shared), Some(Arc::clone(&self.attempt)))
    }

    /// The result of a task, if it has one by now. A parameter of the task's name is the better way: it is checked
    /// before the workflow starts.
    pub fn result<T: Task>(&self, task: &T) -> Option<Arc<T::Output>> {
        self.attempt.shared.result(task.id())?.downcast()
    }

    /// The run that this task is part of.
    pub fn execution(&self) -> ExecutionContext {
        ExecutionContext { shared: Arc::clone(&self.attempt.shared) }
    }

    /// Whether this attempt should stop. A blocking task looks here now and then.
    pub fn is_cancelled(&self) -> bool {
        self.attempt.is_cancelled()
    }

    /// Cancelled with this attempt; for what the task starts on its own.
    pub fn cancellation_token(&self) -> CancellationToken {
        self.attempt.token().clone()
    }

    /// Records what a call of a model used.
    pub fn record_usage(&self, usage: Usage) {
        if let Some(recorder) = self.attempt.shared.recorder.as_ref().filter(|_| self.attempt.is_tracked()) {
            recorder.record(RecordKind::ModelCalled { task: self.attempt.task, usage: Box::new(usage) });
        }
    }

    /// Records a log line of this attempt. A program that uses `tracing` needs no call: a layer finds the task.
    pub fn log(&self, level: &'static str, message: impl Into<String>) {
        let current = CurrentTask::of(&self.attempt);
        if current.is_recorded() {
            current.log(LogLine { level, message: message.into(), ..LogLine::default() });
        }
    }
}
