use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use graflow_model::Project;

use crate::error::ApiError;
use crate::settings::Token;
use crate::state::Api;
use crate::web::{TicketOffice, is_signed_in};

/// How a program in a browser, which cannot set headers on a WebSocket, says its token: `bearer.` and the token, percent-encoded.
const SUBPROTOCOL: &str = "bearer.";
/// How the pages, which know no token, say their ticket.
const TICKET: &str = "ticket.";

/// Lets through who knows the token, and says which project they may see.
pub(crate) async fn require_token(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let may = |token: &Token| {
        // A cookie goes along by itself, a ticket does not: the stream, which answers to no `fetch` rules, wants the ticket.
        knows(token, headers)
            || if is_stream(request.uri().path()) {
                subprotocol(headers, TICKET)
                    .is_some_and(|ticket| TicketOffice::new(token).accepts(ticket, api.manager.clock().now()))
            } else {
                is_signed_in(token, headers)
            }
    };
    if !api.settings.token.as_ref().is_none_or(may) {
        return ApiError::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the token is missing or wrong",
            "send `Authorization: Bearer TOKEN`; clients read GRAFLOW_LINEAGE_TOKEN",
        )
        .into_response();
    }
    // One project for all, until tokens name theirs.
    request.extensions_mut().insert(Project::default());
    next.run(request).await
}

fn knows(token: &Token, headers: &HeaderMap) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).and_then(|value| {
        let (scheme, candidate) = value.split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| candidate.trim_ascii())
    });
    if let Some(candidate) = bearer {
        return token.matches(candidate);
    }
    subprotocol(headers, SUBPROTOCOL).is_some_and(|candidate| token.matches(&percent_decoded(candidate)))
}

/// What stands behind the beginning of a subprotocol.
fn subprotocol<'a>(headers: &'a HeaderMap, beginning: &str) -> Option<&'a str> {
    let protocols = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let protocols = protocols.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    protocols.map(str::trim).find_map(|protocol| protocol.strip_prefix(beginning))
}

fn is_stream(path: &str) -> bool {
    path.ends_with("/ws/lineage")
}

fn percent_decoded(text: &str) -> Vec<u8> {
    // In a form `+` is a space; in a token it is itself.
    let text = text.replace('+', "%2B");
    let pairs = format!("t={text}");
    form_urlencoded::parse(pairs.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned().into_bytes())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_subprotocol() {
        let token = Token::new("0123456789+/abc=").unwrap();
        let with = |name: header::HeaderName, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            knows(&token, &headers)
        };
        assert!(with(header::AUTHORIZATION, "Bearer 0123456789+/abc="));
        assert!(with(header::AUTHORIZATION, "bearer  0123456789+/abc="));
        assert!(!with(header::AUTHORIZATION, "Bearer"));
        assert!(!with(header::AUTHORIZATION, "Basic 0123456789+/abc="));
        assert!(!with(header::AUTHORIZATION, "Bearer 0123456789+/abc"));
        assert!(with(header::SEC_WEBSOCKET_PROTOCOL, "graflow, bearer.0123456789%2B%2Fabc%3D"));
        assert!(!with(header::SEC_WEBSOCKET_PROTOCOL, "graflow"));
        assert!(!with(header::SEC_WEBSOCKET_PROTOCOL, "bearer."));
        assert!(!knows(&token, &HeaderMap::new()));
    }
}
