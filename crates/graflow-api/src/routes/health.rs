use axum::Json;
use graflow_wire::Health;

/// Whether the process lives
#[utoipa::path(
    get,
    path = "/health",
    tag = "server",
    security(()),
    responses((status = 200, description = "It answers.", body = Health))
)]
pub(crate) async fn get_health() -> Json<Health> {
    Json(Health { status: "healthy".to_owned() })
}
