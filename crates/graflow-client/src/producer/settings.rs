//! How a producer behaves.

use std::path::PathBuf;
use std::time::Duration;

use graflow_model::Project;

/// How a producer behaves; the defaults suit a workflow and a server anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whose events these are.
    pub project: Project,
    /// Most items (events, for most) that wait to be encoded; what comes beyond is dropped and counted.
    pub queue_items: usize,
    /// Most bytes of these, roughly.
    pub queue_bytes: usize,
    /// The folder where events wait for a server; without it they wait in memory only, and end with the process.
    pub spool: Option<PathBuf>,
    /// Most bytes of this producer in the spool.
    pub spool_bytes: u64,
    /// Most bytes in memory when the disk takes nothing.
    pub memory_bytes: usize,
    /// Most events of a request.
    pub batch_events: usize,
    /// Most bytes of a request before compression.
    pub batch_bytes: usize,
    /// Shortest time between two requests, unless much waits. The first one after a pause leaves at once.
    pub interval: Duration,
    /// How often open executions are reported alive.
    pub heartbeat: Duration,
    /// Wait after the first failure; it doubles with each further one.
    pub retry_first: Duration,
    /// Longest wait after a failure.
    pub retry_longest: Duration,
    /// When a request is given up.
    pub request_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            project: Project::default_project(),
            queue_items: 100_000,
            queue_bytes: 64 << 20,
            spool: None,
            spool_bytes: 1 << 30,
            memory_bytes: 16 << 20,
            batch_events: 5_000,
            batch_bytes: 4 << 20,
            interval: Duration::from_millis(100),
            heartbeat: Duration::from_secs(10),
            retry_first: Duration::from_millis(100),
            retry_longest: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
        }
    }
}
