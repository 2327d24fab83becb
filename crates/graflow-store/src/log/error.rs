//! What goes wrong with a log.

use std::io;

use super::segment::SegmentName;

/// A log that cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Acknowledged bytes are not what was written.
    #[error(
        "segment `{segment}` is damaged at byte {offset}: {what}\n\
         hint: acknowledged events are affected; stop here, copy the data folder, and restore this segment from a backup"
    )]
    Damaged {
        /// The segment.
        segment: SegmentName,
        /// Where the first damaged frame begins.
        offset: u64,
        /// What was found there.
        what: String,
    },
    /// A segment that events are known to be in is not there.
    #[error("segment `{segment}` is missing\nhint: restore it from a backup")]
    Missing {
        /// The segment.
        segment: SegmentName,
    },
    /// A newer release wrote the segment.
    #[error(
        "segment `{segment}` was written by graflow {release} (format {found}), this is graflow {} (format {known})\n\
         hint: open this data folder with graflow {release} or newer", env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The segment.
        segment: SegmentName,
        /// The release that wrote it, where it says so.
        release: String,
        /// Its format.
        found: u16,
        /// The newest format known here.
        known: u16,
    },
    /// No room on the disk. Nothing of the refused commit was kept; a later one may succeed.
    #[error(
        "the disk is full\nhint: free some space, or lower the retention limits; writing goes on by itself then"
    )]
    DiskFull,
    /// An earlier write or sync failed, so what the disk holds is unknown; reading still works.
    #[error("the log is read-only since an error: {cause}\nhint: check the disk, then start again")]
    Poisoned {
        /// The error that did it.
        cause: String,
    },
    /// One record is larger than a frame can be.
    #[error(
        "a batch of {bytes} bytes, or a name in it, is larger than the log takes\nhint: send smaller batches"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The operating system said no.
    #[error("failed to {action} `{name}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file it was tried on.
        name: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl LogError {
    pub(crate) fn io(action: &'static str, name: impl ToString) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, name: name.to_string(), source }
    }
}

/// Whether an error says that there is no room, which passes, unlike a failing device.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
