//! The segment log: the truth that everything else is derived from.
//!
//! A log is a directory of segments `seg-<first seq>.log`. A segment is a header and then frames
//! ([`graflow_model::frame`]); a frame holds one [`Record`]: a batch of events as they were sent, byte for byte, or a
//! tombstone. Records are numbered by [`LogWriter`]: every event, and every tombstone, takes one sequence number,
//! rising over the whole log.
//!
//! A segment that is closed is written again, compressed, and later once more without what was deleted since; places in it
//! stay as they are.
//!
//! What holds after a crash: whatever [`LogWriter::commit`] returned `Ok` for is there, in order, once. Of the
//! last, unfinished commit there may be some whole records from its start; a torn one behind them is cut off by
//! [`open`] and reported in [`Recovery`]. Damage anywhere else is an error with its place, never a silent loss:
//! each record says how far its segment was synced when it was written, so that a bad frame in front of that
//! point is known to be damage and not the trace of a crash.
//!
//! Start at [`open`]. One [`LogWriter`] writes, any number of [`LogReader`]s read what is durable.

mod error;
mod reader;
mod record;
mod recover;
mod scan;
mod seal;
mod sealed;
mod segment;
mod writer;

pub use error::LogError;
pub use reader::{Entry, LogReader, Replay};
pub use record::{Batch, Head, RawEvent, Record, RecordError, Tombstone};
pub(crate) use record::{Wanted, Wish};
pub use recover::{Checkpoint, Recovery, open};
pub(crate) use seal::SegmentState;
pub use segment::{Position, SegmentName};
pub use writer::{LogOptions, LogWriter, Staged};
