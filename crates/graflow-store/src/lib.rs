//! Where events are kept: the log, which is the truth, and tables that are derived from it. Everything with SQL in it
//! stands here.
//!
//! Start at [`EmbeddedStore`], the store of one folder. [`log`] and [`dedupe`] are what it is made of and know nothing
//! of SQL; [`files`] is their door to the disk, so that tests can put a failing one in its place.

pub mod dedupe;
pub mod files;
pub mod log;

mod append;
mod embedded;
mod sqlite;
mod varint;

pub use embedded::{EmbeddedOptions, EmbeddedStore, OpenError, Opening};
pub use sqlite::MigrateError;
