use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use crate::state::Api;

/// One line a request: at debug, and as a warning when it was slow or the server's fault.
pub(crate) async fn log_request(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let began = Instant::now();
    api.heard();
    let response = next.run(request).await;
    let (status, took) = (response.status(), began.elapsed());
    let duration_ms = took.as_secs_f64() * 1_000.0;
    let status_code = status.as_u16();
    // A WebSocket's upgrade is answered at once, so that a long stream is not a slow answer.
    if took >= api.settings.slow || (status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE) {
        tracing::warn!(
            http.method = %method, http.path = %path, http.status = status_code, duration_ms,
            "{method} {path} answered {status_code} after {duration_ms:.0} ms"
        );
    } else {
        tracing::debug!(
            http.method = %method, http.path = %path, http.status = status_code, duration_ms,
            "{method} {path} answered {status_code} after {duration_ms:.1} ms"
        );
    }
    response
}
