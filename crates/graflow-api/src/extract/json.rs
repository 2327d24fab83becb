use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::body::read_body;
use crate::error::ApiError;

/// Bytes of a small JSON body.
const MOST_BYTES: usize = 1 << 20;

/// A JSON body; what does not fit is an error that says where.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = read_body(request, MOST_BYTES).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            ApiError::bad_request("invalid_json", error.to_string(), "/docs shows what the body looks like")
        })
    }
}
