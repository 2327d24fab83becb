//! What producing costs: CPU time of the caller's thread for each event, and events a second through to a server
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
        queue_items: 1_000_000,
        memory_bytes: 1 << 30,
        queue_bytes: 1 << 30,
        ..Settings::default()
    }
}

/// CPU time of this thread: what `send` takes from its caller, whatever else runs on the machine.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Everything as fast as it goes: events a second until all are delivered.
fn throughput(name: &str, producer: &Producer, events: u64) {
    producer.send(event(0));
    producer.flush(Duration::from_secs(10));
    let prepared: Vec<Event> = (0..events).map(event).collect();
    let began = Instant::now();
    for event in prepared {
        producer.send(event);
    }
    let outcome = producer.flush(Duration::from_mins(2));
    let took = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let per_second = events as f64 / took.as_secs_f64();
    let statistics = producer.statistics();
    println!(
        "{name:<28} {per_second:>9.0} events/s   {outcome:?}, {} requests, {} dropped",
        statistics.requests, statistics.dropped,
    );
}

/// Some events, then a pause, as workflows do: what `send` takes from its caller. Only `send` is on the clock.
fn cost(name: &str, producer: &Producer, send: impl Fn(Event), at_once: u64, pause: Duration, rounds: u64) {
    producer.send(event(0));
    producer.flush(Duration::from_secs(10));
    let (mut cpu, mut longest) = (Duration::ZERO, Duration::ZERO);
    for round in 0..rounds {
        let prepared: Vec<Event> = (0..at_once).map(|n| event(round * at_once + n)).collect();
        let (began, began_cpu) = (Instant::now(), thread_time());
        for event in prepared {
            send(event);
        }
        cpu += thread_time().saturating_sub(began_cpu);
        longest = longest.max(began.elapsed());
        std::thread::sleep(pause);
    }
    println!(
        "{name:<14} {at_once:>5} events each {pause:<8?} {:>6} ns CPU/event   longest round {longest:?}",
        cpu.as_nanos() / u128::from(at_once * rounds),
    );
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    // `cargo bench` says `--bench`; a test of the benchmarks only wants to see that they run.
    let shorter = if std::env::args().any(|argument| argument == "--bench") { 1 } else { 20 };
    let events = 300_000 / shorter;
    let nowhere = || Producer::new(settings(None), Arc::new(|| Box::new(Nowhere)));
    for (at_once, pause, rounds) in [(1_000, 5, 200), (100, 1, 500), (1, 1, 1_000), (1, 200, 20)] {
        let producer = nowhere();
        let pause = Duration::from_millis(pause);
        let feed = producer.feed();
        let rounds = rounds / shorter;
        cost("Feed::send", &producer, |event| feed.send(event), at_once, pause, rounds);
        cost("Producer::send", &producer, |event| producer.send(event), at_once, pause, rounds);
    }
    throughput("no spool, no network", &nowhere(), events);
    let spooled = Producer::new(settings(Some(folder.path())), Arc::new(|| Box::new(Nowhere)));
    throughput("spool, no network", &spooled, events);
    let endpoint = start_server();
    throughput("no spool, loopback HTTP", &Producer::to_server(endpoint.clone(), settings(None)), events);
    throughput("spool, loopback HTTP", &Producer::to_server(endpoint, settings(Some(folder.path()))), events);
    let dead = Endpoint::parse("http://127.0.0.1:9").unwrap();
    throughput("spool, dead server", &Producer::to_server(dead, settings(Some(folder.path()))), events);

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
