//! Who may ask: token, host, origin, prefix, headers.

use axum::body::Body;
use axum::http::{Method, Request};
use graflow_api::{Settings, Token};

use crate::support::{Answer, TestApi};

const SECRET: &str = "0123456789abcdef";

async fn ask(api: &TestApi, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn token() {
    let api = TestApi::with(|settings| settings.token = Some(Token::new(SECRET).unwrap()));
    let right = format!("Bearer {SECRET}");
    for path in ["/api/executions", "/api/server", "/metrics", "/ws/lineage", "/api/executions/none"] {
        let answer = ask(&api, path, &[]).await;
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{path}");
        assert_eq!(answer.error(), "401 unauthorized", "{path}");
        assert_eq!(ask(&api, path, &[("authorization", "Bearer wrong")]).await.error(), "401 unauthorized");
        assert_ne!(ask(&api, path, &[("authorization", &right)]).await.status, 401, "{path}");
    }
    assert_eq!(api.post("/api/events", &[], "[]").await.error(), "401 unauthorized");
    for path in ["/health", "/ready", "/docs", "/openapi.json", "/"] {
        assert_eq!(ask(&api, path, &[]).await.status, 200, "{path}");
    }
}

/// The cookie buys a ticket; the ticket opens the live stream, for half a minute, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn the_stream_takes_a_ticket_and_no_cookie() {
    let api = TestApi::with(|settings| settings.token = Some(Token::new(SECRET).unwrap()));
    assert_eq!(api.post("/api/session/ticket", &[], "").await.error(), "401 unauthorized");
    let bearer = format!("Bearer {SECRET}");
    let answer = api.post("/api/session/ticket", &[("authorization", &bearer)], "").await.ok();
    assert_eq!(answer["expires_in"], 30);
    let protocol = format!("graflow, ticket.{}", answer["ticket"].as_str().unwrap());
    let said = [("sec-websocket-protocol", protocol.as_str())];
    // No handshake, but past the door.
    assert_eq!(ask(&api, "/ws/lineage", &said).await.error(), "400 no_websocket");
    assert_eq!(ask(&api, "/api/executions", &said).await.error(), "401 unauthorized");
    api.clock.advance_seconds(31);
    assert_eq!(ask(&api, "/ws/lineage", &said).await.error(), "401 unauthorized");
    assert_eq!(
        ask(&api, "/ws/lineage", &[("sec-websocket-protocol", "graflow, ticket.1.2")]).await.error(),
        "401 unauthorized"
    );
    // Without a token there is nothing to prove.
    let answer = TestApi::new().post("/api/session/ticket", &[], "").await.ok();
    assert_eq!(answer["ticket"], serde_json::Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn host_and_origin() {
    let api = TestApi::new();
    let cases: [(&[(&str, &str)], u16); 7] = [
        (&[("host", "localhost:8000")], 200),
        (&[("host", "127.0.0.1:9000")], 200),
        (&[("host", "rebound.example.org")], 403),
        (&[("host", "localhost:8000"), ("origin", "http://localhost:8000")], 200),
        (&[("host", "localhost:8000"), ("origin", "https://evil.example.org")], 403),
        (&[("host", "localhost:8000"), ("origin", "null")], 403),
        (&[("host", "rebound.example.org"), ("origin", "http://rebound.example.org")], 403),
    ];
    for (headers, expected) in cases {
        for path in ["/api/executions", "/health", "/docs", "/api/server"] {
            assert_eq!(ask(&api, path, headers).await.status, expected, "{path} {headers:?}");
        }
    }
    // A form of a foreign page gets no further than a foreign script.
    let headers =
        [("host", "localhost:8000"), ("origin", "https://evil.example.org"), ("content-type", "text/plain")];
    assert_eq!(api.post("/api/events", &headers, "[]").await.error(), "403 foreign_origin");
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_loopback_any_host_is_answered() {
    let api = TestApi::with(|settings| {
        settings.host = "0.0.0.0".to_owned();
        settings.token = Some(Token::new(SECRET).unwrap());
    });
    assert_eq!(ask(&api, "/health", &[("host", "lineage.example.org")]).await.status, 200);
    let foreign = [("host", "lineage.example.org"), ("origin", "https://evil.example.org")];
    assert_eq!(ask(&api, "/health", &foreign).await.error(), "403 foreign_origin");
}

#[tokio::test(flavor = "multi_thread")]
async fn cors_is_closed_until_an_origin_is_named() {
    let origin = "https://ops.example.org";
    let ask = async |api: &TestApi, origin: &str| {
        let request = Request::builder()
            .method(Method::OPTIONS)
            .uri("/api/events")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization")
            .body(Body::empty())
            .unwrap();
        api.send(request).await.headers.get("access-control-allow-origin").cloned()
    };
    assert_eq!(ask(&TestApi::new(), origin).await, None);
    let api = TestApi::with(|settings: &mut Settings| settings.cors_origins.push(origin.to_owned()));
    assert_eq!(ask(&api, origin).await.unwrap(), origin);
    assert_eq!(ask(&api, "https://evil.example.org").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn prefix() {
    let api = TestApi::with(|settings| settings.path_prefix = "/lineage".to_owned());
    assert_eq!(api.get("/lineage/health").await.status, 200);
    assert_eq!(api.get("/lineage/api/executions").await.status, 200);
    assert_eq!(api.get("/api/executions").await.error(), "404 no_such_path");
    assert_eq!(api.get("/lineage/nowhere").await.error(), "404 no_such_path");
    assert_eq!(api.get("/lineage/openapi.json").await.ok()["servers"][0]["url"], "/lineage");
}

/// The link that a program prints for its run.
#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_an_execution_leads_to_what_is_known_of_it() {
    let api = TestApi::with(|settings| settings.path_prefix = "/lineage".to_owned());
    let answer = api.get("/lineage/executions/a%2Fb").await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.headers["location"], "/lineage/api/executions/a%2Fb");
}

#[tokio::test(flavor = "multi_thread")]
async fn security_headers() {
    let api = TestApi::new();
    for path in ["/", "/docs", "/health", "/nowhere", "/api/executions"] {
        let headers = api.get(path).await.headers;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert!(
            headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"),
            "{path}"
        );
    }
}

/// Pages hold everything they need: no script, nothing from outside.
#[tokio::test(flavor = "multi_thread")]
async fn pages_are_self_contained() {
    let api = TestApi::new();
    let docs = api.get("/docs").await.text;
    for word in ["/api/executions/{id}/data", "/ws/lineage", "TaskExecution", "next_cursor"] {
        assert!(docs.contains(word), "{word}");
    }
    for page in [docs, api.get("/").await.text] {
        for outside in ["<script", "src=", "http://fonts", "https://", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
