//! One viewer: a filter and a place in a topic.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use graflow_model::{Project, Seq};

use super::topic::Topic;
use super::{Filter, Live, Update};

/// What a viewer took from the stream.
#[derive(Debug, Default)]
pub struct Taken {
    /// In order.
    pub updates: Vec<Arc<Update>>,
    /// The viewer was too slow and missed updates: it must begin anew.
    pub fell_off: bool,
    /// Everything up to here has been said, once the updates have been; none while there is more to take.
    pub published: Option<Seq>,
}

/// A place in the stream. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    live: Arc<Live>,
    project: Project,
    filter: Filter,
    topic: Arc<Topic>,
    place: Mutex<u64>,
    published: Arc<AtomicU64>,
}

impl Subscription {
    pub(super) fn new(
        live: Arc<Live>,
        project: Project,
        filter: Filter,
        topic: Arc<Topic>,
        place: u64,
        published: Arc<AtomicU64>,
    ) -> Self {
        Self { live, project, filter, topic, place: Mutex::new(place), published }
    }

    /// What it is of.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whose events it is of.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Up to where everything can be taken.
    pub fn published(&self) -> Seq {
        Seq(self.published.load(Ordering::Acquire))
    }

    /// Waits until there is something to take.
    pub async fn ready(&self) {
        let place = *self.place();
        self.topic.has_more(place).await;
    }

    /// Takes what is there, `most` updates at most.
    pub fn take(&self, most: usize) -> Taken {
        // Read before the ring: what is published between the two is taken, and said later to have been.
        let published = self.published();
        let read = self.topic.read(&mut self.place(), most);
        self.live.count_taken(read.updates.len(), read.fell_off);
        let mut updates = read.updates;
        // A topic may hold more than is wanted: that of an execution also when its workflow is another one.
        updates.retain(|update| {
            update.execution_id().is_some_and(|id| self.filter.wants(id, update.workflow_name()))
        });
        let published = (read.drained && !read.fell_off).then_some(published);
        Taken { updates, fell_off: read.fell_off, published }
    }

    fn place(&self) -> MutexGuard<'_, u64> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let place = *self.place();
        self.live.leave(&self.project, &self.filter, &self.topic, place);
    }
}
