use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::index::index;
use super::pages::Pages;
use crate::documentation;
use crate::error::ApiError;
use crate::state::{Api, blocking};

/// The pages run their own script and nothing else, look nowhere but here, and are not framed.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
);
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// Names under `assets` carry a hash of what is in the file.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Whether these settings have pages to show.
pub(crate) fn has_pages(pages: &Pages) -> bool {
    pages.exist()
}

/// Any page; without pages, what this server is and how to build them.
pub(crate) async fn page(State(api): State<Api>) -> Result<Response, ApiError> {
    let asked = api.clone();
    let text = blocking(move || index(&asked.settings.pages, &asked.settings)).await?;
    Ok(match text {
        Some(text) => {
            let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, ASK_AGAIN)];
            (headers, Html(text)).into_response()
        }
        None => Html(documentation::home_page(&api.settings)).into_response(),
    })
}

/// Where programs and commands send people to look at an execution. Who does not ask for a page, or where there
/// is none, is led to what REST says of it.
pub(crate) async fn page_or_redirect(
    State(api): State<Api>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if api.settings.pages.exist() && accepts.contains("text/html") {
        return page(State(api)).await;
    }
    Ok(Redirect::to(&format!("{}/api{}", api.settings.path_prefix, uri.path())).into_response())
}

/// A file beside index.html.
pub(crate) async fn file_in_root(
    State(api): State<Api>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let name = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    file(api, name, headers, ASK_AGAIN).await
}

/// A file with a hash in its name.
pub(crate) async fn file_in_assets(
    State(api): State<Api>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    file(api, format!("assets/{name}"), headers, FOR_EVER).await
}

async fn file(api: Api, path: String, headers: HeaderMap, cache: HeaderValue) -> Result<Response, ApiError> {
    let nothing = || ApiError::not_found("page", "load the page again: the server was built anew");
    let name = path.strip_prefix("assets/").unwrap_or(&path);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.starts_with('.') || !name.bytes().all(plain) {
        return Err(nothing());
    }
    let kind = content_type(name).ok_or_else(nothing)?;
    let file = blocking(move || api.settings.pages.file(&path, |encoding| accepts(&headers, encoding)));
    let file = file.await?.ok_or_else(nothing)?;
    let mut response = (StatusCode::OK, file.bytes.into_owned()).into_response();
    let mut set = |name: HeaderName, value: HeaderValue| _ = response.headers_mut().insert(name, value);
    set(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    set(header::CACHE_CONTROL, cache);
    set(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = file.encoding {
        set(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Ok(response)
}

fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit('.').next()? {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

/// Whether `Accept-Encoding` names it, and not only to refuse it.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| {
        let mut words = part.split(';').map(str::trim);
        words.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding))
            && !words.any(|word| {
                word.strip_prefix("q=")
                    .is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        let said = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            accepts(&headers, "br")
        };
        for value in ["br", "gzip, deflate, br, zstd", "gzip;q=0.5,br;q=0.1", "BR"] {
            assert!(said(value), "{value}");
        }
        for value in ["", "gzip", "br;q=0", "br; q=0.0, gzip", "brotli"] {
            assert!(!said(value), "{value}");
        }
    }
}
