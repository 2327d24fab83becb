//! How a person in a browser shows the token: once, for a cookie that no script can read.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::settings::Token;
use crate::state::Api;

const COOKIE: &str = "graflow_session";
/// A month, in seconds.
const KEPT: u32 = 30 * 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    token: String,
}

/// Takes the token, gives the cookie. Other pages cannot make a browser send it (`SameSite=Strict`). The live stream wants a
/// ticket, which the cookie buys.
pub(crate) async fn sign_in(
    State(api): State<Api>,
    JsonBody(said): JsonBody<SignIn>,
) -> Result<Response, ApiError> {
    let mut response = Json(serde_json::json!({})).into_response();
    let Some(token) = &api.settings.token else { return Ok(response) };
    if !token.matches(said.token.trim().as_bytes()) {
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "this is not the token",
            "it is what the server was started with: --token-file or GRAFLOW_LINEAGE_TOKEN",
        ));
    }
    let path = &api.settings.path_prefix;
    let secret = secret(token);
    let cookie = format!("{COOKIE}={secret}; Path={path}/; Max-Age={KEPT}; HttpOnly; SameSite=Strict");
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| ApiError::internal())?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Whether a request carries the cookie.
pub(crate) fn is_signed_in(token: &Token, headers: &HeaderMap) -> bool {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.any(|(name, value)| name == COOKIE && is_same(value.as_bytes(), secret(token).as_bytes()))
}

/// Follows from the token, and does not tell it: the server keeps no list of sessions, and a new token ends them all.
fn secret(token: &Token) -> String {
    blake3::Hash::from_bytes(blake3::derive_key("graflow lineage 2026 session cookie", token.as_bytes()))
        .to_hex()
        .to_string()
}

/// In a time that does not depend on how much is right.
fn is_same(candidate: &[u8], secret: &[u8]) -> bool {
    let differences = secret.iter().zip(candidate).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(differences) == 0 && secret.len() == candidate.len()
}
