//! Topics: what viewers with the same wish share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use graflow_model::{ExecutionId, WorkflowName};
use tokio::sync::Notify;

use super::ring::{Read, Ring};
use super::{Filter, Update};

/// One ring and a bell.
///
/// Whoever publishes rings for one viewer, who wakes the others: publishing costs the same for one viewer as for a
/// thousand.
#[derive(Debug)]
pub(super) struct Topic {
    ring: Mutex<Ring>,
    /// The ring's end, to be read without its lock.
    end: AtomicU64,
    /// What all rings together hold on to.
    held_bytes: Arc<AtomicUsize>,
    first: Notify,
    others: Notify,
}

impl Topic {
    fn new(held_bytes: Arc<AtomicUsize>) -> Arc<Self> {
        let (ring, end) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { ring, end, held_bytes, first: Notify::new(), others: Notify::new() })
    }

    pub(super) fn enter(&self) -> u64 {
        self.with_ring(Ring::enter)
    }

    /// Says whether nobody is left.
    pub(super) fn leave(&self, place: u64) -> bool {
        self.with_ring(|ring| {
            ring.leave(place);
            ring.readers() == 0
        })
    }

    pub(super) fn publish(&self, update: &Arc<Update>) {
        let end = self.with_ring(|ring| {
            ring.push(update);
            ring.end()
        });
        self.end.store(end, Ordering::Release);
        self.first.notify_one();
    }

    pub(super) fn read(&self, place: &mut u64, most: usize) -> Read {
        self.with_ring(|ring| ring.read(place, most))
    }

    pub(super) fn halve(&self) {
        self.with_ring(Ring::halve);
    }

    pub(super) fn bytes(&self) -> usize {
        self.with_ring(|ring| ring.bytes())
    }

    /// Waits until there is something after a place.
    pub(super) async fn has_more(&self, place: u64) {
        loop {
            let (first, others) = (self.first.notified(), self.others.notified());
            let mut others = std::pin::pin!(others);
            // In line before looking: what is published in between wakes.
            others.as_mut().enable();
            if self.end.load(Ordering::Acquire) > place {
                return;
            }
            tokio::select! {
                () = first => self.others.notify_waiters(),
                () = others => {}
            }
        }
    }

    fn with_ring<T>(&self, work: impl FnOnce(&mut Ring) -> T) -> T {
        // A ring is whole between two calls, also when another thread panicked.
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let before = ring.bytes();
        let answer = work(&mut ring);
        match ring.bytes() {
            after if after >= before => self.held_bytes.fetch_add(after - before, Ordering::Relaxed),
            after => self.held_bytes.fetch_sub(before - after, Ordering::Relaxed),
        };
        answer
    }
}

/// The topics of one project that somebody follows.
#[derive(Debug, Default)]
pub(super) struct Topics {
    everything: Option<Arc<Topic>>,
    workflows: HashMap<WorkflowName, Arc<Topic>>,
    executions: HashMap<ExecutionId, Arc<Topic>>,
}

impl Topics {
    /// The narrowest topic that holds all that a filter wants.
    pub(super) fn enter(&mut self, filter: &Filter, held_bytes: &Arc<AtomicUsize>) -> Arc<Topic> {
        let new = || Topic::new(Arc::clone(held_bytes));
        Arc::clone(match (&filter.execution_id, &filter.workflow_name) {
            (Some(id), _) => self.executions.entry(id.clone()).or_insert_with(new),
            (None, Some(name)) => self.workflows.entry(name.clone()).or_insert_with(new),
            (None, None) => self.everything.get_or_insert_with(new),
        })
    }

    /// Nobody follows the filter's topic any more.
    pub(super) fn remove(&mut self, filter: &Filter) {
        match (&filter.execution_id, &filter.workflow_name) {
            (Some(id), _) => drop(self.executions.remove(id)),
            (None, Some(name)) => drop(self.workflows.remove(name)),
            (None, None) => self.everything = None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.everything.is_none() && self.workflows.is_empty() && self.executions.is_empty()
    }

    /// Whether somebody may look at an execution of which only the id is known.
    pub(super) fn may_want(&self, execution_id: &ExecutionId) -> bool {
        self.everything.is_some() || !self.workflows.is_empty() || self.executions.contains_key(execution_id)
    }

    /// Who hears of an execution. Where its workflow is not known, all workflows do: their viewers look again.
    pub(super) fn about(
        &self,
        execution_id: &ExecutionId,
        workflow_name: Option<&WorkflowName>,
    ) -> impl Iterator<Item = &Arc<Topic>> {
        let known = workflow_name.and_then(|name| self.workflows.get(name));
        let unknown = workflow_name.is_none().then(|| self.workflows.values()).into_iter().flatten();
        self.everything.iter().chain(self.executions.get(execution_id)).chain(known).chain(unknown)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.everything.iter().chain(self.workflows.values()).chain(self.executions.values())
    }
}
