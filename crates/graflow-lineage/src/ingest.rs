//! Reading the body of a request into events: a JSON array, one object, or NDJSON.
//!
//! The text of each event is kept as it came, on one line. A broken array is refused as a whole, so that
//! nothing of it is stored; of NDJSON only the broken line is lost.

use std::borrow::Cow;

use graflow_model::event::{EventErrorCode, EventType};
use graflow_model::limits::{BATCH_EVENTS, EVENT_BYTES};
use graflow_model::{Event, EventError};
use serde_json::value::RawValue;

use crate::store::{Incoming, Invalid};

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// A JSON array of events, or one event.
    Json,
    /// One event a line; empty lines are passed over.
    Ndjson,
    /// Not said: found out by looking.
    Unknown,
}

/// The events of a body.
#[derive(Debug, Default)]
pub struct ParsedBody {
    /// Events that can be taken, in order, each with its place in the body.
    pub events: Vec<(usize, Incoming)>,
    /// Events that cannot.
    pub invalid: Vec<Invalid>,
    /// How many there are in all.
    pub total: usize,
}

/// Why a body was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is no JSON.
    #[error("the body is no JSON: {0}")]
    Broken(String),
    /// It is JSON, but neither an array nor an object.
    #[error("the body is {0}; expected an array of events, one event, or one event a line")]
    NotEvents(&'static str),
    /// There are too many events in it.
    #[error("the body has more than {BATCH_EVENTS} events")]
    TooMany,
}

/// Reads a body.
///
/// # Errors
/// When nothing of it can be taken: broken JSON that is no NDJSON, or too many events.
///
/// ```
/// use graflow_lineage::ingest::{BodyFormat, parse};
/// let body = br#"{"event_id":"1","type":"note","time":"2026-11-23T12:00:00Z","execution_id":"x"}
/// {"event_id":"2"}"#;
/// let parsed = parse(body, BodyFormat::Unknown).unwrap();
/// assert_eq!((parsed.events.len(), parsed.invalid.len()), (1, 1));
/// assert_eq!(parsed.invalid[0].error.to_string(), "`type` is missing");
/// ```
pub fn parse(body: &[u8], format: BodyFormat) -> Result<ParsedBody, BodyError> {
    // A byte order mark says nothing that UTF-8 needs to hear.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match format {
        BodyFormat::Ndjson => parse_lines(body),
        BodyFormat::Json | BodyFormat::Unknown => match first_byte(body) {
            Some(b'[') => parse_array(body),
            Some(b'{') if first_line_is_whole(body) => parse_lines(body),
            Some(b'{') => parse_object(body),
            _ => match serde_json::from_slice::<&RawValue>(body) {
                Ok(value) => Err(BodyError::NotEvents(kind(value))),
                Err(error) => Err(BodyError::Broken(error.to_string())),
            },
        },
    }
}

/// The heartbeats among the lines of a body. Only lines that speak of one are read.
///
/// ```
/// use graflow_lineage::ingest::heartbeats;
/// let body = br#"{"event_id":"1","type":"note","time":"2026-11-23T12:00:00Z","execution_id":"x"}
/// {"event_id":"2","type":"heartbeat","time":"2026-11-23T12:00:00Z","execution_id":"x"}
/// {"event_id":"3","type":"heartbeat"#;
/// let ids: Vec<_> = heartbeats(body).map(|incoming| incoming.event.event_id.to_string()).collect();
/// assert_eq!(ids, ["2"]);
/// ```
pub fn heartbeats(body: &[u8]) -> impl Iterator<Item = Incoming> {
    let lines = body.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let spoken = lines.filter(|line| line.len() <= EVENT_BYTES && line.contains("\"heartbeat\""));
    spoken.filter_map(|line| {
        let event = Event::from_json(line.as_bytes()).ok()?;
        (event.event_type == EventType::Heartbeat).then(|| Incoming { event, json: line.into() })
    })
}

impl ParsedBody {
    fn take(&mut self, json: &[u8]) -> Result<(), BodyError> {
        let index = self.total;
        self.total += 1;
        if self.total > BATCH_EVENTS {
            return Err(BodyError::TooMany);
        }
        match Event::from_json(json) {
            Ok(event) => self.events.push((index, Incoming { event, json: one_line(json) })),
            Err(error) => self.invalid.push(Invalid { index, error }),
        }
        Ok(())
    }
}

fn parse_array(body: &[u8]) -> Result<ParsedBody, BodyError> {
    let values: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|error| BodyError::Broken(error.to_string()))?;
    if values.len() > BATCH_EVENTS {
        return Err(BodyError::TooMany);
    }
    let mut parsed = ParsedBody::default();
    for value in values {
        parsed.take(value.get().as_bytes())?;
    }
    Ok(parsed)
}

fn parse_object(body: &[u8]) -> Result<ParsedBody, BodyError> {
    let value: &RawValue =
        serde_json::from_slice(body).map_err(|error| BodyError::Broken(error.to_string()))?;
    let mut parsed = ParsedBody::default();
    parsed.take(value.get().as_bytes())?;
    Ok(parsed)
}

fn parse_lines(body: &[u8]) -> Result<ParsedBody, BodyError> {
    let mut parsed = ParsedBody::default();
    for line in body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        if line.len() > EVENT_BYTES || std::str::from_utf8(line).is_ok() {
            parsed.take(line)?;
        } else {
            let error = EventError::new(EventErrorCode::InvalidJson, "the line is no UTF-8");
            parsed.invalid.push(Invalid { index: parsed.total, error });
            parsed.total += 1;
        }
    }
    Ok(parsed)
}

