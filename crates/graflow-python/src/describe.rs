//! From what was taken of a value to what is told of it, on the sending thread.

use graflow_model::value::{Described, Redaction, ValuePolicy, hash, shortened};
use serde_json::{Map, Number, Value};

use crate::capture::{Body, Captured};

/// A preview that leaves room in an event for everything else.
const LARGEST_PREVIEW: usize = graflow_model::limits::EVENT_BYTES / 2;

impl Captured {
    /// Size, hash and preview, by the policy under which it was taken.
    pub(crate) fn described(&self) -> &Described {
        self.described.get_or_init(|| match self.take_body() {
            Body::Nothing => Described::default(),
            Body::Skipped(reason) => Described { hash: Some(reason.to_owned()), ..Described::default() },
            Body::Sampled { length, blocks } => {
                Described { size: Some(length), hash: Some(hash::sampled(length, &blocks)), preview: None }
            }
            Body::Encoded { bytes, unordered } => self.encoded(&bytes, unordered),
        })
    }

    fn encoded(&self, bytes: &[u8], unordered: bool) -> Described {
        let hashed = if unordered { hash::of_encoding(&in_order(bytes)) } else { hash::of_encoding(bytes) };
        let hash = hashed.map_or_else(|skipped| skipped.to_string(), |hash| hash.to_string());
        let preview = match self.policy {
            ValuePolicy::Off | ValuePolicy::Metadata => None,
            ValuePolicy::Preview => shown(bytes).map(shortened),
            ValuePolicy::Full => shown(bytes),
        };
        let preview = preview.filter(fits);
        Described { size: Some(bytes.len() as u64), hash: Some(hash), preview }
    }
}

/// The value as JSON, without what looks like a secret.
fn shown(bytes: &[u8]) -> Option<Value> {
    let value = Reader { bytes }.value()?;
    Some(Redaction::default().apply(value))
}

fn fits(preview: &Value) -> bool {
    matches!(preview, Value::Number(_) | Value::Bool(_) | Value::Null)
        || preview.to_string().len() <= LARGEST_PREVIEW
}

/// The encoding with maps and sets in the order of their encoded keys and items.
fn in_order(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    // It was written by this crate; if it were not whole, a shorter text would be hashed, and nothing else happen.
    let _ = Reader { bytes }.order(&mut out);
    out
}

/// Reads the encoding. Its depth is bounded by whoever wrote it.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn order(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let before = self.bytes;
        match self.byte()? {
            tag @ (b'l' | b'u' | b'm') => {
                // What has an order of its own is written as it comes.
                let mut parts: Vec<Vec<u8>> = Vec::new();
                while !self.ends() {
                    let mut part = Vec::new();
                    self.order(&mut part)?;
                    if tag == b'm' {
                        self.order(&mut part)?;
                    }
                    parts.push(part);
                }
                if tag != b'l' {
                    parts.sort_unstable();
                }
                out.push(if tag == b'm' { b'm' } else { b'l' });
                out.extend(parts.concat());
                out.push(b'e');
            }
            tag => {
                self.scalar(tag)?;
                out.extend_from_slice(&before[..before.len() - self.bytes.len()]);
            }
        }
        Some(())
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.byte()? {
            b'l' | b'u' => {
                let mut items = Vec::new();
                while !self.ends() {
                    items.push(self.value()?);
                }
                Value::Array(items)
            }
            b'm' => {
                let mut fields = Map::new();
                while !self.ends() {
                    let key = match self.value()? {
                        Value::String(key) => key,
                        other => other.to_string(),
                    };
                    fields.insert(key, self.value()?);
                }
                Value::Object(fields)
            }
            tag => self.scalar(tag)?,
        })
    }

    fn scalar(&mut self, tag: u8) -> Option<Value> {
        Some(match tag {
            b'n' => Value::Null,
            b't' => Value::Bool(true),
            b'f' => Value::Bool(false),
            b'i' => {
                let digits = std::str::from_utf8(self.until(b';')?).ok()?;
                match digits.parse::<i64>() {
                    Ok(small) => small.into(),
                    Err(_) => digits.into(),
                }
            }
            b'd' => {
                let (bits, rest) = self.bytes.split_first_chunk::<8>()?;
                self.bytes = rest;
                let float = f64::from_be_bytes(*bits);
                Number::from_f64(float).map_or_else(|| float.to_string().into(), Value::Number)
            }
            b's' => std::str::from_utf8(self.long()?).ok()?.into(),
            b'b' => {
                let bytes = self.long()?;
                std::str::from_utf8(bytes)
                    .map_or_else(|_| format!("<{} bytes>", bytes.len()).into(), Value::from)
            }
            _ => return None,
        })
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length: usize = std::str::from_utf8(self.until(b':')?).ok()?.parse().ok()?;
        let (content, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(content)
    }

    fn until(&mut self, sign: u8) -> Option<&'a [u8]> {
        let at = self.bytes.iter().position(|byte| *byte == sign)?;
        let (content, rest) = (&self.bytes[..at], &self.bytes[at + 1..]);
        self.bytes = rest;
        Some(content)
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// Whether a list or map ends here; then its end is passed over. An end that is missing ends it too.
    fn ends(&mut self) -> bool {
        match self.bytes.first() {
            Some(b'e') => {
                self.bytes = &self.bytes[1..];
                true
            }
            None => true,
            Some(_) => false,
        }
    }
}
