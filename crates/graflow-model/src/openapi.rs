//! Schemas of ids, words and times for an OpenAPI document.

use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::id::{
    Channel, EventId, ExecutionId, FeedbackId, Key, ProducerId, Project, Seq, TaskExecutionId, TaskId,
    WorkflowName,
};
use crate::state::{CauseKind, EdgeKind, ExecutionStatus, NodeKind, TaskStatus};
use crate::time::Timestamp;

macro_rules! text {
    ($($name:ident: $description:literal),* $(,)?) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).description(Some($description)).into()
            }
        }
        impl ToSchema for $name {}
    )*};
}

text! {
    EventId: "Names one event for ever.",
    ExecutionId: "Names one run of a workflow.",
    TaskExecutionId: "Names one attempt of one iteration of a task.",
    TaskId: "A task, by the name it has in its workflow.",
    WorkflowName: "A workflow, by name.",
    ProducerId: "A process that emits: `host/boot/pid/nonce`.",
    Project: "A tenant.",
    Channel: "A channel, the place where tasks share values.",
    Key: "A key in a channel.",
    FeedbackId: "One question put to a person.",
}

macro_rules! words {
    ($($name:ident: $description:literal),* $(,)?) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some($name::ALL.iter().map(|word| word.as_str())))
                    .description(Some($description))
                    .into()
            }
        }
        impl ToSchema for $name {}
    )*};
}

words! {
    ExecutionStatus: "Where an execution stands.",
    TaskStatus: "Where a task execution, or a node of the graph, stands.",
    NodeKind: "How a node came to be.",
    EdgeKind: "How an edge came to be.",
    CauseKind: "What led to a task execution.",
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 in UTC, with six decimals."))
            .into()
    }
}
impl ToSchema for Timestamp {}

impl PartialSchema for Seq {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0))
            .description(Some("The number that the server gives to an event: strictly rising, gaps allowed."))
            .into()
    }
}
impl ToSchema for Seq {}
