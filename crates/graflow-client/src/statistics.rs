//! What a producer counts about itself.

use std::fmt;

/// Counts since the producer was made; sizes as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Items (events, for most) that were handed to the producer.
    pub offered: u64,
    /// Items that wait in memory to be encoded.
    pub queued: u64,
    /// Events that are encoded and not delivered.
    pub pending: u64,
    /// Events of this producer that the other side has.
    pub delivered: u64,
    /// Of everything that was delivered, what the other side had before.
    pub duplicates: u64,
    /// Events that the other side, or a limit, refused for ever.
    pub invalid: u64,
    /// Items and events that were given up because queue, spool and memory were full.
    pub dropped: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Requests that did not succeed and were tried again.
    pub retries: u64,
    /// Bytes of the spool on disk.
    pub spool_bytes: u64,
    /// Bytes that wait in memory because the disk takes nothing.
    pub memory_bytes: u64,
    /// Bytes that were found cut off or damaged in spool files.
    pub torn_bytes: u64,
    /// How it stands with the other side.
    pub reach: Reach,
    /// What went wrong last with the other side.
    pub last_error: Option<String>,
    /// Why the disk takes nothing at present.
    pub disk_error: Option<String>,
}

/// How it stands with the other side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nothing was sent yet.
    #[default]
    Untried,
    /// The last request succeeded.
    Good,
    /// The last request did not succeed.
    Failing,
    /// Nobody to send to; the folder's owner takes the spool in.
    LeftInSpool,
}

impl fmt::Display for Reach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Untried => "untried",
            Self::Good => "good",
            Self::Failing => "failing",
            Self::LeftInSpool => "left in the spool",
        })
    }
}
