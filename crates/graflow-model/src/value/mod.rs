//! What is recorded of a value: by policy nothing, its size and content hash, its beginning, or all of it.
//!
//! The hash is BLAKE3-128 over a canonical encoding that every language's producer computes alike, so that a
//! value can be followed from one process to the next. See [`hash`] for the encoding.

pub mod hash;
mod redact;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

pub use hash::{HashSkipped, ValueHash};
pub use redact::Redaction;

/// Whether a recorded hash says nothing of the value: it was skipped, and what follows is only the reason.
///
/// ```
/// use graflow_model::value::is_hash_skipped;
/// assert!(is_hash_skipped("hash_skipped:too_large") && !is_hash_skipped("blake3:00"));
/// ```
pub fn is_hash_skipped(hash: &str) -> bool {
    hash.starts_with("hash_skipped")
}

/// Bytes of a preview.
pub const PREVIEW_BYTES: usize = 2 * 1024;

/// How much a producer tells of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ValuePolicy {
    /// Nothing: values are neither hashed nor measured.
    Off,
    /// Type, size and content hash.
    #[default]
    Metadata,
    /// And the first [`PREVIEW_BYTES`] of its JSON.
    Preview,
    /// And all of its JSON.
    Full,
}

impl ValuePolicy {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Metadata, Self::Preview, Self::Full];

    /// The word used in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Metadata => "metadata",
            Self::Preview => "preview",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for ValuePolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The word names no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no value policy; one of: off, metadata, preview, full")]
pub struct UnknownPolicy(String);

impl FromStr for ValuePolicy {
    type Err = UnknownPolicy;

    fn from_str(word: &str) -> Result<Self, UnknownPolicy> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == word).ok_or_else(|| UnknownPolicy(word.into()))
    }
}

/// What is recorded of one value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Described {
    /// Bytes: of the canonical encoding, or what the type costs in memory.
    pub size: Option<u64>,
    /// `blake3:…`, or `hash_skipped:…` with the reason.
    pub hash: Option<String>,
    /// The value, or its beginning.
    pub preview: Option<Value>,
}

/// Describes a value that can be written as JSON.
///
/// ```
/// use graflow_model::value::{ValuePolicy, describe};
/// let described = describe(&vec![1, 2, 3], ValuePolicy::Preview);
/// assert_eq!(described.preview, Some(serde_json::json!([1, 2, 3])));
/// assert_eq!(described.hash, describe(&[1_u64, 2, 3], ValuePolicy::Metadata).hash);
/// assert_eq!(describe(&"text", ValuePolicy::Off), Default::default());
/// ```
pub fn describe<T: Serialize + ?Sized>(value: &T, policy: ValuePolicy) -> Described {
    if policy == ValuePolicy::Off {
        return Described::default();
    }
    let (hash, size) = match hash::of(value) {
        Ok(hash) => (hash.to_string(), Some(hash.size)),
        Err(skipped) => (skipped.to_string(), None),
    };
    // Redacted before it is cut, so that no secret is cut in half and missed.
    let shown = || serde_json::to_value(value).ok().map(|value| Redaction::default().apply(value));
    let preview = match policy {
        ValuePolicy::Off | ValuePolicy::Metadata => None,
        // A value too large to be hashed is too large to be copied for a preview as well.
        ValuePolicy::Preview if size.is_none() => None,
        ValuePolicy::Preview => shown().map(shortened),
        ValuePolicy::Full => shown(),
    };
    Described { size, hash: Some(hash), preview }
}

/// The value itself where its JSON is short enough, else the beginning of that JSON as text.
pub fn shortened(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= PREVIEW_BYTES {
        return value;
    }
    let end = text.floor_char_boundary(PREVIEW_BYTES);
    Value::String(format!("{}…", &text[..end]))
}
