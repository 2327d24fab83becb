//! `POST /api/events`.

use std::io;
use std::time::Duration;

use graflow_wire::{ErrorBody, PostAnswer};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};

use crate::endpoint::{Endpoint, http_client};
use crate::transport::{Answer, Delivery, Post, Transport};

/// From this size on, a request to another machine is compressed.
const COMPRESS_BYTES: usize = 1_024;
/// zstd's fastest ordinary level: about 8 times smaller at some 500 MB/s for events.
const COMPRESSION_LEVEL: i32 = 1;
/// How long to leave a server alone that does not let us in.
const DENIED_WAIT: Duration = Duration::from_secs(30);
/// An answer longer than this is not from our server.
const LONGEST_ANSWER: usize = 16 << 20;

/// Delivers to a server.
#[derive(Debug)]
pub struct HttpTransport {
    endpoint: Endpoint,
    timeout: Duration,
    http: Option<reqwest::Client>,
}

impl HttpTransport {
    /// Delivers to that server; a request that takes longer than `timeout` is given up.
    pub fn new(endpoint: Endpoint, timeout: Duration) -> Self {
        Self { endpoint, timeout, http: None }
    }

    fn client(&mut self) -> reqwest::Result<reqwest::Client> {
        if let Some(http) = &self.http {
            return Ok(http.clone());
        }
        let http = http_client(&self.endpoint, Some(self.timeout))?;
        self.http = Some(http.clone());
        Ok(http)
    }
}

impl Transport for HttpTransport {
    fn post(&mut self, post: Post) -> Delivery {
        let http = match self.client() {
            Ok(http) => http,
            Err(error) => return later(None, format!("no HTTP client: {error}")),
        };
        // The project is not sent: over HTTP it follows from the token.
        let body = post.body;
        let mut request =
            http.post(self.endpoint.url("/api/events")).header(CONTENT_TYPE, "application/x-ndjson");
        if let Some(token) = self.endpoint.token() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        // On one machine compressing costs more than the copy that it saves.
        let body = if body.len() >= COMPRESS_BYTES && !self.endpoint.is_loopback() {
            match zstd::bulk::compress(&body, COMPRESSION_LEVEL) {
                Ok(compressed) => {
                    request = request.header(CONTENT_ENCODING, "zstd");
                    compressed
                }
                Err(_) => body,
            }
        } else {
            body
        };
        Box::pin(async move {
            match request.body(body).send().await {
                Ok(response) => answer(response).await,
                Err(error) => Answer::Later { retry_after: None, reason: reason(&error) },
            }
        })
    }
}

fn later(retry_after: Option<Duration>, reason: String) -> Delivery {
    Box::pin(std::future::ready(Answer::Later { retry_after, reason }))
}

/// What the server said, and whether it was our server at all: a stranger's answer never costs an event.
async fn answer(mut response: reqwest::Response) -> Answer {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| seconds(value.to_str().ok()?));
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST_ANSWER => body.extend_from_slice(&chunk),
            Ok(Some(_)) => {
                let reason = format!("status {status} with an endless body");
                return Answer::Later { retry_after, reason };
            }
            Ok(None) => break,
            Err(error) => return Answer::Later { retry_after, reason: reason(&error) },
        }
    }
    read_answer(status, retry_after, &body)
}

fn read_answer(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Answer {
    let refusal: Option<ErrorBody> = serde_json::from_slice(body).ok();
    let said = refusal.map(|refusal| format!("{} ({}); {}", refusal.error, refusal.code, refusal.hint));
    if status.is_success() {
        return match serde_json::from_slice::<PostAnswer>(body) {
            Ok(answer) => Answer::Taken(answer),
            Err(_) => Answer::Later { retry_after, reason: format!("status {status} but no receipt") },
        };
    }
    match (status, said) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, said) => Answer::Later {
            retry_after: Some(retry_after.unwrap_or(DENIED_WAIT)),
            reason: format!("{}; set GRAFLOW_LINEAGE_TOKEN", said.unwrap_or_else(|| status.to_string())),
        },
        (
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY,
            Some(said),
        ) => Answer::Refused { reason: said },
        (_, said) => {
            let reason = said.map_or_else(|| format!("status {status}"), |said| format!("{status}: {said}"));
            Answer::Later { retry_after, reason }
        }
    }
}

/// `Retry-After` in seconds; the form with a date is not used by our server.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The innermost cause in words: what a person can act on.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the server does not answer in time".into();
    }
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut last = String::new();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>()
            && io.kind() == io::ErrorKind::ConnectionRefused
        {
            return "nothing listens there (connection refused)".into();
        }
        last = cause.to_string();
        source = cause.source();
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str) -> Answer {
        read_answer(StatusCode::from_u16(status).unwrap(), None, body.as_bytes())
    }

    #[test]
    fn answers_are_told_apart() {
        let receipt = r#"{"accepted":2,"duplicates":1,"invalid":[{"index":0,"code":"too_large","message":"m"}],"last_seq":9}"#;
        let Answer::Taken(receipt) = check(200, receipt) else { panic!() };
        assert_eq!((receipt.accepted, receipt.duplicates, receipt.invalid.len()), (2, 1, 1));
        let error = r#"{"error":"too big","code":"too_large","hint":"send less"}"#;
        for status in [400, 413, 422] {
            let reason = "too big (too_large); send less".into();
            assert_eq!(check(status, error), Answer::Refused { reason }, "{status}");
        }
        for (status, body) in [
            (200, r#"{"status":"healthy"}"#),
            (200, "<html>"),
            (204, ""),
            (302, ""),
            (400, "bad request"),
            (404, r#"{"detail":"Not Found"}"#),
            (404, error),
            (405, error),
            (413, ""),
            (429, error),
            (500, error),
            (503, error),
            (507, error),
        ] {
            assert!(matches!(check(status, body), Answer::Later { .. }), "{status} {body}");
        }
        for status in [401, 403] {
            let Answer::Later { retry_after, .. } = check(status, error) else { panic!() };
            assert_eq!(retry_after, Some(DENIED_WAIT));
        }
    }

    #[test]
    fn retry_after() {
        assert_eq!(seconds("2"), Some(Duration::from_secs(2)));
        assert_eq!(seconds(" 0.25 "), Some(Duration::from_millis(250)));
        for bad in ["", "-1", "nan", "Wed, 21 Oct 2026 07:28:00 GMT", "1e300"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
