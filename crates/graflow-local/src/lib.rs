//! Lineage without a server: the data folder and its one owner, a store within the program, and the spool between
//! processes that share a folder.
//!
//! Start at [`Lineage`], the sink that a Rust program gives to its workflows; at [`Ownership`], which a server takes
//! before it opens the store; and at [`FolderTransport`], by which a [`Producer`](graflow_client::Producer) reaches
//! whoever owns the folder. `docs/design/folder-ownership.md` says why.

mod checkout;
mod discover;
mod folder;
mod intake;
mod limits;
mod lineage;
mod log_layer;
mod owner_file;
mod ownership;
mod transport;
mod view;

pub use discover::{discover, discover_owner};
pub use folder::{DataFolder, NoDataFolder};
pub use intake::{IntakeError, KeepsLooking, SpoolIntake, TakenIn};
pub use limits::{retention_limits, set_retention_limits};
pub use lineage::{Lineage, LineageError, Records};
pub use log_layer::LogLayer;
pub use owner_file::Owner;
pub use ownership::{Ownership, OwnershipError, owner};
pub use transport::{FolderTransport, Place};
pub use view::{FolderView, ViewError};
