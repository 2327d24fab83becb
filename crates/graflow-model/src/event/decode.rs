//! Reading an event from JSON: what is missing, too long or of the wrong type is named.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use serde_json::value::RawValue;

use super::{Event, EventType, empty_data};
use crate::limits::{EVENT_BYTES, ID_BYTES, NAME_BYTES};
use crate::time::Timestamp;

/// Why an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EventError {
    /// For programs.
    pub code: EventErrorCode,
    /// For people.
    pub message: String,
}

/// The kinds of faults an event can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, DeriveDeserialize, schemars::JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventErrorCode {
    /// The text is no JSON.
    InvalidJson,
    /// A field that every event of its type has is not there.
    MissingField,
    /// A field of the envelope has the wrong type or an impossible value.
    InvalidField,
    /// `data` is not what the type asks for.
    InvalidData,
    /// The event, an id or a name is longer than the limit.
    TooLarge,
    /// The producer used this `producer_seq` for another event before.
    ProducerSeqReused,
    /// The producer left more gaps in its numbers than are remembered.
    TooManyGaps,
}

impl EventErrorCode {
    /// The word that stands in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::MissingField => "missing_field",
            Self::InvalidField => "invalid_field",
            Self::InvalidData => "invalid_data",
            Self::TooLarge => "too_large",
            Self::ProducerSeqReused => "producer_seq_reused",
            Self::TooManyGaps => "too_many_gaps",
        }
    }

    /// What whoever sent it can do about it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::InvalidJson => "an event is one JSON object; of lines, one stands on each",
            Self::MissingField => {
                "see spec/events.schema.json for the fields of this type; event_id, type, time and execution_id are on every event"
            }
            Self::InvalidField => "see spec/events.schema.json for what the field takes",
            Self::InvalidData => "see spec/events.schema.json for the `data` of this type",
            Self::TooLarge => "an event has at most 1 MiB, an id 128 bytes, a name 16 KiB",
            Self::ProducerSeqReused => "a producer counts up; one that starts anew takes a new nonce",
            Self::TooManyGaps => {
                "a producer counts up without gaps; one that has left too many goes on under a new nonce"
            }
        }
    }
}

