use graflow_model::{ExecutionId, Seq, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Edge, Execution, Node, TaskExecution};

/// What a message's `type` says when it tells no event.
pub mod message_type {
    /// The first message: where the stream begins.
    pub const HELLO: &str = "hello";
    /// Once a second: everything up to `seq` has been said.
    pub const PING: &str = "ping";
    /// The viewer was too slow, or away for too long: begin anew from here.
    pub const RESYNC: &str = "resync";
    /// An execution gives no sign of life any more.
    pub const LOST: &str = "lost";
    /// A lost execution gave a sign of life.
    pub const REVIVED: &str = "revived";
    /// An event whose own type is one of these words.
    pub const EVENT: &str = "event";

    /// Whether the word is one of these.
    pub fn is_reserved(word: &str) -> bool {
        [HELLO, PING, RESYNC, LOST, REVIVED, EVENT].contains(&word)
    }
}

/// A message of `WS /ws/lineage`.
///
/// ```
/// use graflow_wire::{Message, MessageData};
/// let text = r#"{"type":"ping","timestamp":"2026-11-23T12:00:00.000000Z","seq":7,"data":{"last_seq":9}}"#;
/// let message: Message = serde_json::from_str(text).unwrap();
/// assert!(matches!(message.read().unwrap(), MessageData::Ping(ping) if ping.last_seq.0 == 9));
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// The event's type, or `hello`, `ping`, `resync`, `lost`, `revived`.
    #[serde(rename = "type")]
    pub message_type: String,
    /// The event's own time; of other messages, when the server sent it.
    pub timestamp: Timestamp,
    /// The event's number; of other messages, up to where everything has been said.
    pub seq: Seq,
    /// What belongs to the type; [`Message::read`] reads it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: Box<RawValue>,
}

/// The `data` of a message, read by its type.
#[derive(Debug, Clone)]
pub enum MessageData {
    /// `hello`
    Hello(Hello),
    /// An event.
    Event(EventDelta),
    /// `ping`
    Ping(Ping),
    /// `resync`
    Resync(Resync),
    /// `lost`
    Lost(LivenessChange),
    /// `revived`
    Revived(LivenessChange),
}

/// The first message of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hello {
    /// Names the server's data folder and start; another one than before means: forget what you have.
    pub instance_id: String,
    /// Every event up to here is in the snapshot; later ones follow.
    pub as_of_seq: Seq,
    /// The stream goes on after this number; no snapshot is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_after: Option<Seq>,
    /// The snapshot: of one execution when the stream is of one, else of the list of executions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    /// Where to get the snapshot when it is too large for a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Vec<String>>,
}

/// The stream begins anew: throw away what you have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resync {
    /// `slow`: the viewer did not keep up. `behind`: `after` lies too far back, or in another store.
    pub reason: String,
    /// Every event up to here is in the snapshot; later ones follow.
    pub as_of_seq: Seq,
    /// The snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    /// Where to get the snapshot when it is too large for a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Vec<String>>,
}

/// An event, and the rows that it changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventDelta {
    /// The event as its producer wrote it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub event: Box<RawValue>,
    /// The rows as they stand now: put each in the place of the one with its id.
    pub rows: Rows,
}

/// A sign that the stream lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ping {
    /// The last number given to an event; what is above the message's own `seq` is on its way.
    pub last_seq: Seq,
}

/// An execution turned lost, or came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LivenessChange {
    /// The execution.
    pub execution_id: ExecutionId,
    /// When it turned lost; null when it came back.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub lost_since: Option<Timestamp>,
    /// The rows that read differently now.
    pub rows: Rows,
}

/// Rows to put in the place of those with the same id.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rows {
    /// By `execution_id`.
    pub executions: Vec<Execution>,
    /// By `workflow_execution_id` and `task_execution_id`.
    pub task_executions: Vec<TaskExecution>,
    /// By `execution_id`.
    pub graphs: Vec<GraphRows>,
}

/// Nodes and edges of one execution's graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GraphRows {
    /// The execution.
    pub execution_id: ExecutionId,
    /// By `id`.
    pub nodes: Vec<Node>,
    /// By `source` and `target`.
    pub edges: Vec<Edge>,
    /// Nodes to take away: an earlier event said otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_nodes: Vec<TaskId>,
    /// Edges to take away: an earlier event said otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_edges: Vec<EdgeReference>,
}

/// An edge, by its ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EdgeReference {
    /// Where it leaves.
    pub source: TaskId,
    /// Where it arrives.
    pub target: TaskId,
}

impl Message {
    /// Reads `data` by the type.
    ///
    /// # Errors
    /// When `data` is not what the type asks for.
    pub fn read(&self) -> Result<MessageData, serde_json::Error> {
        let data = self.data.get();
        Ok(match self.message_type.as_str() {
            message_type::HELLO => MessageData::Hello(serde_json::from_str(data)?),
            message_type::PING => MessageData::Ping(serde_json::from_str(data)?),
            message_type::RESYNC => MessageData::Resync(serde_json::from_str(data)?),
            message_type::LOST => MessageData::Lost(serde_json::from_str(data)?),
            message_type::REVIVED => MessageData::Revived(serde_json::from_str(data)?),
            _ => MessageData::Event(serde_json::from_str(data)?),
        })
    }
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        let in_graphs: usize = self.graphs.iter().map(|graph| graph.nodes.len() + graph.edges.len()).sum();
        self.executions.len() + self.task_executions.len() + in_graphs
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `POST /api/session/ticket`: what a page says to open the live stream
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ticket {
    /// Say it as the subprotocol `ticket.TICKET`; null when the server has no token, and none is needed.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub ticket: Option<String>,
    /// Seconds for which it is good.
    pub expires_in: u32,
}
