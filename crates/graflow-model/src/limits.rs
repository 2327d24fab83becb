//! The published limits on what a producer may send. Each is answered with a clear error, never with a cut.

/// Longest id (`event_id`, `execution_id`, `task_execution_id`, `producer`), in bytes.
pub const ID_BYTES: usize = 128;
/// Longest name (`workflow_name`, `task_id`, a channel, a key), in bytes.
pub const NAME_BYTES: usize = 16 * 1024;
/// Largest single event, in bytes of JSON.
pub const EVENT_BYTES: usize = 1024 * 1024;
/// Most events in one request.
pub const BATCH_EVENTS: usize = 10_000;
/// Most log lines that a producer sends for one task execution; what is beyond is counted, not sent.
pub const LOG_LINES: usize = 1_000;
/// Most bytes of log text that a producer sends for one task execution.
pub const LOG_BYTES: usize = 256 * 1024;
