use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use graflow_model::limits::NAME_BYTES;

use crate::error::ApiError;

/// The id or name in the path.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let hint = "percent-encode what is not plain in a path";
        let Path(name) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::bad_request("bad_path", error.body_text(), hint))?;
        if name.len() > NAME_BYTES {
            return Err(ApiError::bad_request("bad_path", "the name is longer than any can be", hint));
        }
        Ok(Self(name))
    }
}
