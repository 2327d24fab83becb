//! What is left of a run: its status, its results, and what became of each task.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use graflow_model::{ExecutionId, ExecutionStatus, TaskStatus};

use super::shared::Shared;
use crate::channel::Channel;
use crate::error::TaskError;
use crate::flow::Graph;
use crate::task::{Task, TaskRef};
use crate::value::Value;

/// A run that has ended.
///
/// It may have failed: look at [`Run::status`], or turn a failure into an error with [`Run::into_result`].
#[must_use = "a run may have failed; look at status(), or call into_result()"]
pub struct Run {
    pub(super) shared: Arc<Shared>,
    pub(super) graph: Arc<Graph>,
    pub(super) status: ExecutionStatus,
    pub(super) reason: Option<String>,
    pub(super) failure: Option<RunFailure>,
    pub(super) tasks: Vec<TaskReport>,
    pub(super) results: Vec<Option<Value>>,
    pub(super) steps: u64,
    pub(super) duration: Duration,
}

/// What became of one task, or parallel group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskReport {
    /// The task.
    pub task_id: Arc<str>,
    /// Where it stands after its last attempt.
    pub status: TaskStatus,
    /// Attempts, of all passes.
    pub executions: u32,
    /// Why it failed.
    pub error: Option<Arc<str>>,
}

/// Why a run failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("task `{task_id}` failed{}: {}", if *attempts > 1 { format!(" after {attempts} attempts") } else { String::new() }, .error.words())]
pub struct RunFailure {
    /// The task, or the parallel group.
    pub task_id: Arc<str>,
    /// Attempts of its last pass.
    pub attempts: u32,
    /// The last error.
    pub error: Arc<TaskError>,
}

/// Why a task has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MissingResult {
    /// The workflow has no such task.
    #[error("there is no task `{0}` in this run")]
    NoTask(Arc<str>),
    /// The task gave none.
    #[error("task `{task_id}` is {status} and has no result")]
    NotCompleted {
        /// The task.
        task_id: Arc<str>,
        /// Where it stands.
        status: TaskStatus,
    },
    /// Another task has that id.
    #[error("the result of task `{task_id}` is of another type: {found}")]
    OtherType {
        /// The task.
        task_id: Arc<str>,
        /// The type.
        found: &'static str,
    },
}

/// Where a run can be looked at; displayed as the address, or as `not recorded`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(Option<String>);

impl Run {
    /// How it ended.
    pub fn status(&self) -> ExecutionStatus {
        self.status
    }

    /// Whether it came to its end, or was ended on purpose.
    pub fn is_success(&self) -> bool {
        matches!(self.status, ExecutionStatus::Completed | ExecutionStatus::Terminated)
    }

    /// The result of a task.
    ///
    /// # Errors
    /// Says where the task stands when it has no result.
    pub fn result<T: Task>(&self, task: T) -> Result<&T::Output, MissingResult> {
        let task_id = task.into_task_id();
        let Some(node) = self.graph.find(&task_id) else { return Err(MissingResult::NoTask(task_id)) };
        let Some(value) = &self.results[node as usize] else {
            let status = self.task(&task_id).map_or(TaskStatus::Pending, |task| task.status);
            return Err(MissingResult::NotCompleted { task_id, status });
        };
        value.downcast_ref().ok_or_else(|| {
            let found = value.value_type().name();
            MissingResult::OtherType { task_id, found }
        })
    }

    /// Why it failed.
    pub fn error(&self) -> Option<&RunFailure> {
        self.failure.as_ref()
    }

    /// Why it was cancelled or terminated.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The run itself, if it came to its end or was ended on purpose.
    ///
    /// # Errors
    /// What failed, or why it did not come to its end.
    pub fn into_result(self) -> Result<Self, TaskError> {
        if self.is_success() {
            return Ok(self);
        }
        let words = match (&self.failure, &self.reason) {
            (Some(failure), _) => failure.to_string(),
            (None, Some(reason)) => reason.clone(),
            (None, None) => format!("{} task executions were not enough", self.steps),
        };
        let workflow = &self.shared.execution.workflow;
        Err(TaskError::new(format!("workflow `{workflow}` {}: {words}", self.status)))
    }

    /// Names the run.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.shared.execution.id
    }

    /// Where it can be looked at, if the sink knows.
    pub fn url(&self) -> Link {
        Link(self.shared.recorder.as_ref().and_then(|recorder| recorder.sink.url(self.execution_id())))
    }

    /// What became of each task and group, in the order of declaration.
    pub fn tasks(&self) -> &[TaskReport] {
        &self.tasks
    }

    /// What became of one task.
    pub fn task(&self, id: &str) -> Option<&TaskReport> {
        self.tasks.iter().find(|task| &*task.task_id == id)
    }

    /// What the tasks left in the channel.
    pub fn channel(&self) -> Channel {
        Channel::new(Arc::clone(&self.shared), None)
    }

    /// Task executions, attempts of all passes counted.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How long it took.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// The graph as it was in the end, as a Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        self.graph.mermaid()
    }

    /// The graph as it was in the end, for GraphViz.
    pub fn dot(&self) -> String {
        self.graph.dot(self.shared.execution.workflow.as_str())
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Run");
        debug.field("execution_id", self.execution_id()).field("status", &self.status);
        if let Some(failure) = &self.failure {
            debug.field("error", &failure.to_string());
        }
        debug.field("tasks", &self.tasks).finish_non_exhaustive()
    }
}

impl Link {
    /// The address.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.0.as_deref().unwrap_or("not recorded"))
    }
}
