//! What is told, and who wants to hear it.

use std::sync::{Arc, OnceLock};

use graflow_model::event::EventType;
use graflow_model::{ExecutionId, Seq, WorkflowName};

use crate::liveness::Turned;
use crate::materialise::Delta;

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

impl Filter {
    /// Whether an execution is wanted. Where its workflow is not known, it is: the reader looks again.
    pub fn wants(&self, execution_id: &ExecutionId, workflow_name: Option<&WorkflowName>) -> bool {
        let workflow_wanted = match (&self.workflow_name, workflow_name) {
            (Some(wanted), Some(name)) => wanted == name,
            _ => true,
        };
        workflow_wanted && self.execution_id.as_ref().is_none_or(|wanted| wanted == execution_id)
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

    /// How much it holds on to, roughly, its text included.
    pub(super) fn bytes(&self) -> usize {
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
