use graflow_model::{Project, Seq, Timestamp};
use serde::{Deserialize, Serialize};

/// `GET /api/server`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerInfo {
    /// `graflow`.
    pub name: String,
    /// The server's version.
    pub version: String,
    /// Names this data folder's owner: new at each start.
    pub instance_id: String,
    /// The project that answers are about.
    pub project: Project,
    /// When the server started.
    pub started_time: Timestamp,
    /// The server's clock.
    pub time: Timestamp,
    /// The last number given to an event.
    pub last_seq: Seq,
    /// Viewers of the live stream.
    pub viewers: u64,
    /// What may be sent and asked for.
    pub limits: Limits,
    /// What is kept, and how much is; none where everything is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// What is kept at the most, and how much is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Retention {
    /// Seconds after its end at which an execution is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// Executions at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executions: Option<u64>,
    /// Bytes on disk at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Executions that are kept.
    pub kept_executions: u64,
    /// Bytes that they take on disk, as log and tables.
    pub kept_bytes: u64,
    /// Executions that were deleted to keep the limits since the server started.
    pub deleted: u64,
}

/// What may be sent and asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Bytes of a request's body, as sent.
    pub request_bytes: u64,
    /// Bytes of a request's body, decompressed.
    pub inflated_bytes: u64,
    /// Events in a request.
    pub events: u64,
    /// Bytes of an event.
    pub event_bytes: u64,
    /// Bytes of an id.
    pub id_bytes: u64,
    /// Bytes of a name.
    pub name_bytes: u64,
    /// Rows of a page when nothing is said.
    pub page_default: u64,
    /// Rows of a page at most.
    pub page_max: u64,
    /// Events that a viewer can be behind and still be served from the log.
    pub replay_events: u64,
    /// Rows of a snapshot that a greeting carries.
    pub snapshot_rows: u64,
    /// Seconds without a sign of life after which an execution reads as lost.
    pub lost_after: u64,
}

/// `GET /health`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `healthy`, as long as the process answers.
    #[cfg_attr(feature = "openapi", schema(example = "healthy"))]
    pub status: String,
}

/// `GET /ready`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ready {
    /// `ready`.
    #[cfg_attr(feature = "openapi", schema(example = "ready"))]
    pub status: String,
    /// The last number given to an event.
    pub last_seq: Seq,
    /// The last number that answers take into account.
    pub applied_seq: Seq,
}
