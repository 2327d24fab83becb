use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The query, read into `T`: a parameter that is not known, is there twice or does not fit is an error that
/// names it.
pub(crate) struct Parameters<T>(pub(crate) T);

/// The same, with any number of `label.NAME=VALUE` beside.
pub(crate) struct LabelledParameters<T>(pub(crate) T, pub(crate) Vec<(String, String)>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for LabelledParameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let mut others = form_urlencoded::Serializer::new(String::new());
        let mut labels = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.strip_prefix("label.") {
                Some(label) => labels.push((label.to_owned(), value.into_owned())),
                None => {
                    others.append_pair(&name, &value);
                }
            }
        }
        Ok(Self(read(&others.finish())?, labels))
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|error| {
        let name = error.path().to_string();
        let message = error.inner().to_string().replacen(" field `", " parameter `", 1);
        let message =
            if name == "." || message.contains('`') { message } else { format!("{name}: {message}") };
        ApiError::bad_request("bad_parameter", message, "/docs lists the parameters of every path")
    })
}
