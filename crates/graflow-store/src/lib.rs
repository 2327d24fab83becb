//! Where events are kept: the log, which is the truth, and tables that are derived from it. Everything with SQL in it
//! stands here.
//!
//! Start at [`EmbeddedStore`], the store of one folder. [`log`] and [`dedupe`] are what it is made of and know nothing
//! of SQL; [`files`] is their door to the disk, so that tests can put a failing one in its place.
//!
//! ```
//! use std::sync::Arc;
//!
//! use graflow_lineage::store::{Batch, Incoming, Store};
//! use graflow_model::{Clock, Event, Project, Timestamp};
//! use graflow_store::{EmbeddedOptions, EmbeddedStore};
//!
//! # struct Stopped;
//! # impl Clock for Stopped {
//! #     fn now(&self) -> Timestamp { Timestamp::from_micros(1_763_900_000_000_000) }
//! #     fn mono_us(&self) -> i64 { 0 }
//! # }
//! # let folder = tempfile::tempdir()?;
//! # let clock: Arc<dyn Clock> = Arc::new(Stopped);
//! let store = EmbeddedStore::open(EmbeddedOptions::new(folder.path(), Arc::clone(&clock)))?;
//! let json = r#"{"event_id":"1","type":"workflow_started","time":"2026-11-23T12:00:00Z","execution_id":"x"}"#;
//! let events = vec![Incoming { event: Event::from_json(json.as_bytes())?, json: json.into() }];
//!
//! let project = Project::default();
//! let appended = store.append(Batch { project: project.clone(), received: clock.now(), events }).wait()?;
//! let read = store.execution(&project, &"x".into())?;
//! assert!(read.as_of_seq >= appended.last_seq && read.value.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod backup;
pub mod dedupe;
pub mod files;
pub mod log;

mod append;
mod embedded;
mod sqlite;
mod varint;

pub use embedded::{EmbeddedOptions, EmbeddedStore, IsLost, OpenError, Opening, ReadOnlyOptions};
pub use sqlite::MigrateError;