fn first_byte(body: &[u8]) -> Option<u8> {
    body.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// Whether the first line is a JSON value of its own and something follows it: then these are lines.
fn first_line_is_whole(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let Some(end) = body.iter().position(|byte| *byte == b'\n') else { return false };
    serde_json::from_slice::<&RawValue>(&body[..end]).is_ok()
}

fn kind(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// The text without line breaks: in JSON they only ever stand between tokens.
fn one_line(json: &[u8]) -> Box<str> {
    // The check of a whole text is many times quicker than the search for what is wrong in it.
    let text = std::str::from_utf8(json).map_or_else(|_| String::from_utf8_lossy(json), Cow::Borrowed);
    if json.contains(&b'\n') || json.contains(&b'\r') {
        text.replace(['\n', '\r'], " ").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = r#"{"event_id":"1","type":"note","time":"2026-11-23T12:00:00Z","execution_id":"x"}"#;

    /// What a body gives: good and bad events by place, or the refusal.
    fn check(body: &str, format: BodyFormat, expected: &str) {
        let text = match parse(body.as_bytes(), format) {
            Ok(parsed) => {
                let good: Vec<_> = parsed.events.iter().map(|(index, _)| index.to_string()).collect();
                let bad: Vec<_> = parsed
                    .invalid
                    .iter()
                    .map(|invalid| format!("{}:{}", invalid.index, invalid.error.code.as_str()))
                    .collect();
                format!("good [{}] bad [{}] of {}", good.join(" "), bad.join(" "), parsed.total)
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expected, "for {body}");
    }

    #[test]
    fn arrays() {
        check(&format!("[{NOTE},{NOTE}]"), BodyFormat::Json, "good [0 1] bad [] of 2");
        check("[]", BodyFormat::Json, "good [] bad [] of 0");
        check(&format!(" [ {NOTE} , 7 ] "), BodyFormat::Unknown, "good [0] bad [1:invalid_field] of 2");
        check(&format!("[{NOTE},{{}}]"), BodyFormat::Json, "good [0] bad [1:missing_field] of 2");
        check(
            &format!("[{NOTE},"),
            BodyFormat::Json,
            "the body is no JSON: EOF while parsing a value at line 1 column 81",
        );
    }

    #[test]
    fn one_object() {
        check(NOTE, BodyFormat::Json, "good [0] bad [] of 1");
        check(&NOTE.replace(',', ",\n"), BodyFormat::Unknown, "good [0] bad [] of 1");
        check(
            "{\"event_id\":",
            BodyFormat::Json,
            "the body is no JSON: EOF while parsing a value at line 1 column 12",
        );
    }

    #[test]
    fn lines() {
        check(&format!("{NOTE}\n\n{NOTE}\n"), BodyFormat::Ndjson, "good [0 1] bad [] of 2");
        check(
            &format!("{NOTE}\n{{oops\n{NOTE}"),
            BodyFormat::Unknown,
            "good [0 2] bad [1:invalid_json] of 3",
        );
        check(&format!("{NOTE}\r\n{NOTE}\r\n"), BodyFormat::Unknown, "good [0 1] bad [] of 2");
        check("", BodyFormat::Ndjson, "good [] bad [] of 0");
        check("[1]", BodyFormat::Ndjson, "good [] bad [0:invalid_field] of 1");
    }

    #[test]
    fn neither() {
        check("", BodyFormat::Unknown, "the body is no JSON: EOF while parsing a value at line 1 column 0");
        check("", BodyFormat::Json, "the body is no JSON: EOF while parsing a value at line 1 column 0");
        check(
            "7",
            BodyFormat::Unknown,
            "the body is a number; expected an array of events, one event, or one event a line",
        );
        check("hello", BodyFormat::Json, "the body is no JSON: expected value at line 1 column 1");
    }

    #[test]
    fn no_utf8() {
        let mut body = NOTE.as_bytes().to_vec();
        body.extend(b"\n\"\xff\"\n");
        let parsed = parse(&body, BodyFormat::Ndjson).unwrap();
        assert_eq!((parsed.events.len(), parsed.invalid.len()), (1, 1));
        assert!(matches!(parse(b"[\"\xff\"]", BodyFormat::Json), Err(BodyError::Broken(_))));
    }

    #[test]
    fn the_text_is_kept_on_one_line() {
        let body = "{\"event_id\":\"1\",\r\n \"type\":\"note\", \"time\":\"2026-11-23T12:00:00Z\",\n\"execution_id\":\"x\",\"new\":1.0}";
        let parsed = parse(body.as_bytes(), BodyFormat::Json).unwrap();
        let json = &parsed.events[0].1.json;
        assert!(json.ends_with(r#" "execution_id":"x","new":1.0}"#));
        assert!(!json.contains(['\n', '\r']));
    }

    #[test]
    fn too_many() {
        let body = format!("[{}]", vec!["0"; BATCH_EVENTS + 1].join(","));
        assert_eq!(parse(body.as_bytes(), BodyFormat::Json).unwrap_err(), BodyError::TooMany);
        let body = "0\n".repeat(BATCH_EVENTS + 1);
        assert_eq!(parse(body.as_bytes(), BodyFormat::Ndjson).unwrap_err(), BodyError::TooMany);
    }
}
