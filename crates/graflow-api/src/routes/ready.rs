use std::time::Duration;

use axum::Json;
use axum::extract::State;
use graflow_model::Seq;
use graflow_wire::{ErrorBody, Ready};

use crate::error::ApiError;
use crate::state::{Api, blocking};

/// Events that answers may be behind and the server still be called ready.
const MOST_BEHIND: u64 = 100_000;

/// Whether the server can be asked: the store is open and answers are not far behind
#[utoipa::path(
    get,
    path = "/ready",
    tag = "server",
    security(()),
    responses(
        (status = 200, description = "Ask.", body = Ready),
        (status = 503, description = "Not yet, or not any more.", body = ErrorBody),
    )
)]
pub(crate) async fn get_ready(State(api): State<Api>) -> Result<Json<Ready>, ApiError> {
    let wait = Duration::from_secs(1);
    if api.stop.is_cancelled() {
        return Err(ApiError::unavailable("shutting_down", "the server is shutting down", wait));
    }
    let manager = std::sync::Arc::clone(&api.manager);
    let statistics = blocking(move || manager.store().statistics()).await?;
    if statistics.last_seq.saturating_sub(statistics.applied_seq) > MOST_BEHIND {
        return Err(ApiError::unavailable("catching_up", "answers are far behind what came in", wait));
    }
    Ok(Json(Ready {
        status: "ready".to_owned(),
        last_seq: Seq(statistics.last_seq),
        applied_seq: Seq(statistics.applied_seq),
    }))
}
