//! Who asks from a browser: a page from elsewhere must not reach a server on this machine.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::error::ApiError;
use crate::settings::{Settings, is_loopback_name};
use crate::state::Api;

/// Refuses a foreign `Host` while the server listens on loopback (a name that was bent to this machine), and a
/// foreign `Origin` always.
pub(crate) async fn require_known_host(State(api): State<Api>, request: Request, next: Next) -> Response {
    match check(&api.settings, request.headers(), request.uri().host()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(settings: &Settings, headers: &HeaderMap, uri_host: Option<&str>) -> Result<(), ApiError> {
    let header_host = headers.get(header::HOST).map(HeaderValue::as_bytes).map(String::from_utf8_lossy);
    let authority = header_host.as_deref().or(uri_host);
    // Browsers always say a host; what comes without one is no browser, or asks in-process.
    if let Some(authority) = authority.filter(|_| settings.is_loopback()) {
        let host = without_port(authority);
        let known = is_loopback_name(host)
            || settings.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host));
        if !known {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "foreign_host",
                format!(
                    "this server does not answer to the host `{}`",
                    host.chars().take(255).collect::<String>()
                ),
                "use 127.0.0.1 or localhost, or name the host when starting the server",
            ));
        }
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = String::from_utf8_lossy(origin.as_bytes());
    let own = origin.split_once("://").is_some_and(|(_, host)| authority == Some(host));
    if own || settings.cors_origins.iter().any(|allowed| allowed.as_str() == origin) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "foreign_origin",
        format!("pages of `{}` may not ask this server", origin.chars().take(255).collect::<String>()),
        "name the origin when starting the server (--cors-origin)",
    ))
}

fn without_port(authority: &str) -> &str {
    if let Some(end) = authority.find(']') {
        return &authority[..=end];
    }
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

/// Answers browsers' questions beforehand; nothing when no origin is allowed.
pub(crate) fn cors(settings: &Settings) -> CorsLayer {
    let origins = settings.cors_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::CONTENT_ENCODING])
        .expose_headers([header::RETRY_AFTER])
        .max_age(std::time::Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(host: Option<&str>, origin: Option<&str>) -> &'static str {
        let mut settings = Settings::local("test");
        settings.cors_origins.push("https://ops.example.org".to_owned());
        settings.allowed_hosts.push("lineage.internal".to_owned());
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        match check(&settings, &headers, None) {
            Ok(()) => "ok",
            Err(_) => "refused",
        }
    }

    #[test]
    fn hosts() {
        for host in
            ["localhost", "localhost:8000", "127.0.0.1:9", "[::1]:8000", "[::1]", "lineage.internal:1"]
        {
            assert_eq!(verdict(Some(host), None), "ok", "{host}");
        }
        assert_eq!(verdict(None, None), "ok");
        for host in ["evil.example.org", "evil.example.org:8000", "127.0.0.1.evil.org", "", "0.0.0.0:8000"] {
            assert_eq!(verdict(Some(host), None), "refused", "{host}");
        }
    }

    #[test]
    fn origins() {
        let host = Some("localhost:8000");
        for origin in ["http://localhost:8000", "https://ops.example.org"] {
            assert_eq!(verdict(host, Some(origin)), "ok", "{origin}");
        }
        for origin in
            ["http://localhost:3000", "null", "https://evil.example.org", "http://127.0.0.1:8000", ""]
        {
            assert_eq!(verdict(host, Some(origin)), "refused", "{origin}");
        }
    }
}
