//! Which task runs here: for logs, for nested workflows, for code that is given no context.

use std::cell::RefCell;
use std::sync::Arc;

use graflow_model::TaskExecutionId;

use super::attempt::Attempt;
use crate::engine::Shared;
use crate::sink::{LogLine, RecordKind, TaskExecution};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Attempt>>> = const { RefCell::new(None) };
}

/// The task execution that runs on this thread now, if one does.
///
/// An async task is current while it is polled, a blocking task on its own thread. Threads and tasks that it spawns
/// are not it; hand them the value.
pub fn current_task() -> Option<CurrentTask> {
    CURRENT.with(|current| current.borrow().clone()).map(CurrentTask)
}

/// The identity of a running task execution.
#[derive(Debug, Clone)]
pub struct CurrentTask(Arc<Attempt>);

impl CurrentTask {
    pub(crate) fn of(attempt: &Arc<Attempt>) -> Self {
        Self(Arc::clone(attempt))
    }

    /// The task.
    pub fn task_id(&self) -> &str {
        &self.0.id
    }

    /// The execution that it is part of.
    pub fn execution_id(&self) -> &graflow_model::ExecutionId {
        &self.0.shared.execution.id
    }

    /// The id of the task execution.
    pub fn task_execution_id(&self) -> TaskExecutionId {
        task_execution_id(&self.0.shared.execution.id, self.0.task.number)
    }

    /// Whether somebody listens: no log line has to be made otherwise.
    pub fn is_recorded(&self) -> bool {
        self.0.shared.recorder.is_some() && self.0.is_tracked()
    }

    /// Records a log line of this task execution.
    pub fn log(&self, line: LogLine) {
        if let Some(recorder) = self.0.shared.recorder.as_ref().filter(|_| self.0.is_tracked()) {
            recorder.record(RecordKind::Log { task: self.0.task, line: Box::new(line) });
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    pub(crate) fn task(&self) -> TaskExecution {
        self.0.task
    }

    pub(crate) fn is_tracked(&self) -> bool {
        self.0.is_tracked()
    }

    /// Whether it may wait without holding others up.
    pub(crate) fn has_its_own_thread(&self) -> bool {
        !self.0.spec.is_async
    }

    pub(crate) fn token(&self) -> tokio_util::sync::CancellationToken {
        self.0.token().clone()
    }
}

/// The id of a task execution: derived, so that it costs nothing while the workflow runs.
pub(crate) fn task_execution_id(execution: &graflow_model::ExecutionId, number: u32) -> TaskExecutionId {
    TaskExecutionId::from(format!("{execution}.{number}"))
}

/// Makes an attempt the current one until the guard is dropped.
pub(crate) fn enter(attempt: &Arc<Attempt>) -> Entered {
    let attempt = Arc::clone(attempt);
    Entered { before: CURRENT.with(|current| current.replace(Some(attempt))) }
}

pub(crate) struct Entered {
    before: Option<Arc<Attempt>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.before.take();
        // The attempt that ends here may hold values whose drop asks for the current task: drop it outside.
        let ended = CURRENT.with(|current| current.replace(before));
        drop(ended);
    }
}
