//! The facade: what a server, a command or a program asks of lineage.
//!
//! [`LineageManager`] stands in front of a [`Store`] and a [`Live`] and
//! joins them: events go in, rows come out as they read *now* (a silent execution reads as lost), and viewers
//! follow along. Methods block; callers on an async runtime hand them to a thread for blocking work.

mod follow;
mod intake;
mod moment;
mod read;
mod verbs;

pub use follow::{LiveRows, Snapshot, Told};
pub use intake::{Ingest, Ingested, UNKNOWN_TYPES};
pub use moment::{At, AtError};
pub use read::{AsRead, LogQuery, LoggedLine};
pub use verbs::{RecordError, RecordedTask};

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use graflow_model::Clock;

use crate::live::Live;
use crate::store::{Store, StoreError};
use verbs::Recorder;

/// Lineage as a whole: any number of executions at once, from any thread.
#[derive(Debug)]
pub struct LineageManager {
    store: Arc<dyn Store>,
    live: Arc<Live>,
    clock: SharedClock,
    recorder: Recorder,
    /// Events that could not even be read.
    invalid: AtomicU64,
}

struct SharedClock(Arc<dyn Clock>);

impl std::fmt::Debug for SharedClock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Clock")
    }
}

impl LineageManager {
    /// A manager of a store that was opened with `live` as its observer. The silence of executions that are
    /// open already counts from now on. `seed` makes the ids of what is recorded by the verbs; it must differ
    /// between processes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(
        store: Arc<dyn Store>,
        live: Arc<Live>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Result<Self, StoreError> {
        for (project, execution_id) in store.open_executions()? {
            live.watch(&project, &execution_id);
        }
        Ok(Self {
            store,
            live,
            invalid: AtomicU64::new(0),
            recorder: Recorder::new(&*clock, seed),
            clock: SharedClock(clock),
        })
    }

    /// The store behind it.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The live side.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Where its times come from.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock.0
    }

    /// Events refused so far, by the store and before it.
    pub fn invalid_events(&self) -> u64 {
        self.store.statistics().invalid + self.invalid.load(Ordering::Relaxed)
    }

    /// Looks for executions that fell silent. Call it once a second.
    pub fn tick(&self) {
        self.live.tick(|project, execution_id| {
            let found = self.store.execution(project, execution_id)?;
            Ok::<_, StoreError>(found.value.map(|row| row.status))
        });
    }
}

/// What is guarded is whole between two calls, also when another thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
