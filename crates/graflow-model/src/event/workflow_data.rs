//! `data` of what a whole run tells: how it began and ended, its graph, and that it lives.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::payload::is_default;
use super::task_data::ErrorInfo;
use crate::id::{ExecutionId, TaskExecutionId, TaskId};
use crate::state::{EdgeKind, NodeKind};

/// How a run began.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct WorkflowStarted {
    /// What it was given, by name.
    #[serde(skip_serializing_if = "is_default")]
    pub inputs: Option<BTreeMap<String, Value>>,
    /// What people find it by.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// The code that ran.
    #[serde(skip_serializing_if = "is_default")]
    pub code: Option<Code>,
    /// What ran it.
    #[serde(skip_serializing_if = "is_default")]
    pub runtime: Option<Runtime>,
    /// The task execution that started this run, for nested workflows.
    #[serde(skip_serializing_if = "is_default")]
    pub parent: Option<Parent>,
    /// The run whose checkpoint this one goes on from.
    #[serde(skip_serializing_if = "is_default")]
    pub resumed_from: Option<ExecutionId>,
    /// The producer's session.
    #[serde(skip_serializing_if = "is_default")]
    pub session_id: Option<String>,
    /// The trace it belongs to.
    #[serde(skip_serializing_if = "is_default")]
    pub trace_id: Option<String>,
}

/// Another run goes on from a checkpoint of this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkflowResumed {
    /// That run, which names this one as `resumed_from`.
    pub resumed_by: ExecutionId,
}

/// The code that ran.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Code {
    /// The commit it was at.
    #[serde(skip_serializing_if = "is_default")]
    pub git_commit: Option<String>,
    /// Whether there were changes on top.
    #[serde(skip_serializing_if = "is_default")]
    pub dirty: Option<bool>,
    /// The program or script.
    #[serde(skip_serializing_if = "is_default")]
    pub entry: Option<String>,
}

/// What ran it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Runtime {
    /// `rust` or `python`.
    #[serde(skip_serializing_if = "is_default")]
    pub language: Option<String>,
    /// The language's version, or the library's.
    #[serde(skip_serializing_if = "is_default")]
    pub version: Option<String>,
    /// The machine.
    #[serde(skip_serializing_if = "is_default")]
    pub host: Option<String>,
    /// The process.
    #[serde(skip_serializing_if = "is_default")]
    pub pid: Option<u32>,
}

/// The task execution that started a nested run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parent {
    /// Its run.
    pub execution_id: ExecutionId,
    /// The attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_execution_id: Option<TaskExecutionId>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct WorkflowEnded {
    /// `max_steps` when the limit of task executions cut it; else free words.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<ErrorInfo>,
}

/// Nodes and edges, declared or added.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GraphChanged {
    /// The nodes.
    #[serde(skip_serializing_if = "is_default")]
    pub nodes: Vec<NodeDeclaration>,
    /// The edges.
    #[serde(skip_serializing_if = "is_default")]
    pub edges: Vec<EdgeDeclaration>,
}

/// A node of the task graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeDeclaration {
    /// The task, or the parallel group.
    pub id: TaskId,
    /// The type, in the language's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// How it came to be.
    pub kind: NodeKind,
    /// The parallel group it is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<TaskId>,
    /// The declared function of a dynamic task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The engine's own name for it, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// Where its code stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLocation>,
    /// The first paragraph of its documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// Whether its executions and values are told of; they are unless this says `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track_lineage: Option<bool>,
}

impl NodeDeclaration {
    /// A node of which no more is known.
    pub fn new(id: TaskId, kind: NodeKind) -> Self {
        Self {
            id,
            task_type: None,
            kind,
            group: None,
            family: None,
            native_id: None,
            source: None,
            doc: None,
            track_lineage: None,
        }
    }
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SourceLocation {
    /// The file.
    #[serde(skip_serializing_if = "is_default")]
    pub file: String,
    /// The line, from 1.
    #[serde(skip_serializing_if = "is_default")]
    pub line: u32,
}

/// An edge of the task graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EdgeDeclaration {
    /// Where it leaves.
    pub source: TaskId,
    /// Where it arrives.
    pub target: TaskId,
    /// How it came to be; static where that is not said.
    #[serde(default)]
    pub kind: EdgeKind,
}

/// The producer lives, and so do these runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Heartbeat {
    /// The runs it has open.
    #[serde(skip_serializing_if = "is_default")]
    pub executions: Vec<ExecutionId>,
}
