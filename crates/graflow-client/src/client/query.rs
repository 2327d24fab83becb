//! What a list is narrowed down to.

use std::fmt::{self, Display, Write};

use graflow_model::{ExecutionStatus, Seq, Timestamp};

/// The part of an address behind `?`. Names are those of the REST interface; each but `label` may be set once.
///
/// ```
/// use graflow_client::Query;
/// let query = Query::new().workflow_name("etl & more").label("team", "a").limit(10);
/// assert_eq!(query.to_string(), "?workflow_name=etl%20%26%20more&label.team=a&limit=10");
/// assert_eq!(Query::new().to_string(), "");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(String);

impl Query {
    /// Nothing is narrowed down.
    pub fn new() -> Self {
        Self::default()
    }

    /// Any parameter.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Display) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        encode(name, &mut self.0);
        self.0.push('=');
        encode(&value.to_string(), &mut self.0);
        self
    }

    /// A parameter, if there is a value for it.
    #[must_use]
    pub fn set_some(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Rows of a page.
    #[must_use]
    pub fn limit(self, rows: usize) -> Self {
        self.set("limit", rows)
    }

    /// The page that an answer's `next_cursor` names.
    #[must_use]
    pub fn cursor(self, cursor: &str) -> Self {
        self.set("cursor", cursor)
    }

    /// Of this workflow.
    #[must_use]
    pub fn workflow_name(self, name: &str) -> Self {
        self.set("workflow_name", name)
    }

    /// Of this run.
    #[must_use]
    pub fn execution_id(self, id: &str) -> Self {
        self.set("execution_id", id)
    }

    /// In one of these states.
    #[must_use]
    pub fn status(self, any_of: &[ExecutionStatus]) -> Self {
        let words: Vec<&str> = any_of.iter().map(|status| status.as_str()).collect();
        self.set("status", words.join(","))
    }

    /// With this label.
    #[must_use]
    pub fn label(self, name: &str, value: &str) -> Self {
        self.set(&format!("label.{name}"), value)
    }

    /// After this number.
    #[must_use]
    pub fn after(self, seq: Seq) -> Self {
        self.set("after", seq)
    }

    /// As it stood at that number.
    #[must_use]
    pub fn at_seq(self, seq: Seq) -> Self {
        self.set("at", seq)
    }

    /// As it stood at that time.
    #[must_use]
    pub fn at_time(self, time: Timestamp) -> Self {
        self.set("at", time)
    }
}

impl Display for Query {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Writes text so that it stays one part of an address, whatever is in it.
pub(crate) fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
