//! When it sends, and how long it waits.

use std::time::Duration;

use graflow_model::EventType;

use super::bench::{Bench, MS, SECOND, event, ids, later, lines, typed};
use crate::sender::Input;
use crate::statistics::Reach;

#[test]
fn the_first_event_leaves_at_once_and_the_next_with_the_interval() {
    let mut bench = Bench::new();
    let post = bench.send(vec![event("a")]).post.unwrap();
    assert_eq!(lines(&post)[0]["producer"], "host/boot/1/0000000000000001");
    assert_eq!(lines(&post)[0]["producer_seq"], 1);
    bench.now_us = 20 * MS;
    let waiting = bench.send(vec![event("b")]);
    assert!(waiting.post.is_none(), "one request at a time");
    let output = bench.take_all(&post);
    assert_eq!((output.post.is_none(), output.wake_at_us), (true, Some(100 * MS)));
    let post = bench.wake(&output).post.unwrap();
    assert_eq!((ids(&post), lines(&post)[0]["producer_seq"].clone()), (vec!["b".to_owned()], 2.into()));
}

#[test]
fn much_does_not_wait_for_the_interval() {
    let mut bench = Bench::new();
    let post = bench.send(vec![event("a")]).post.unwrap();
    bench.take_all(&post);
    let post = bench.send((0..1_500).map(|n| event(&n.to_string())).collect()).post.unwrap();
    assert_eq!(post.events, 1_500);
}

#[test]
fn failures_wait_twice_as_long_each_with_jitter() {
    let mut bench = Bench::new();
    let mut output = bench.send(vec![event("a")]);
    let mut waits = Vec::new();
    for _ in 0..9 {
        assert!(output.post.is_some());
        let before = bench.now_us;
        let failed = bench.answer(later(None));
        waits.push((failed.wake_at_us.unwrap() - before) / MS);
        output = bench.wake(&failed);
    }
    for (wait, full) in waits.iter().zip([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
        assert!((full / 2..=full).contains(wait), "{waits:?}");
    }
    assert_eq!(bench.sender.statistics().reach, Reach::Failing);
    let post = output.post.unwrap();
    assert_eq!(ids(&post), ["a"]);
    bench.take_all(&post);
    let statistics = bench.sender.statistics();
    assert_eq!((statistics.retries, statistics.delivered, statistics.pending), (9, 1, 0));
    assert_eq!(statistics.reach, Reach::Good);
}

#[test]
fn retry_after_is_honoured_also_in_haste_and_has_a_limit() {
    let mut bench = Bench::new();
    bench.send(vec![event("a")]);
    let output = bench.answer(later(Some(Duration::from_secs(7))));
    assert_eq!(output.wake_at_us, Some(7 * SECOND));
    assert!(bench.step(Input::Hurry).post.is_none());
    bench.wake(&output).post.unwrap();
    let output = bench.answer(later(Some(Duration::from_hours(24))));
    assert_eq!(output.wake_at_us, Some(307 * SECOND));
}

#[test]
fn haste_overrides_interval_and_backoff() {
    let mut bench = Bench::new();
    bench.send(vec![event("a")]);
    bench.answer(later(None));
    let post = bench.step(Input::Hurry).post.unwrap();
    bench.take_all(&post);
    bench.send(vec![event("b")]);
    assert_eq!(ids(&bench.step(Input::Hurry).post.unwrap()), ["b"]);
}

#[test]
fn open_executions_are_reported_alive_every_ten_seconds() {
    let mut bench = Bench::new();
    let started = vec![typed(EventType::WorkflowStarted, "b"), typed(EventType::WorkflowStarted, "a")];
    let post = bench.send(started).post.unwrap();
    let beat = lines(&post).pop().unwrap();
    assert_eq!(beat["type"], "heartbeat");
    assert_eq!(beat["data"]["executions"], serde_json::json!(["a", "b"]));
    assert!(beat.get("producer_seq").is_none() && beat.get("execution_id").is_none());
    let output = bench.take_all(&post);
    assert_eq!(output.wake_at_us, Some(10 * SECOND));
    let post = bench.wake(&output).post.unwrap();
    assert_eq!((post.events, lines(&post)[0]["mono_us"].clone()), (1, (10 * SECOND).into()));
    bench.take_all(&post);
    bench.now_us += SECOND;
    let post = bench.send(vec![typed(EventType::WorkflowFailed, "a")]).post.unwrap();
    bench.take_all(&post);
    bench.step(Input::Opened("c".into()));
    bench.step(Input::Closed("b".into()));
    bench.now_us = 20 * SECOND;
    assert_eq!(lines(&bench.tick().post.unwrap())[0]["data"]["executions"], serde_json::json!(["c"]));
    bench.answer(later(None));
    let output = bench.step(Input::Closed("c".into()));
    assert_eq!(output.wake_at_us, None, "nothing to do");
}

#[test]
fn a_lost_heartbeat_is_not_an_event_that_waits() {
    let mut bench = Bench::new();
    let post = bench.send(vec![typed(EventType::WorkflowStarted, "a")]).post.unwrap();
    bench.take_all(&post);
    bench.now_us = 10 * SECOND;
    bench.tick().post.unwrap();
    let output = bench.answer(later(None));
    bench.wake(&output);
    let statistics = bench.sender.statistics();
    assert_eq!((statistics.pending, statistics.spool_bytes), (0, 0));
}
