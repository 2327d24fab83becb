//! What determined how long a run took, what is usual, which failures are one, and how runs differ: pure functions over rows.
//!
//! `docs/reference/analysis.md` defines each for people. [`history`] reads what they need from a store.

mod causes;
mod compare;
mod critical_path;
mod failures;
mod fingerprint;
pub mod history;
mod profile;
mod run;
mod usual;

pub use compare::{
    ComparedValues, Comparison, Difference, DifferenceKind, Side, TaskComparison, TaskOfSide,
    ValueComparison, compare,
};
pub use critical_path::{CriticalPath, Step, critical_path};
pub use failures::{FailureGroup, group_failures};
pub use fingerprint::fingerprint;
pub use profile::{Profile, RunOfProfile, TaskProfile, profile};
pub use run::{RunAnalysis, TaskOfRun, analyse};
pub use usual::{LEAST_HISTORY, Usual, usual};

use graflow_model::Timestamp;
use graflow_model::row::TaskExecutionRow;

/// When a task execution worked, in microseconds: its start, and how long. One that still runs works until `now`. None: it
/// never began.
fn work(row: &TaskExecutionRow, now: Timestamp) -> Option<(i64, u64)> {
    let start = row.start_time?;
    let micros = match row.duration {
        Some(span) => span.micros,
        None if row.status.is_ended() => 0,
        None => u64::try_from(now.micros_since(start)).unwrap_or(0),
    };
    Some((start.as_micros(), micros))
}
