use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use graflow_lineage::live::Filter;
use graflow_model::{ExecutionId, Project, Seq, WorkflowName};
use graflow_wire::{ErrorBody, Message};
use serde::Deserialize;
use utoipa::IntoParams;

use super::session;
use crate::error::ApiError;
use crate::extract::Parameters;
use crate::state::Api;

/// What this server speaks; a browser that says its token as a subprotocol must be answered with one.
const SUBPROTOCOL: &str = "graflow";
/// Viewers have nothing to say; what they send is thrown away, and this is the most of it at once.
const MOST_INCOMING_BYTES: usize = 16 * 1024;
/// Kept small, since there may be thousands of viewers.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Written at once.
const WRITE_BUFFER_BYTES: usize = 32 * 1024;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FollowParameters {
    /// Only this execution; the greeting carries all of it.
    execution_id: Option<ExecutionId>,
    /// Only executions of this workflow.
    workflow_name: Option<WorkflowName>,
    /// Go on after this number.
    after: Option<Seq>,
}

/// Changes as they happen (WebSocket)
///
/// The first message is `hello`. Every event that is on disk follows once, with the rows that it changed; a `ping`
/// each second says up to where everything has been told. A viewer that is too slow gets one `resync` and goes on.
/// Browsers say a ticket as a subprotocol: `["graflow", "ticket." + ticket]`, or the token: `"bearer." + encodeURIComponent(token)`.
#[utoipa::path(
    get,
    path = "/ws/lineage",
    tag = "live",
    params(FollowParameters),
    responses(
        (status = 101, description = "The stream: text messages, each one `Message`.", body = Message),
        (status = 400, description = "A parameter does not fit, or this is no WebSocket handshake.", body = ErrorBody),
        (status = 401, description = "The token is missing or wrong.", body = ErrorBody),
        (status = 403, description = "The `Host` or `Origin` is foreign.", body = ErrorBody),
    )
)]
pub(crate) async fn follow(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Parameters(parameters): Parameters<FollowParameters>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|error| {
        ApiError::bad_request(
            "no_websocket",
            error.body_text(),
            "open it with a WebSocket client: `graflow lineage watch`",
        )
    })?;
    let filter = Filter { execution_id: parameters.execution_id, workflow_name: parameters.workflow_name };
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(MOST_INCOMING_BYTES)
        .max_frame_size(MOST_INCOMING_BYTES);
    let tracked = api.viewers.token();
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _tracked = tracked;
        session::run(api, socket, project, filter, parameters.after).await;
    }))
}
