//! The spool: where events wait on disk until a server has them.
//!
//! A spool is a folder of files `<producer>.<number>.spool`. A file begins with a frame that holds a [`Header`]; each
//! further frame holds events as lines of JSON. One rule orders everything: **whoever holds a file's lock delivers it
//! and then deletes it.** A living producer holds the locks of its own files; what a dead one left behind is free
//! for anyone who delivers to the same place. Delivering a file twice does no harm, because the events carry their
//! producer's numbers.

mod backlog;
mod files;
mod segment;

pub(crate) use backlog::{Backlog, Frame, Pushed};
pub use files::{DiskFiles, Files, SpoolFile, create_private_folder};
pub use segment::{Batch, Header, Limits, Opened, Segment};

/// How the names of spool files end.
pub const SUFFIX: &str = ".spool";
/// What is added to the name of a file that is damaged in the middle; nobody delivers or deletes it.
pub const DAMAGED_SUFFIX: &str = ".damaged";

#[cfg(test)]
pub(crate) mod testing;
