//! Connections that send as fast as they are answered.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::events::Events;
use crate::figures::per_second;

/// How it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) connections: u64,
    pub(crate) events_a_request: usize,
    pub(crate) names: u64,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Events that were acknowledged.
    pub(crate) events: u64,
    pub(crate) took: Duration,
    /// Requests that were told to come again.
    pub(crate) overloaded: u64,
    /// What each request took, sorted.
    pub(crate) latencies: Vec<Duration>,
}

impl Loaded {
    /// Events a second.
    pub(crate) fn rate(&self) -> f64 {
        per_second(self.events, self.took)
    }
}

/// Sends for so long.
pub(crate) async fn send(address: SocketAddr, shape: Shape, duration: Duration) -> anyhow::Result<Loaded> {
    let began = Instant::now();
    let until = began + duration;
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..shape.connections {
        tasks.spawn(send_on_one(address, connection, shape, until));
    }
    let mut loaded = Loaded { events: 0, took: Duration::ZERO, overloaded: 0, latencies: Vec::new() };
    while let Some(finished) = tasks.join_next().await {
        let one = finished??;
        loaded.events += one.events;
        loaded.overloaded += one.overloaded;
        loaded.latencies.extend(one.latencies);
    }
    loaded.took = began.elapsed();
    loaded.latencies.sort_unstable();
    Ok(loaded)
}

async fn send_on_one(
    address: SocketAddr,
    connection: u64,
    shape: Shape,
    until: Instant,
) -> anyhow::Result<Loaded> {
    let mut to = connect(address).await?;
    let mut events = Events::new(connection, shape.names);
    let mut loaded = Loaded { events: 0, took: Duration::ZERO, overloaded: 0, latencies: Vec::new() };
    let mut size = 0;
    while Instant::now() < until {
        let mut body = Vec::with_capacity(size);
        events.put(&mut body, shape.events_a_request);
        size = body.len();
        let body = Bytes::from(body);
        let asked = Instant::now();
        while ask(&mut to, address, body.clone()).await? == StatusCode::SERVICE_UNAVAILABLE {
            loaded.overloaded += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        loaded.latencies.push(asked.elapsed());
        loaded.events += shape.events_a_request as u64;
    }
    Ok(loaded)
}

/// A connection of its own, kept open.
pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.context("failed to connect")?;
    stream.set_nodelay(true)?;
    let (to, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the sender; what goes wrong on it, the sender hears.
    tokio::spawn(connection);
    Ok(to)
}

async fn ask(
    to: &mut SendRequest<Full<Bytes>>,
    address: SocketAddr,
    body: Bytes,
) -> anyhow::Result<StatusCode> {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/events")
        .header(HOST, address.to_string())
        .header(CONTENT_TYPE, "application/x-ndjson")
        .body(Full::new(body))?;
    to.ready().await?;
    let answer = to.send_request(request).await?;
    let status = answer.status();
    let said = answer.into_body().collect().await?.to_bytes();
    let fits = status == StatusCode::OK || status == StatusCode::SERVICE_UNAVAILABLE;
    ensure!(fits, "{status}: {}", String::from_utf8_lossy(&said));
    Ok(status)
}

/// The text at a path.
pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let mut to = connect(address).await?;
    let request = Request::builder().uri(path).header(HOST, address.to_string()).body(Full::default())?;
    let answer = to.send_request(request).await?;
    let status = answer.status();
    let said = answer.into_body().collect().await?.to_bytes();
    ensure!(status == StatusCode::OK, "{path}: {status}");
    Ok(String::from_utf8_lossy(&said).into_owned())
}
