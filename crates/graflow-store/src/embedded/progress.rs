//! How far the tables are, for those who wait for it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use graflow_model::Seq;

/// The last number taken into the tables.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    applied: Mutex<Seq>,
    advanced: Condvar,
}

impl Progress {
    pub(crate) fn get(&self) -> Seq {
        *self.lock()
    }

    pub(crate) fn set(&self, applied: Seq) {
        *self.lock() = applied;
        self.advanced.notify_all();
    }

    /// Waits until `seq` is taken in, `patience` at most; whether it was.
    pub(crate) fn wait_for(&self, seq: Seq, patience: Duration) -> bool {
        let applied = self.lock();
        if *applied >= seq {
            return true;
        }
        let waited = self.advanced.wait_timeout_while(applied, patience, |applied| *applied < seq);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, Seq> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
