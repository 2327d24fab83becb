//! The tables that are derived from the log, and every line of SQL there is.
//!
//! One [`Tables`] writes, in large transactions; any number of [`Readers`]' connections read beside it. Every
//! statement stands beside the private row it reads or writes; a row that cannot be understood is an error with
//! its table, column and id.

mod codes;
mod cursor;
mod error;
mod event_index;
pub(crate) mod migrate;
mod names;
mod read;
mod readers;
mod retain;
mod row;
mod tables;

pub use migrate::MigrateError;

pub(crate) use cursor::{Place, Question};
pub(crate) use error::TableError;
pub(crate) use event_index::{EventChunk, EventPlace, may_be_of};
pub(crate) use read::{
    canonical_hash, count_of, execution, executions, metrics, open_executions, page, search, series,
    task_execution, task_executions, workflows,
};
pub(crate) use readers::{Readers, StoredChunk, applied, event_chunks, is_deleted, producer, recent_ids};
pub(crate) use retain::{
    alive_events, execution_count, free_bytes, integrity, oldest_ended, silent_since, used_bytes,
};
pub(crate) use tables::Tables;

pub(crate) use codes::event_type as event_type_code;
