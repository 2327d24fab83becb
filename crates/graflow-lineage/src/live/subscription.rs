//! One viewer: a filter and a bounded queue.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use graflow_model::event::EventType;
use graflow_model::{ExecutionId, Project, Seq, WorkflowName};
use tokio::sync::Notify;

use super::Live;
use crate::liveness::Turned;
use crate::materialise::Delta;

/// Updates that a viewer may be behind.
pub const QUEUE_UPDATES: usize = 4_096;
/// Bytes of events that a viewer may be behind.
pub const QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// What a viewer wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only this execution.
    pub execution_id: Option<ExecutionId>,
    /// Only executions of this workflow.
    pub workflow_name: Option<WorkflowName>,
}

/// Something to tell, shared by all viewers.
#[derive(Debug)]
pub struct Update {
    /// What.
    pub kind: UpdateKind,
    /// The number of the event; of a turn, up to where everything had been published.
    pub seq: Seq,
    rendered: OnceLock<Arc<str>>,
}

/// What there is to tell.
#[derive(Debug)]
pub enum UpdateKind {
    /// An event, and the rows that it changed; see [`Update::lacks_rows`].
    Event(Box<Delta>),
    /// An execution turned lost, or came back.
    Turned(Turned),
}

/// What was in a viewer's queue.
#[derive(Debug, Default)]
pub struct Taken {
    /// In order.
    pub updates: Vec<Arc<Update>>,
    /// Updates were thrown away since the last time: the viewer must begin anew.
    pub overflowed: bool,
    /// Everything up to here has been said, once the updates have been.
    pub published: Seq,
}

/// A place in the stream. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    live: Weak<Live>,
    viewer: Arc<Viewer>,
    published: Arc<AtomicU64>,
}

#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) id: u64,
    pub(super) project: Project,
    pub(super) filter: Filter,
    queue: Mutex<Queue>,
    ready: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    updates: VecDeque<Arc<Update>>,
    bytes: usize,
    overflowed: bool,
}

impl Filter {
    /// Whether rows must be computed for an execution of which only the id is known.
    pub(super) fn may_want(&self, execution_id: &ExecutionId) -> bool {
        self.execution_id.as_ref().is_none_or(|wanted| wanted == execution_id)
    }

    /// Whether an execution is wanted. Where its workflow is not known, it is: the reader looks again.
    pub fn wants(&self, execution_id: &ExecutionId, workflow_name: Option<&WorkflowName>) -> bool {
        let workflow_wanted = match (&self.workflow_name, workflow_name) {
            (Some(wanted), Some(name)) => wanted == name,
            _ => true,
        };
        workflow_wanted && self.may_want(execution_id)
    }
}

impl Update {
    pub(super) fn new(kind: UpdateKind, seq: Seq) -> Self {
        Self { kind, seq, rendered: OnceLock::new() }
    }

    /// The execution it is about.
    pub fn execution_id(&self) -> Option<&ExecutionId> {
        match &self.kind {
            UpdateKind::Event(delta) => delta.event.event.execution_id.as_ref(),
            UpdateKind::Turned(turned) => Some(&turned.execution_id),
        }
    }

    /// The workflow of that execution, where it is known.
    pub fn workflow_name(&self) -> Option<&WorkflowName> {
        match &self.kind {
            UpdateKind::Event(delta) => delta.rows.execution.as_ref().map(|row| &row.workflow_name),
            UpdateKind::Turned(_) => None,
        }
    }

    /// Whether the rows were not computed, since nobody wanted them when the event was folded: then the reader
    /// looks them up.
    pub fn lacks_rows(&self) -> bool {
        match &self.kind {
            UpdateKind::Event(delta) => {
                delta.rows.execution.is_none() && delta.event.event.event_type != EventType::Heartbeat
            }
            UpdateKind::Turned(_) => true,
        }
    }

    /// The update as text. The first viewer writes it, all others share it.
    pub fn rendered(&self, render: impl FnOnce(&Self) -> Arc<str>) -> Arc<str> {
        Arc::clone(self.rendered.get_or_init(|| render(self)))
    }

    /// How much it holds on to, roughly.
    fn bytes(&self) -> usize {
        match &self.kind {
            UpdateKind::Event(delta) => {
                let rows = &delta.rows;
                let rows = rows.task_executions.len() + rows.nodes.len() + rows.edges.len();
                1_024 + delta.event.json.len() * 2 + rows * 1_024
            }
            UpdateKind::Turned(_) => 256,
        }
    }
}

impl Viewer {
    pub(super) fn new(id: u64, project: Project, filter: Filter) -> Self {
        Self { id, project, filter, queue: Mutex::default(), ready: Notify::new() }
    }

    /// Puts an update into the queue; says whether that made it overflow.
    pub(super) fn push(&self, update: &Arc<Update>) -> bool {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.overflowed {
            return false;
        }
        let was_empty = queue.updates.is_empty();
        queue.bytes += update.bytes();
        queue.updates.push_back(Arc::clone(update));
        let full = queue.updates.len() > QUEUE_UPDATES || queue.bytes > QUEUE_BYTES;
        if full {
            *queue = Queue { overflowed: true, ..Queue::default() };
        }
        drop(queue);
        if was_empty || full {
            self.ready.notify_one();
        }
        full
    }
}

impl Subscription {
    pub(super) fn new(live: Weak<Live>, viewer: Arc<Viewer>, published: Arc<AtomicU64>) -> Self {
        Self { live, viewer, published }
    }

    /// What it is of.
    pub fn filter(&self) -> &Filter {
        &self.viewer.filter
    }

    /// Whose events it is of.
    pub fn project(&self) -> &Project {
        &self.viewer.project
    }

    /// Up to where everything has been put into queues.
    pub fn published(&self) -> Seq {
        Seq(self.published.load(Ordering::Acquire))
    }

    /// Waits until there is something to take. It may wake without cause.
    pub async fn ready(&self) {
        self.viewer.ready.notified().await;
    }

    /// Takes all that is there, at once.
    pub fn take(&self) -> Taken {
        // Read before the queue: what is published between the two is taken, and said later to have been.
        let published = self.published();
        let mut queue = self.viewer.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = std::mem::take(&mut *queue);
        Taken { updates: queue.updates.into(), overflowed: queue.overflowed, published }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(live) = self.live.upgrade() {
            live.leave(self.viewer.id);
        }
    }
}
