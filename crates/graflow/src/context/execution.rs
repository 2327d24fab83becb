//! One run of a workflow, as its tasks see it.

use std::sync::Arc;

use graflow_model::ExecutionId;

use crate::channel::Channel;
use crate::engine::Shared;
use crate::task::{Res, Task};

/// One run of a workflow: its channel, its results, its resources.
#[derive(Debug, Clone)]
pub struct ExecutionContext {
    pub(crate) shared: Arc<Shared>,
}

impl ExecutionContext {
    /// Names this run.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.shared.execution.id
    }

    /// The workflow's name.
    pub fn workflow_name(&self) -> &str {
        self.shared.execution.workflow.as_str()
    }

    /// The channel, for code outside of tasks. In a task, `ctx.channel()` also says who wrote.
    pub fn channel(&self) -> Channel {
        Channel::new(Arc::clone(&self.shared), None)
    }

    /// The result of a task, if it has one by now.
    pub fn result<T: Task>(&self, task: &T) -> Option<Arc<T::Output>> {
        self.shared.result(task.id())?.downcast()
    }

    /// A resource, by its type.
    pub fn resource<T: Send + Sync + 'static>(&self) -> Option<Res<T>> {
        self.shared.resource()
    }

    /// Whether the run has been cancelled or has failed: what still runs should stop.
    pub fn is_cancelled(&self) -> bool {
        self.shared.is_cancelled()
    }
}
