//! Every error has one shape: what is wrong, a code for programs, and what to do about it.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use graflow_lineage::ingest::BodyError;
use graflow_lineage::store::{AppendError, StoreError};
use graflow_wire::ErrorBody;

/// An answer that says no.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    error: Cow<'static, str>,
    hint: Cow<'static, str>,
    retry_after: Option<Duration>,
}

impl ApiError {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        error: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, error: error.into(), hint: hint.into(), retry_after: None }
    }

    pub(crate) fn bad_request(
        code: &'static str,
        error: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, error, hint)
    }

    pub(crate) fn execution_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "execution_not_found",
            "Execution not found",
            "GET /api/executions lists what is there; it may have been deleted, or its events are still on their way",
        )
    }

    pub(crate) fn not_found(what: &'static str, hint: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} not found"), hint)
    }

    pub(crate) fn bad_cursor() -> Self {
        StoreError::BadCursor.into()
    }

    pub(crate) fn unavailable(
        code: &'static str,
        error: impl Into<Cow<'static, str>>,
        retry_after: Duration,
    ) -> Self {
        let hint = "nothing of it was taken; send the same again after the time in Retry-After";
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, error, hint);
        error.retry_after = Some(retry_after);
        error
    }

    /// A fault of the server; what it is goes to the log, not to the caller.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed to answer",
            "its log says why; please report it",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            error: self.error.into_owned(),
            code: self.code.to_owned(),
            hint: self.hint.into_owned(),
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            // Whole seconds, and at least one: 0 would ask for a storm.
            let seconds = (wait.as_millis().div_ceil(1_000)).max(1);
            if let Ok(value) = HeaderValue::try_from(seconds.to_string()) {
                headers.insert(header::RETRY_AFTER, value);
            }
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BadCursor => Self::bad_request(
                "bad_cursor",
                error.to_string(),
                "pass `next_cursor` of the page before, with the same filters",
            ),
            StoreError::Append(error) => error.into(),
            StoreError::Damaged(_) | StoreError::Unreadable(_) => {
                let chain: &dyn std::error::Error = &error;
                tracing::error!(error = %error, source = ?chain.source(), "a read of the store failed");
                let text = error.to_string();
                let doctor = "`graflow lineage doctor` examines the data folder";
                let (message, hint) = match text.split_once("\nhint: ") {
                    Some((message, hint)) => (message.to_owned(), format!("{hint}; {doctor}")),
                    None => (text, doctor.to_owned()),
                };
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store_unreadable", message, hint)
            }
        }
    }
}

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Overloaded { retry_after } => {
                Self::unavailable("overloaded", error.to_string(), retry_after)
            }
            AppendError::Closed => {
                Self::unavailable("shutting_down", error.to_string(), Duration::from_secs(1))
            }
            AppendError::DiskFull => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "disk_full",
                error.to_string(),
                "nothing of it was taken; make room, or delete old executions, then send the same again",
            ),
            AppendError::Unwritable(_) => {
                tracing::error!(error = %error, "the log cannot be written");
                Self::unavailable("log_unwritable", error.to_string(), Duration::from_secs(30))
            }
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Broken(_) => Self::bad_request(
                "invalid_json",
                error.to_string(),
                "nothing of it was stored; send a JSON array of events, or one event a line (application/x-ndjson)",
            ),
            BodyError::NotEvents(_) => Self::bad_request(
                "not_events",
                error.to_string(),
                "spec/events.schema.json says what an event looks like",
            ),
            BodyError::TooMany => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_many_events",
                error.to_string(),
                "nothing of it was stored; send the events in several requests",
            ),
        }
    }
}
