use graflow_model::row;
use graflow_model::{Channel, EventId, Key, Seq, TaskExecutionId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `GET /api/executions/{id}/data`: who wrote what, and who read it.
///
/// A page holds writes (ordered by channel, key and version) and then reads (ordered by time); each read's edge
/// stands on the page of the read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DataLineage {
    /// Versions of values.
    pub writes: Vec<ValueWrite>,
    /// Reads of values.
    pub reads: Vec<ValueRead>,
    /// From the writer of a version to a reader of it.
    pub edges: Vec<DataEdge>,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// One version of a value: one write of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValueWrite {
    /// The key.
    pub key: Key,
    /// From 1, in the order of time.
    pub version: u64,
    /// The task that wrote it; null for an input of the run.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_id: Option<TaskId>,
    /// The attempt that wrote it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_execution_id: Option<TaskExecutionId>,
    /// Bytes.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub size: Option<u64>,
    /// Content hash.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub hash: Option<String>,
    /// When.
    pub time: Timestamp,
    /// The value, or its beginning, by the producer's policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Value>,
    /// The channel.
    pub channel: Channel,
    /// The type, in the language's own words.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub value_type: Option<String>,
    /// Whether the engine wrote it (a result, a copy into a branch), not the task's own code.
    pub system: bool,
    /// Whether the key was deleted.
    pub deleted: bool,
    /// The event that names the version.
    pub event_id: EventId,
}

/// One read of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValueRead {
    /// The key.
    pub key: Key,
    /// The version it saw; null where that is not known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub version: Option<u64>,
    /// The task that read.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_id: Option<TaskId>,
    /// The attempt that read.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_execution_id: Option<TaskExecutionId>,
    /// The parameter that the engine filled with it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub resolved_parameter: Option<String>,
    /// The channel.
    pub channel: Channel,
    /// When.
    pub time: Timestamp,
    /// Whether the version was found by its hash, not told by the producer.
    pub inferred: bool,
    /// The write it saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_event_id: Option<EventId>,
    /// The event that tells it.
    pub event_id: EventId,
}

/// From the writer of a version to a reader of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DataEdge {
    /// Who wrote.
    pub writer: TaskReference,
    /// The key.
    pub key: Key,
    /// The version.
    pub version: u64,
    /// Who read.
    pub reader: TaskReference,
    /// The channel.
    pub channel: Channel,
    /// Whether the version was found by its hash, not told by the producer.
    pub inferred: bool,
}

/// A task execution, by name and id; both null for what no task did, such as an input of the run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskReference {
    /// The task.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_id: Option<TaskId>,
    /// The attempt.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_execution_id: Option<TaskExecutionId>,
}

impl From<row::WriteRow> for ValueWrite {
    fn from(row: row::WriteRow) -> Self {
        Self {
            key: row.key,
            version: row.version,
            task_id: row.task_id,
            task_execution_id: row.task_execution_id,
            size: row.size,
            hash: row.hash,
            time: row.time,
            preview: row.preview,
            channel: row.channel,
            value_type: row.value_type,
            system: row.system,
            deleted: row.deleted,
            event_id: row.event_id,
        }
    }
}

impl From<row::ReadRow> for ValueRead {
    fn from(row: row::ReadRow) -> Self {
        Self {
            key: row.key,
            version: row.version,
            task_id: row.task_id,
            task_execution_id: row.task_execution_id,
            resolved_parameter: row.resolved_parameter,
            channel: row.channel,
            time: row.time,
            inferred: row.inferred,
            write_event_id: row.write_event_id,
            event_id: row.event_id,
        }
    }
}
