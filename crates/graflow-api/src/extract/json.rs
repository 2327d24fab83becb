use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::body::read_body;
use crate::error::ApiError;

/// Bytes of a small JSON body.
const MOST_BYTES: usize = 1 << 20;

const HINT: &str = "/docs shows what the body looks like";

/// A JSON body; what does not fit is an error that says where.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = read_body(request, MOST_BYTES).await?;
        // serde would read a list as the fields in their order: nobody means that.
        if body.trim_ascii_start().first() == Some(&b'[') {
            return Err(ApiError::bad_request("invalid_json", "expected an object, not a list", HINT));
        }
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| ApiError::bad_request("invalid_json", error.to_string(), HINT))
    }
}
