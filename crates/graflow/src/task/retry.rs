//! When to try again, and how long to wait before.

use std::time::Duration;

/// How often a failed task is tried again, and how long it waits before.
///
/// ```
/// use graflow::RetryPolicy;
/// use std::time::Duration;
///
/// let policy = RetryPolicy::new(3).backoff(Duration::from_millis(200), Duration::from_secs(5));
/// assert_eq!(policy.delay(0), Duration::from_millis(200));
/// assert_eq!(policy.delay(1), Duration::from_millis(400));
/// assert_eq!(policy.delay(9), Duration::from_secs(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    pub(crate) max_retries: u32,
    initial_interval: Duration,
    backoff_factor: f64,
    max_interval: Duration,
    jitter: bool,
}

impl RetryPolicy {
    /// Tries again at once, up to `max_retries` times.
    pub const fn new(max_retries: u32) -> Self {
        Self {
            max_retries,
            initial_interval: Duration::ZERO,
            backoff_factor: 2.0,
            max_interval: Duration::ZERO,
            jitter: false,
        }
    }

    /// Waits `initial_interval` before the first retry, then twice as long each time, up to `max_interval`.
    #[must_use]
    pub const fn backoff(mut self, initial_interval: Duration, max_interval: Duration) -> Self {
        self.initial_interval = initial_interval;
        self.max_interval = max_interval;
        self
    }

    /// Multiplies the wait by this each time, instead of by two.
    #[must_use]
    pub const fn backoff_factor(mut self, factor: f64) -> Self {
        self.backoff_factor = factor;
        self
    }

    /// Varies each wait by up to half, so that many tasks do not come back at the same moment.
    #[must_use]
    pub const fn jitter(mut self) -> Self {
        self.jitter = true;
        self
    }

    /// The wait before retry number `retry`, from 0, without jitter.
    pub fn delay(&self, retry: u32) -> Duration {
        let growth = self.backoff_factor.max(0.0).powi(i32::try_from(retry).unwrap_or(i32::MAX));
        Duration::try_from_secs_f64(self.initial_interval.as_secs_f64() * growth)
            .unwrap_or(self.max_interval)
            .min(self.max_interval)
    }

    pub(crate) fn wait(&self, retry: u32) -> Duration {
        let delay = self.delay(retry);
        if !self.jitter {
            return delay;
        }
        Duration::try_from_secs_f64(delay.as_secs_f64() * (fastrand::f64() + 0.5))
            .unwrap_or(self.max_interval)
            .min(self.max_interval)
    }
}
