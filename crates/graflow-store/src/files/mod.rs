//! The only door to the file system: one flat directory of files that are written by position.
//!
//! [`DiskFiles`] is the real one. [`SimulatedFiles`] keeps everything in memory, loses what was not synced when
//! told to crash, tears writes, runs out of space and fails on demand: the log's tests and the simulation of the
//! whole run on it, so that a crash is an ordinary, repeatable input.

mod disk;
mod overlay;
mod simulated;

use std::fmt::Debug;
use std::io;

pub use disk::DiskFiles;
pub use overlay::OverlayFiles;
pub use simulated::{Fault, SimulatedFiles};

/// A flat directory.
pub trait Files: Debug + Send + Sync {
    /// Names of the files in it, in no order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Creates a file that must not exist, for reading and writing. Its name is durable only after
    /// [`sync_directory`](Self::sync_directory).
    fn create(&self, name: &str) -> io::Result<Box<dyn StoredFile>>;

    /// Opens a file that exists, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn StoredFile>>;

    /// Opens a file that exists, for reading only.
    fn open_read_only(&self, name: &str) -> io::Result<Box<dyn StoredFile>>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, in the place of a file that has it, in one step.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes created, removed and changed names durable.
    fn sync_directory(&self) -> io::Result<()>;
}

/// One open file.
pub trait StoredFile: Debug + Send + Sync {
    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Reads into `buffer` from `offset` on, and says how many bytes it got; 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`. After an error any part of them may have been written.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts (or extends with zeros) to `length`.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes content and length durable.
    fn sync(&self) -> io::Result<()>;

    /// Reads as much of `buffer` as the file has from `offset` on.
    fn read_full_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}
