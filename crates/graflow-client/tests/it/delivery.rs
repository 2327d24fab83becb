//! Events arrive, whatever the server does.

use std::time::{Duration, Instant};

use graflow_client::{Outcome, Producer, Reach};
use graflow_model::{Event, EventType};

use crate::server::{Mood, TestServer};
use crate::{event, eventually, settings};

const SOON: Duration = Duration::from_secs(10);

fn send(producer: &Producer, events: std::ops::Range<usize>) {
    for n in events {
        producer.send(event(n.to_string()));
    }
}

/// Every event once, numbered without gaps in the order they were sent.
#[track_caller]
fn assert_in_order(server: &TestServer, count: usize) {
    let stored = server.stored();
    let ids: Vec<usize> = stored
        .arrival
        .iter()
        .map(|key| stored.events[key]["event_id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(ids, (0..count).collect::<Vec<_>>());
    let numbers: Vec<u64> = stored.arrival.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, (1..=count as u64).collect::<Vec<_>>());
}

#[test]
fn everything_arrives_in_order_and_the_spool_is_empty_afterwards() {
    let server = TestServer::start(Mood::Good);
    let folder = tempfile::tempdir().unwrap();
    let producer = Producer::to_server(server.endpoint(), settings(Some(folder.path())));
    send(&producer, 0..20_000);
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    assert_in_order(&server, 20_000);
    let statistics = producer.statistics();
    assert_eq!((statistics.offered, statistics.delivered, statistics.dropped), (20_000, 20_000, 0));
    assert_eq!((statistics.queued, statistics.pending, statistics.spool_bytes), (0, 0, 0));
    assert!(server.stored().encodings.iter().all(Option::is_none), "loopback is not compressed");
    drop(producer);
    eventually("an empty spool", || std::fs::read_dir(folder.path()).unwrap().count() == 0);
}

#[test]
fn dropping_the_producer_delivers_what_it_holds() {
    let server = TestServer::start(Mood::Good);
    let producer = Producer::to_server(server.endpoint(), settings(None));
    send(&producer, 0..3);
    drop(producer);
    assert_in_order(&server, 3);
}

/// Programs that run for a moment only must not leave it to one that runs longer.
#[test]
fn what_an_earlier_program_left_is_delivered_before_a_short_one_ends() {
    let mut server = TestServer::start(Mood::Slow(150));
    let folder = tempfile::tempdir().unwrap();
    server.stop();
    let earlier = Producer::to_server(server.endpoint(), settings(Some(folder.path())));
    send(&earlier, 0..10);
    drop(earlier);
    assert_eq!((server.count(), std::fs::read_dir(folder.path()).unwrap().count()), (0, 1));
    server.start_again();
    let short = Producer::to_server(server.endpoint(), settings(Some(folder.path())));
    send(&short, 10..11);
    drop(short);
    assert_eq!(server.count(), 11);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_producer_that_sends_nothing_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let server = TestServer::start(Mood::Good);
    let producer = Producer::to_server(server.endpoint(), settings(Some(&spool)));
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    drop(producer);
    assert!(!spool.exists());
    assert!(server.stored().requests.is_empty());
}

#[test]
fn the_server_goes_away_and_comes_back() {
    let mut server = TestServer::start(Mood::Good);
    let folder = tempfile::tempdir().unwrap();
    let producer = Producer::to_server(server.endpoint(), settings(Some(folder.path())));
    for round in 0..3 {
        send(&producer, round * 200..round * 200 + 100);
        assert_eq!(producer.flush(SOON), Outcome::Delivered);
        server.stop();
        send(&producer, round * 200 + 100..round * 200 + 200);
        let began = Instant::now();
        assert_eq!(producer.flush(SOON), Outcome::Spooled);
        assert!(began.elapsed() < Duration::from_secs(2), "a dead server is noticed at once");
        let statistics = producer.statistics();
        assert_eq!((statistics.pending, statistics.reach), (100, Reach::Failing));
        assert!(statistics.last_error.unwrap().contains("refused"));
        server.start_again();
    }
    eventually("all delivered", || server.count() == 600);
    assert_in_order(&server, 600);
}

#[test]
fn a_hanging_server_costs_the_caller_nothing() {
    let server = TestServer::start(Mood::Hanging);
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(Some(folder.path()));
    settings.request_timeout = Duration::from_secs(3);
    let producer = Producer::to_server(server.endpoint(), settings);
    let began = Instant::now();
    send(&producer, 0..1_000);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(producer.flush(Duration::from_secs(1)), Outcome::Spooled);
    eventually("a timeout is seen", || producer.statistics().retries > 0);
    assert!(producer.statistics().last_error.unwrap().contains("in time"));
    server.set_mood(Mood::Good);
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    assert_in_order(&server, 1_000);
}

#[test]
fn without_a_spool_a_dead_server_leaves_it_incomplete() {
    let mut server = TestServer::start(Mood::Good);
    server.stop();
    let producer = Producer::to_server(server.endpoint(), settings(None));
    send(&producer, 0..10);
    assert_eq!(producer.flush(Duration::from_millis(200)), Outcome::Incomplete);
    server.start_again();
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    assert_in_order(&server, 10);
}

#[test]
fn a_slow_server_gets_larger_requests() {
    let server = TestServer::start(Mood::Slow(100));
    let producer = Producer::to_server(server.endpoint(), settings(None));
    for n in 0..50 {
        send(&producer, n * 10..n * 10 + 10);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    assert_in_order(&server, 500);
    let requests = server.stored().requests.len();
    assert!(requests <= 12, "{requests}");
}

#[test]
fn lost_answers_have_no_effect() {
    let server = TestServer::start(Mood::LosesAnswers);
    let producer = Producer::to_server(server.endpoint(), settings(None));
    send(&producer, 0..500);
    eventually("sent more than once", || server.stored().requests.len() > 3);
    server.set_mood(Mood::Good);
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    assert_in_order(&server, 500);
    assert_eq!(producer.statistics().duplicates, 500);
}

#[test]
fn what_another_program_answers_costs_no_event() {
    for mood in [Mood::Stranger, Mood::Locked] {
        let server = TestServer::start(mood);
        let producer = Producer::to_server(server.endpoint(), settings(None));
        send(&producer, 0..50);
        eventually("an attempt", || producer.statistics().retries > 0);
        let reason = producer.statistics().last_error.unwrap();
        match mood {
            Mood::Stranger => assert_eq!(reason, "status 200 OK but no receipt"),
            _ => assert_eq!(reason, "no (no); wait; set GRAFLOW_LINEAGE_TOKEN"),
        }
        assert_eq!(producer.statistics().pending, 50);
    }
}

#[test]
fn retry_after_is_waited_for() {
    let server = TestServer::start(Mood::Overloaded("0.4"));
    let producer = Producer::to_server(server.endpoint(), settings(None));
    producer.send(event("0"));
    eventually("two attempts", || server.stored().requests.len() >= 2);
    let waited = {
        let stored = server.stored();
        stored.requests[1] - stored.requests[0]
    };
    assert!(waited >= Duration::from_millis(390), "{waited:?}");
}

#[test]
fn the_token_is_sent() {
    let server = TestServer::start(Mood::Good);
    let endpoint = server.endpoint().with_token(Some("secret".into()));
    let producer = Producer::to_server(endpoint, settings(None));
    producer.send(event("0"));
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    assert_eq!(server.stored().authorizations, [Some("Bearer secret".into())]);
}

#[test]
fn open_executions_give_a_sign_of_life() {
    let server = TestServer::start(Mood::Good);
    let mut settings = settings(None);
    settings.heartbeat = Duration::from_millis(50);
    let producer = Producer::to_server(server.endpoint(), settings);
    let mut started = Event::new("s".into(), EventType::WorkflowStarted, event("0").time);
    started.execution_id = Some("run-1".into());
    producer.send(started);
    producer.open("run-2".into());
    eventually("signs of life", || server.stored().heartbeats.len() >= 3);
    let last = server.stored().heartbeats.last().unwrap().clone();
    assert_eq!(last["data"]["executions"], serde_json::json!(["run-1", "run-2"]));
    assert_eq!(last["producer"], producer.identity().as_str());
    producer.close("run-2".into());
    producer.close("run-1".into());
    producer.flush(SOON);
    let count = server.stored().heartbeats.len();
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.stored().heartbeats.len() <= count + 1, "still beating");
}

#[test]
fn the_spools_limit_costs_events_that_are_counted_and_told() {
    let mut server = TestServer::start(Mood::Good);
    server.stop();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(Some(folder.path()));
    settings.spool_bytes = 20_000;
    settings.memory_bytes = 10_000;
    let producer = Producer::to_server(server.endpoint(), settings);
    for n in 0..100 {
        send(&producer, n * 10..n * 10 + 10);
        producer.flush(Duration::from_millis(100));
    }
    let dropped = producer.statistics().dropped;
    assert!(dropped > 500, "{dropped}");
    let on_disk: u64 =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(on_disk <= 20_000, "{on_disk}");
    server.start_again();
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    producer.send(event("last"));
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    let stored = server.stored();
    let told: u64 = stored.events.values().filter_map(|event| event["data"]["count"].as_u64()).sum();
    assert_eq!(told, dropped);
    let notes = stored.events.values().filter(|event| event["data"]["code"] == "events_dropped").count();
    assert_eq!(stored.events.len() as u64, 1_001 - dropped + notes as u64);
}

#[test]
fn many_threads_share_one_producer() {
    let server = TestServer::start(Mood::Good);
    let producer = Producer::to_server(server.endpoint(), settings(None));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let producer = producer.clone();
            std::thread::spawn(move || {
                for n in 0..1_000 {
                    producer.send(event(format!("{thread}-{n}")));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    let stored = server.stored();
    assert_eq!(stored.events.len(), 8_000);
    for thread in 0..8 {
        let prefix = format!("{thread}-");
        let of_thread: Vec<usize> = stored
            .arrival
            .iter()
            .filter_map(|key| stored.events[key]["event_id"].as_str()?.strip_prefix(&prefix)?.parse().ok())
            .collect();
        assert_eq!(of_thread, (0..1_000).collect::<Vec<_>>(), "a thread's events keep their order");
    }
}

#[test]
fn sending_within_a_callers_runtime_is_fine() {
    let server = TestServer::start(Mood::Good);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let producer = Producer::to_server(server.endpoint(), settings(None));
    runtime.block_on(async {
        send(&producer, 0..10);
        assert_eq!(producer.flush(SOON), Outcome::Delivered);
        drop(producer);
    });
    assert_in_order(&server, 10);
}
