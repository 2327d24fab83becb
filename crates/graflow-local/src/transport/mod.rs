//! The way from a producer to wherever the folder's events go just now.

mod embedded;
mod folder;

pub use folder::{FolderTransport, Place};
