//! What goes over the wire: the shapes of every REST answer and of every message of the live stream.
//!
//! Plain structs that serialise and deserialise, shared by the server and by typed clients. They stand apart
//! from the model, so that what is stored and what is answered may change separately. Durations are seconds
//! (`f64`), times RFC 3339 in UTC with microseconds. A field is never renamed; fields may be added, so readers
//! pass over what they do not know.
//!
//! With the feature `openapi` every shape has a schema for the OpenAPI document.

mod analysis;
mod comparison;
mod data;
mod deletion;
mod error;
mod events;
mod execution;
mod failure;
mod finding;
mod graph;
mod layout;
mod live;
mod llm;
mod logs;
mod metrics;
mod profile;
mod search;
mod seconds;
mod server;
mod task_execution;
mod timeline;
mod workflow;

pub use analysis::{Analysis, CriticalPath, CriticalStep, Expected, Slack, TaskAnalysis};
pub use comparison::{ComparedTask, Comparison, Difference, TaskComparison, ValueComparison};
pub use data::{DataEdge, DataLineage, TaskReference, ValueRead, ValueWrite};
pub use deletion::{DeleteRequest, DeletedAnswer};
pub use error::ErrorBody;
pub use events::{EventCode, EventWarning, Events, InvalidEvent, LoggedEvent, PostAnswer, WarningCode};
pub use execution::{Execution, ExecutionDetail, ExecutionList, OpenQuestion};
pub use failure::{Failure, Failures};
pub use finding::{Finding, Findings};
pub use graph::{Edge, EdgeData, Graph, Node, NodeData};
pub use layout::{Bounds, Layout, LayoutEdges, LayoutGroup, LayoutNodes};
pub use live::{
    EdgeReference, EventDelta, GraphRows, Hello, LivenessChange, Message, MessageData, Ping, Resync, Rows,
    Ticket, message_type,
};
pub use llm::{LlmCall, LlmCalls, LlmTotals, LlmUse, LlmUseOfIteration, LlmUseOfModel, LlmUseOfTask};
pub use logs::{LogLine, Logs};
pub use metrics::{DurationStatistics, MetricsSummary, Series, SeriesPoint};
pub use profile::{Profile, TaskProfile};
pub use search::{Found, SearchAnswer};
pub use seconds::seconds;
pub use server::{Health, Limits, Ready, Retention, ServerInfo};
pub use task_execution::{TaskExecution, TaskExecutionDetail, TaskExecutions, TaskHistory};
pub use timeline::{Bar, Timeline};
pub use workflow::{Workflow, WorkflowDetail, WorkflowList};
