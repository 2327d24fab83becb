//! The operating system's clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use graflow_model::{Clock, Timestamp};

/// The operating system's wall clock, and its monotonic clock as it counts since the machine's boot.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        };
        Timestamp::from_micros(micros)
    }

    #[cfg(unix)]
    fn mono_us(&self) -> i64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000)
    }

    /// Without a system-wide monotonic clock at hand, this counts from the first call in this process;
    /// [`Identity`](crate::Identity) then names a clock domain of this process alone.
    #[cfg(not(unix))]
    fn mono_us(&self) -> i64 {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        micros(START.get_or_init(std::time::Instant::now).elapsed())
    }
}

/// Whole microseconds; what does not fit is the greatest there is.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
