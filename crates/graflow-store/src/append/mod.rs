//! The way in: queue -> exactly-once -> log -> acknowledgement -> materialiser.
//!
//! One thread takes everything that is queued, has [`Committer::step`] decide what is new and write it with one
//! sync, hands what became durable on, and only then answers. The queue is bounded: beyond its limits an append
//! is answered "overloaded" at once.

mod committer;
mod queue;
mod thread;

pub(crate) use committer::{Committer, DurableRecord, Stored, StoredError, Work};
pub(crate) use queue::{PushError, Queue, QueueLimits, Queued};
pub(crate) use thread::{AppendCounters, Request, run};
