//! The event log, which is the truth, and everything with SQL in it, which is derived.

pub mod dedupe;
pub mod files;
pub mod log;

mod varint;
