//! A store in one folder: the segment log in `log/`, and tables derived from it in `lineage.db`.
//!
//! ```text
//! append -> queue -> [log thread: exactly-once, write, one sync] -> acknowledgement
//!                                   |
//!                                   v
//!                    [tables thread: fold, live stream, one transaction] -> reads
//! ```

mod applier;
mod events;
mod open;
mod progress;
mod read_only;
mod retention;
mod store;
mod threads;

pub use open::{EmbeddedOptions, IsLost, OpenError, Opening};
pub use read_only::ReadOnlyOptions;
pub use store::EmbeddedStore;
