//! How much is kept, and what goes first when it is too much.
//!
//! The unit is the execution: it is kept whole or deleted whole, by the same tombstone as a deletion by hand. The one that
//! ended first goes first. One that has not ended never goes, but for those that have been lost for [`ABANDONED_AFTER`].

use std::time::Duration;

use graflow_model::Timestamp;

/// An execution that reads as lost, and of which no event has come for this long, is taken to have ended then.
pub const ABANDONED_AFTER: Duration = Duration::from_hours(30 * 24);

/// How long a deletion is remembered: a later event of the execution begins it anew.
pub const DELETION_REMEMBERED: Duration = Duration::from_hours(30 * 24);

/// What is kept at the most; none = without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionLimits {
    /// Since the execution ended.
    pub age: Option<Duration>,
    /// Executions, of all projects together, those that have not ended among them.
    pub executions: Option<u64>,
    /// Bytes of log and tables on disk.
    pub bytes: Option<u64>,
}

impl Default for RetentionLimits {
    /// A year, a million executions, 20 GiB.
    fn default() -> Self {
        Self { age: Some(Duration::from_hours(365 * 24)), executions: Some(1_000_000), bytes: Some(20 << 30) }
    }
}

impl RetentionLimits {
    /// Everything is kept.
    pub const NONE: Self = Self { age: None, executions: None, bytes: None };

    /// Executions that ended before this are too old.
    pub fn ended_before(&self, now: Timestamp) -> Option<Timestamp> {
        let micros = i64::try_from(self.age?.as_micros()).unwrap_or(i64::MAX);
        Some(Timestamp::from_micros(now.as_micros().saturating_sub(micros)))
    }

    /// How many executions have to go for their number, `most` at once.
    pub fn too_many(&self, executions: u64, most: u64) -> u64 {
        self.executions.map_or(0, |limit| executions.saturating_sub(limit).min(most))
    }

    /// How many of `executions` go next for what all of them take on disk, `most` at once: their share of what is too
    /// much, at least one. None when it is not too much.
    pub fn too_large(&self, bytes: u64, executions: u64, most: u64) -> u64 {
        let Some(excess) = self.bytes.and_then(|limit| bytes.checked_sub(limit)).filter(|excess| *excess > 0)
        else {
            return 0;
        };
        let share = u128::from(executions) * u128::from(excess) / u128::from(bytes.max(1));
        u64::try_from(share).unwrap_or(u64::MAX).clamp(1, most)
    }
}

/// How much is kept, beside the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionStatus {
    /// The limits.
    pub limits: RetentionLimits,
    /// Executions that are kept, as last counted.
    pub executions: u64,
    /// Bytes of log and tables, as last counted.
    pub bytes: u64,
    /// Executions that retention deleted since the store was opened.
    pub deleted: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RetentionLimits =
        RetentionLimits { age: Some(Duration::from_mins(1)), executions: Some(100), bytes: Some(1_000) };

    #[test]
    fn what_is_at_the_limit_stays() {
        let now = Timestamp::from_micros(100_000_000);
        assert_eq!(LIMITS.ended_before(now), Some(Timestamp::from_micros(40_000_000)));
        assert_eq!(
            (LIMITS.too_many(100, 50), LIMITS.too_many(101, 50), LIMITS.too_many(999, 50)),
            (0, 1, 50)
        );
        assert_eq!((LIMITS.too_large(1_000, 10, 50), LIMITS.too_large(1_001, 10, 50)), (0, 1));
        assert_eq!((LIMITS.too_large(2_000, 40, 50), LIMITS.too_large(2_000, 400, 50)), (20, 50));
    }

    #[test]
    fn without_limits_nothing_goes() {
        let none = RetentionLimits::NONE;
        assert_eq!(none.ended_before(Timestamp::from_micros(1)), None);
        assert_eq!((none.too_many(u64::MAX, 9), none.too_large(u64::MAX, 9, 9)), (0, 0));
    }
}
