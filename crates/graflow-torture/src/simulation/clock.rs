//! Time as the simulation says it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use graflow_model::{Clock, Timestamp};

/// 2026-11-23T12:00:00Z.
const NOON_US: i64 = 1_795_435_200_000_000;

/// One machine's clocks: the monotonic one is everybody's, the wall clock may jump.
#[derive(Debug, Default)]
pub(super) struct SimulatedClock {
    mono_us: AtomicI64,
    offset_us: AtomicI64,
}

impl SimulatedClock {
    pub(super) fn set(&self, mono_us: i64) {
        self.mono_us.store(mono_us, Ordering::SeqCst);
    }

    /// The wall clock is put forward or back.
    pub(super) fn jump(&self, by_us: i64) {
        self.offset_us.fetch_add(by_us, Ordering::SeqCst);
    }

    pub(super) fn mono(&self) -> Duration {
        Duration::from_micros(self.mono_us().unsigned_abs())
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(NOON_US + self.mono_us() + self.offset_us.load(Ordering::SeqCst))
    }

    fn mono_us(&self) -> i64 {
        self.mono_us.load(Ordering::SeqCst)
    }
}
