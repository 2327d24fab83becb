//! One operation, one file: parameters, documentation, handler.

pub(crate) mod analysis;
pub(crate) mod comparison;
pub(crate) mod data;
pub(crate) mod delete_execution;
pub(crate) mod delete_executions;
pub(crate) mod event_log;
pub(crate) mod execution_detail;
pub(crate) mod execution_graph;
pub(crate) mod execution_list;
pub(crate) mod failures;
pub(crate) mod findings;
mod first_page;
pub(crate) mod graph_current;
pub(crate) mod health;
pub(crate) mod layout;
pub(crate) mod layout_picture;
pub(crate) mod llm;
pub(crate) mod llm_calls;
pub(crate) mod logs;
pub(crate) mod metrics_series;
pub(crate) mod metrics_summary;
pub(crate) mod post_events;
pub(crate) mod prometheus;
pub(crate) mod ready;
pub(crate) mod search;
pub(crate) mod server;
pub(crate) mod session_ticket;
pub(crate) mod task_execution;
pub(crate) mod task_executions;
pub(crate) mod task_history;
pub(crate) mod timeline;
pub(crate) mod workflow_detail;
pub(crate) mod workflow_list;
pub(crate) mod workflow_profile;

use graflow_lineage::store::Cursor;
use graflow_wire::ErrorBody;

/// What any read can answer instead.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "it only documents; the answers are made by `ApiError`")]
pub(crate) enum ReadErrors {
    /// A parameter is not known, does not fit, or the cursor is of another query.
    #[response(status = 400)]
    BadRequest(ErrorBody),
    /// The token is missing or wrong.
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// The `Host` or `Origin` is foreign.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// The store cannot be read.
    #[response(status = 500)]
    Internal(ErrorBody),
}

fn next_cursor(next: Option<Cursor>) -> Option<String> {
    next.map(|cursor| cursor.0)
}
