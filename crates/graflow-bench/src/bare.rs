//! The reference: an axum handler that parses the same bodies and drops them.

use std::hint::black_box;
use std::net::Ipv4Addr;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The envelope of an event, borrowed from the body: the cheapest reading that still knows what it read.
#[derive(Deserialize)]
#[expect(dead_code, reason = "it is read to be dropped")]
struct Envelope<'a> {
    event_id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    time: &'a str,
    execution_id: &'a str,
    workflow_name: &'a str,
    producer: &'a str,
    producer_seq: u64,
    mono_us: i64,
    #[serde(default)]
    task_id: Option<&'a str>,
    #[serde(default)]
    task_execution_id: Option<&'a str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// Serves until it is killed; says its address first.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("http://{}", listener.local_addr()?);
    let app = axum::Router::new().route("/api/events", post(drop_events));
    Ok(axum::serve(listener, app).await?)
}

async fn drop_events(body: Bytes) -> StatusCode {
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice::<Envelope<'_>>(line) {
            Ok(envelope) => _ = black_box(&envelope),
            Err(_) => return StatusCode::BAD_REQUEST,
        }
    }
    StatusCode::OK
}
