//! What a server that is left alone may run into, looked at now and then: told at the start, and once at 80 %.

use std::path::Path;

use graflow_lineage::retention::{RetentionLimits, RetentionStatus};
use graflow_local::DataFolder;

use crate::output::{bytes, count};

/// Told from here on, and again after it was below [`QUIET_BELOW`].
const TOLD_FROM: f64 = 0.8;
const QUIET_BELOW: f64 = 0.75;

/// One limit, and how much of it is used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gauge {
    pub(crate) what: &'static str,
    pub(crate) used: u64,
    pub(crate) limit: u64,
    /// What happens at the limit, and what to do.
    hint: &'static str,
}

/// Which limits have been told of.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    told: std::collections::BTreeSet<&'static str>,
}

impl Gauge {
    fn part(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
        let part = self.used as f64 / self.limit.max(1) as f64;
        part
    }

    /// `12 of 100`, or the same in bytes.
    pub(crate) fn shown(&self) -> String {
        if matches!(self.what, "executions" | "open files") {
            format!("{} of {}", count(self.used), count(self.limit))
        } else {
            format!("{} of {}", bytes(self.used), bytes(self.limit))
        }
    }
}

impl Gauges {
    /// The limits that have come near since the last look.
    pub(crate) fn news(&mut self, gauges: Vec<Gauge>) -> Vec<Gauge> {
        let mut news = Vec::new();
        for gauge in gauges {
            if gauge.part() < QUIET_BELOW {
                self.told.remove(gauge.what);
            } else if gauge.part() >= TOLD_FROM && self.told.insert(gauge.what) {
                news.push(gauge);
            }
        }
        news
    }

    /// Warns of the limits that have come near.
    pub(crate) fn warn(&mut self, gauges: Vec<Gauge>) {
        for gauge in self.news(gauges) {
            tracing::warn!(
                limit = gauge.what,
                used = gauge.used,
                of = gauge.limit,
                "{} at {:.0} %: {}; {}",
                gauge.what,
                gauge.part() * 100.0,
                gauge.shown(),
                gauge.hint
            );
        }
    }
}

/// Everything that has a limit, as it stands.
pub(crate) fn look(folder: &Path, spool_bytes: u64, retention: Option<RetentionStatus>) -> Vec<Gauge> {
    let mut gauges = Vec::new();
    if let Some(RetentionStatus { limits, executions, bytes, .. }) = retention {
        let hint = "beyond it the executions that ended first are deleted (--keep-executions, --keep-bytes)";
        gauges.extend(limits.executions.map(|limit| Gauge {
            what: "executions",
            used: executions,
            limit,
            hint,
        }));
        gauges.extend(limits.bytes.map(|limit| Gauge { what: "data folder", used: bytes, limit, hint }));
    }
    let spool = crate::commands::doctor::size_of(&DataFolder::at(folder).spool());
    let hint = "beyond it a producer drops events and counts them; look why they are not taken in";
    gauges.push(Gauge { what: "spool", used: spool, limit: spool_bytes, hint });
    gauges.extend(disk(folder));
    gauges.extend(open_files());
    gauges
}

/// The limits of retention, in words.
pub(crate) fn retention_words(limits: RetentionLimits) -> String {
    let mut words = Vec::new();
    words.extend(limits.age.map(|age| format!("{} days after their end", age.as_secs() / 86_400)));
    words.extend(limits.executions.map(|executions| format!("{} executions", count(executions))));
    words.extend(limits.bytes.map(|limit| format!("{} on disk", bytes(limit))));
    if words.is_empty() { "without end".to_owned() } else { words.join(", ") }
}

#[cfg(unix)]
fn disk(folder: &Path) -> Option<Gauge> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let limit = disk.f_blocks.saturating_mul(disk.f_frsize);
    // What is kept for root is nobody's to use.
    let used = limit.saturating_sub(disk.f_bavail.saturating_mul(disk.f_frsize));
    let hint = "on a full disk events are refused (507) and wait at their producers; free some space";
    Some(Gauge { what: "disk", used, limit, hint })
}

#[cfg(not(unix))]
fn disk(_: &Path) -> Option<Gauge> {
    None
}

/// Connections are open files: without room for one more, nobody new is answered.
#[cfg(unix)]
fn open_files() -> Option<Gauge> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current?;
    let used = std::fs::read_dir("/proc/self/fd").ok()?.count() as u64;
    let hint = "each viewer and each connection is one; raise the limit (LimitNOFILE=, ulimit -n)";
    Some(Gauge { what: "open files", used, limit, hint })
}

#[cfg(not(unix))]
fn open_files() -> Option<Gauge> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(used: u64) -> Gauge {
        Gauge { what: "executions", used, limit: 100, hint: "" }
    }

    #[test]
    fn a_limit_is_told_once_at_80_percent_and_again_after_it_was_well_below() {
        let mut gauges = Gauges::default();
        for (used, told) in [(79, 0), (80, 1), (95, 0), (78, 0), (81, 0), (74, 0), (80, 1)] {
            assert_eq!(gauges.news(vec![gauge(used)]).len(), told, "{used}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn disk_spool_and_open_files_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let retention =
            RetentionStatus { limits: RetentionLimits::default(), executions: 1, bytes: 2, deleted: 0 };
        let gauges = look(folder.path(), 1 << 30, Some(retention));
        let names: Vec<_> = gauges.iter().map(|gauge| gauge.what).collect();
        assert_eq!(names, ["executions", "data folder", "spool", "disk", "open files"]);
        let used: Vec<_> =
            gauges[3..].iter().map(|gauge| gauge.used > 0 && gauge.limit > gauge.used).collect();
        assert_eq!(used, [true, true]);
    }

    #[test]
    fn limits_in_words() {
        assert_eq!(
            retention_words(RetentionLimits::default()),
            "365 days after their end, 1,000,000 executions, 20.0 GiB on disk"
        );
        assert_eq!(retention_words(RetentionLimits::NONE), "without end");
    }
}
