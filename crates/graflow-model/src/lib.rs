//! The vocabulary of Graflow Lineage: ids, times, events, states, the task graph, and the fold that
//! turns a set of events into the state of an execution.
//!
//! Nothing here does I/O, knows a database or a wire protocol, or reads a clock.

pub mod event;
pub mod fold;
pub mod frame;
pub mod id;
pub mod label;
pub mod limits;
#[cfg(feature = "openapi")]
mod openapi;
pub mod row;
pub mod state;
pub mod time;
pub mod value;

pub use event::{Event, EventError, EventType, Payload};
pub use fold::ExecutionState;
pub use id::{
    Channel, EventId, ExecutionId, FeedbackId, Key, ProducerId, Project, Seq, TaskExecutionId, TaskId,
    WorkflowName,
};
pub use state::{EdgeKind, ExecutionStatus, NodeKind, TaskStatus};
pub use time::{Clock, Timestamp};
