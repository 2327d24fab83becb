use graflow_model::event::EventErrorCode;
use graflow_model::{EventError, Seq, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `POST /api/events`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PostAnswer {
    /// Events that are on disk now, and were not before.
    pub accepted: u64,
    /// Events that had been there before.
    pub duplicates: u64,
    /// Events that cannot be taken; sending them again does not help.
    pub invalid: Vec<InvalidEvent>,
    /// What was taken, but is probably not what was meant: the first event of each type that this version
    /// does not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<EventWarning>,
    /// The last number given so far.
    pub last_seq: Seq,
    /// Events of executions that have been deleted; they are counted and not kept.
    #[serde(default)]
    pub dropped: u64,
    /// With `?results=full`: what became of each event, in the order of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<EventCode>>,
}

/// An event that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvalidEvent {
    /// Its place in the request, from 0 (for NDJSON: the line, empty lines not counted).
    pub index: usize,
    /// Why, for programs.
    pub code: EventCode,
    /// Why, for people.
    pub message: String,
    /// What can be done about it.
    #[serde(default)]
    pub hint: String,
}

impl InvalidEvent {
    /// What is said of the event at that place in the request.
    pub fn new(index: usize, error: EventError) -> Self {
        Self { index, code: error.code.into(), message: error.message, hint: error.code.hint().into() }
    }
}

/// An event that was taken, with something to say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventWarning {
    /// Its place in the request, from 0.
    pub index: usize,
    /// What, for programs: `unknown_type`.
    pub code: WarningCode,
    /// What, for people.
    pub message: String,
    /// What can be done about it.
    pub hint: String,
}

/// What there is to say about an event that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// This version knows no events of that type.
    UnknownType,
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventCode {
    /// It is on disk.
    Accepted,
    /// It had been there before.
    Duplicate,
    /// Its execution has been deleted.
    Dropped,
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
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

impl From<EventErrorCode> for EventCode {
    fn from(code: EventErrorCode) -> Self {
        match code {
            EventErrorCode::InvalidJson => Self::InvalidJson,
            EventErrorCode::MissingField => Self::MissingField,
            EventErrorCode::InvalidField => Self::InvalidField,
            EventErrorCode::InvalidData => Self::InvalidData,
            EventErrorCode::TooLarge => Self::TooLarge,
            EventErrorCode::ProducerSeqReused => Self::ProducerSeqReused,
            EventErrorCode::TooManyGaps => Self::TooManyGaps,
        }
    }
}

/// `GET /api/executions/{id}/events`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Events {
    /// By number.
    pub events: Vec<LoggedEvent>,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// An event as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoggedEvent {
    /// Its number.
    pub seq: Seq,
    /// When the server took it.
    pub received_time: Timestamp,
    /// The event as its producer wrote it, fields that the server does not know included.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub event: Box<RawValue>,
}
