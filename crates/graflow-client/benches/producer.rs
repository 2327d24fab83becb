//! What producing costs: nanoseconds of the caller's thread for each event, and events a second through to a server
//! that parses and counts them. Prints figures; nothing is asserted.
//!
//! `cargo bench -p graflow-client`

#![expect(clippy::unwrap_used, reason = "a set-up that fails ends the benchmark")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use graflow_client::{Answer, Delivery, Endpoint, Post, Producer, Settings, Transport};
use graflow_model::event::TaskCompleted;
use graflow_model::{Event, EventType, Timestamp};
use graflow_wire::PostAnswer;

fn event(n: u64) -> Event {
    let mut event =
        Event::new(format!("0193-{n}").into(), EventType::TaskCompleted, Timestamp::from_micros(1));
    event.execution_id = Some("01936f3e-1111-7222-8333-444455556666".into());
    event.workflow_name = Some("etl".into());
    event.task_id = Some("validate".into());
    event.task_execution_id = Some(format!("01936f3e.{n}").into());
    event.iteration = Some(0);
    event.attempt = Some(1);
    event.mono_us = Some(8_812_345);
    event.with_data(&TaskCompleted { result_size: Some(120), ..TaskCompleted::default() })
}

/// Takes everything at once.
#[derive(Debug)]
struct Nowhere;

impl Transport for Nowhere {
    fn post(&mut self, post: Post) -> Delivery {
        let answer = PostAnswer { accepted: post.events as u64, ..PostAnswer::default() };
        Box::pin(std::future::ready(Answer::Taken(answer)))
    }
}

async fn count(body: Bytes) -> String {
    let mut accepted = 0;
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        accepted += u64::from(Event::from_json(line).is_ok());
    }
    let answer = PostAnswer { accepted, ..PostAnswer::default() };
    serde_json::to_string(&answer).unwrap_or_default()
}

fn start_server() -> Endpoint {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let router = Router::new()
                .route("/api/events", post(count))
                .layer(axum::extract::DefaultBodyLimit::max(64 << 20));
            axum::serve(listener, router).await.unwrap();
        });
    });
    Endpoint::parse(&format!("http://{address}")).unwrap()
}

fn settings(spool: Option<&std::path::Path>) -> Settings {
    Settings {
        spool: spool.map(Into::into),
        queue_events: 1_000_000,
        queue_bytes: 1 << 30,
        ..Settings::default()
    }
}

/// Prepares the events first, so that only `send` is on the clock.
fn run(name: &str, producer: &Producer, events: u64) {
    producer.send(event(0));
    producer.flush(Duration::from_secs(10));
    let prepared: Vec<Event> = (0..events).map(event).collect();
    let began = Instant::now();
    for event in prepared {
        producer.send(event);
    }
    let sent = began.elapsed();
    let outcome = producer.flush(Duration::from_mins(2));
    let all = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (per_event, per_second) = (sent.as_nanos() as f64 / events as f64, events as f64 / all.as_secs_f64());
    println!(
        "{name:<28} send {per_event:>6.0} ns/event   {per_second:>9.0} events/s through   {outcome:?}, {} requests, {} dropped",
        producer.statistics().requests,
        producer.statistics().dropped,
    );
}

/// One event at a time with pauses in between, as a workflow does: what `send` costs then.
fn paced(producer: &Producer, pause: Duration, events: u32) {
    let mut total = Duration::ZERO;
    let mut longest = Duration::ZERO;
    for n in 0..events {
        let event = event(n.into());
        let began = Instant::now();
        producer.send(event);
        let took = began.elapsed();
        total += took;
        longest = longest.max(took);
        std::thread::sleep(pause);
    }
    println!(
        "one event each {pause:<13?} send {:>6} ns/event   longest {longest:?}",
        total.as_nanos() / u128::from(events)
    );
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let events = 300_000;
    let nowhere = || Producer::new(settings(None), Arc::new(|| Box::new(Nowhere)));
    run("no spool, no network", &nowhere(), events);
    let spooled = Producer::new(settings(Some(folder.path())), Arc::new(|| Box::new(Nowhere)));
    run("spool, no network", &spooled, events);
    let endpoint = start_server();
    run("no spool, loopback HTTP", &Producer::to_server(endpoint.clone(), settings(None)), events);
    run("spool, loopback HTTP", &Producer::to_server(endpoint, settings(Some(folder.path()))), events);
    let dead = Endpoint::parse("http://127.0.0.1:9").unwrap();
    run("spool, dead server", &Producer::to_server(dead, settings(Some(folder.path()))), events);
    let producer = nowhere();
    paced(&producer, Duration::from_micros(100), 5_000);
    paced(&producer, Duration::from_millis(1), 1_000);
    paced(&producer, Duration::from_millis(200), 20);

    let lines: Vec<u8> = (0..5_000).flat_map(|n| (event(n).to_json() + "\n").into_bytes()).collect();
    for level in [1, 3] {
        let began = Instant::now();
        let compressed = zstd::bulk::compress(&lines, level).unwrap();
        println!(
            "zstd level {level}: {} -> {} bytes in {:?}",
            lines.len(),
            compressed.len(),
            began.elapsed()
        );
    }
}
