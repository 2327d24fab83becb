//! Listeners in the same process: each has a thread and a bounded queue of its own.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::{Update, UpdateKind};
use crate::materialise::Delta;

/// Updates that a listener may be behind before it misses some.
const QUEUE_UPDATES: usize = 1_024;

/// What is called for every event: with its type, the event, and the rows it changed.
pub type Listener = Box<dyn Fn(&str, &Delta) + Send>;

/// Names a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub(super) u64);

/// How a listener fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListenerStatistics {
    /// Events it was told.
    pub heard: u64,
    /// Events it missed, because it was too slow.
    pub dropped: u64,
    /// Calls in which it panicked.
    pub failures: u64,
}

/// The side that tells.
pub(super) struct ListenerQueue {
    pub(super) id: ListenerId,
    sender: SyncSender<Arc<Update>>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    heard: AtomicU64,
    dropped: AtomicU64,
    failures: AtomicU64,
}

impl fmt::Debug for ListenerQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ListenerQueue").field("id", &self.id).finish_non_exhaustive()
    }
}

impl ListenerQueue {
    /// Starts the listener's thread. It ends when the queue is dropped and the call it is in returns.
    pub(super) fn start(id: ListenerId, listener: Listener) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE_UPDATES);
        let counters = Arc::new(Counters::default());
        let counted = Arc::clone(&counters);
        std::thread::Builder::new()
            .name(format!("lineage-listener-{}", id.0))
            .spawn(move || run(&listener, &receiver, &counted))?;
        Ok(Self { id, sender, counters })
    }

    /// Tells it, unless it is too far behind.
    pub(super) fn tell(&self, update: &Arc<Update>) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Arc::clone(update)) {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn statistics(&self) -> ListenerStatistics {
        ListenerStatistics {
            heard: self.counters.heard.load(Ordering::Relaxed),
            dropped: self.counters.dropped.load(Ordering::Relaxed),
            failures: self.counters.failures.load(Ordering::Relaxed),
        }
    }
}

fn run(listener: &Listener, receiver: &Receiver<Arc<Update>>, counters: &Counters) {
    for update in receiver {
        let UpdateKind::Event(delta) = &update.kind else { continue };
        // A listener that panics is told the next event all the same: what it shares is its own business.
        let call = catch_unwind(AssertUnwindSafe(|| listener(delta.event.event.event_type.as_str(), delta)));
        counters.heard.fetch_add(1, Ordering::Relaxed);
        if call.is_err() && counters.failures.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("a lineage listener panicked; it goes on with the next event");
        }
    }
}