impl EventError {
    /// An error of that kind, with words for people.
    pub fn new(code: EventErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl Event {
    /// Reads one event and checks everything that can be checked of it alone: form, limits, and that
    /// `data` fits the type.
    ///
    /// # Errors
    /// Names the first fault found.
    ///
    /// ```
    /// use graflow_model::Event;
    /// let text = r#"{"event_id":"e","type":"note","time":"2026-11-23T12:00:00Z","execution_id":"x","mood":"fine"}"#;
    /// let event = Event::from_json(text.as_bytes()).unwrap();
    /// assert_eq!(&*event.extra[0].0, "mood");
    /// let error = Event::from_json(br#"{"event_id":"e"}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "`type` is missing");
    /// ```
    pub fn from_json(json: &[u8]) -> Result<Self, EventError> {
        if json.len() > EVENT_BYTES {
            let message = format!("the event has {} bytes, the limit is {EVENT_BYTES}", json.len());
            return Err(EventError::new(EventErrorCode::TooLarge, message));
        }
        let event: Self = serde_json::from_slice(json).map_err(|error| {
            let text = error.to_string();
            if let Some(missing) = text.strip_prefix(MISSING) {
                let field = missing.split(" at line").next().unwrap_or(missing);
                return EventError::new(EventErrorCode::MissingField, format!("`{field}` is missing"));
            }
            // A field names itself in front of what is wrong in it, which hides whether it is JSON at all.
            let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok();
            let code = if is_json { EventErrorCode::InvalidField } else { EventErrorCode::InvalidJson };
            EventError::new(code, text)
        })?;
        event.check()?;
        Ok(event)
    }

    /// Checks limits, what the type must name, and that `data` fits the type.
    ///
    /// # Errors
    /// Names the first fault found.
    pub fn check(&self) -> Result<(), EventError> {
        self.check_ids()?;
        self.check_names()?;
        let missing =
            |field| Err(EventError::new(EventErrorCode::MissingField, format!("`{field}` is missing")));
        if self.execution_id.is_none() && self.event_type != EventType::Heartbeat {
            return missing("execution_id");
        }
        if self.event_type.is_task() {
            if self.task_id.is_none() {
                return missing("task_id");
            }
            if self.task_execution_id.is_none() {
                return missing("task_execution_id");
            }
        }
        if self.producer_seq.is_some() && self.producer.is_none() {
            return missing("producer");
        }
        if self.producer_seq.is_some_and(|seq| seq > i64::MAX as u64) {
            return Err(EventError::new(EventErrorCode::InvalidField, "producer_seq: above 2^63"));
        }
        self.payload().map(drop)
    }

    fn check_ids(&self) -> Result<(), EventError> {
        let ids = [
            ("event_id", Some(self.event_id.as_str())),
            ("execution_id", self.execution_id.as_ref().map(AsRef::as_ref)),
            ("task_execution_id", self.task_execution_id.as_ref().map(AsRef::as_ref)),
            ("parent_task_execution_id", self.parent_task_execution_id.as_ref().map(AsRef::as_ref)),
            ("producer", self.producer.as_ref().map(AsRef::as_ref)),
        ];
        for (field, id) in ids {
            let Some(id) = id else { continue };
            if id.len() > ID_BYTES {
                let message = format!("{field}: {} bytes, the limit is {ID_BYTES}", id.len());
                return Err(EventError::new(EventErrorCode::TooLarge, message));
            }
            if id.is_empty() || id.chars().any(char::is_control) {
                let message = format!("{field}: an id has at least one character and no control characters");
                return Err(EventError::new(EventErrorCode::InvalidField, message));
            }
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), EventError> {
        let names = [
            ("workflow_name", self.workflow_name.as_ref().map(AsRef::as_ref)),
            ("task_id", self.task_id.as_ref().map(AsRef::as_ref)),
            ("type", Some(self.event_type.as_str())),
        ];
        for (field, name) in names {
            let Some(name): Option<&str> = name else { continue };
            if name.len() > NAME_BYTES {
                let message = format!("{field}: {} bytes, the limit is {NAME_BYTES}", name.len());
                return Err(EventError::new(EventErrorCode::TooLarge, message));
            }
            if name.is_empty() {
                return Err(EventError::new(EventErrorCode::InvalidField, format!("{field}: is empty")));
            }
        }
        Ok(())
    }
}

const MISSING: &str = "missing: ";

/// The fields of the envelope.
const ENVELOPE: [&str; 14] = [
    "event_id",
    "type",
    "time",
    "execution_id",
    "workflow_name",
    "task_id",
    "task_execution_id",
    "iteration",
    "attempt",
    "parent_task_execution_id",
    "producer",
    "producer_seq",
    "mono_us",
    "data",
];

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an event, as a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        // An envelope in the making; ids and time are put in once all fields have been seen.
        let mut event = Event::new("".into(), EventType::Note, Timestamp::default());
        let (mut event_id, mut event_type, mut time) = (None, None, None);
        // Names of the envelope that were there, each a bit.
        let mut seen = 0_u32;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            macro_rules! read {
                ($slot:expr) => {
                    $slot = map
                        .next_value()
                        .map_err(|error| de::Error::custom(format_args!("{name}: {error}")))?
                };
            }
            let known = ENVELOPE.iter().position(|known| *known == name);
            let is_twice = match known {
                Some(place) => {
                    let before = seen;
                    seen |= 1 << place;
                    before == seen
                }
                None => event.extra.iter().any(|(other, _)| **other == *name),
            };
            if is_twice {
                // Readers of JSON differ in which of the two they take.
                return Err(de::Error::custom(format_args!("{name}: stands in it twice")));
            }
            match &*name {
                "event_id" => read!(event_id),
                "type" => read!(event_type),
                "time" => read!(time),
                "execution_id" => read!(event.execution_id),
                "workflow_name" => read!(event.workflow_name),
                "task_id" => read!(event.task_id),
                "task_execution_id" => read!(event.task_execution_id),
                "iteration" => read!(event.iteration),
                "attempt" => read!(event.attempt),
                "parent_task_execution_id" => read!(event.parent_task_execution_id),
                "producer" => read!(event.producer),
                "producer_seq" => read!(event.producer_seq),
                "mono_us" => read!(event.mono_us),
                "data" => event.data = data(map.next_value()?)?,
                _ => {
                    let value: Box<RawValue> = map.next_value()?;
                    event.extra.push((name.into(), value));
                }
            }
        }
        let missing = |field: &str| de::Error::custom(format_args!("{MISSING}{field}"));
        event.event_id = event_id.ok_or_else(|| missing("event_id"))?;
        event.event_type = event_type.ok_or_else(|| missing("type"))?;
        event.time = time.ok_or_else(|| missing("time"))?;
        Ok(event)
    }
}

fn data<E: de::Error>(raw: Box<RawValue>) -> Result<Box<RawValue>, E> {
    match raw.get().as_bytes().first() {
        Some(b'{') => Ok(raw),
        _ if raw.get() == "null" => Ok(empty_data()),
        _ => Err(E::custom("data: expected an object")),
    }
}
