use axum::extract::State;
use axum::{Extension, Json};
use graflow_model::Project;
use graflow_wire::ServerInfo;

use super::ReadErrors;
use crate::state::Api;

/// Version, instance, and the limits on what may be sent and asked for
#[utoipa::path(
    get,
    path = "/api/server",
    tag = "server",
    responses((status = 200, description = "The server.", body = ServerInfo), ReadErrors)
)]
pub(crate) async fn get_server(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
) -> Json<ServerInfo> {
    Json(ServerInfo {
        name: "graflow".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        instance_id: api.settings.instance_id.clone(),
        project,
        started_time: api.started,
        time: api.manager.clock().now(),
        last_seq: api.manager.store().last_seq(),
        viewers: api.manager.live().statistics().viewers,
        limits: api.settings.wire_limits(),
        retention: api.manager.store().statistics().retention.map(crate::convert::retention),
    })
}
