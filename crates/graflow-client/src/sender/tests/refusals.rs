//! Events that are not taken, and those beside them.

use graflow_model::Event;
use graflow_wire::{EventCode, InvalidEvent, PostAnswer};

use super::bench::{Bench, SECOND, event, ids, lines};
use crate::transport::Answer;

#[test]
fn one_bad_event_does_not_hold_up_the_others() {
    let mut bench = Bench::new();
    let mut output = bench.send((0..40).map(|n| event(&n.to_string())).collect());
    let mut stored = Vec::new();
    let mut requests = 0;
    loop {
        let Some(post) = output.post.take() else {
            if output.wake_at_us.is_none() {
                break;
            }
            output = bench.wake(&output);
            continue;
        };
        requests += 1;
        if ids(&post).iter().any(|id| id == "23") {
            output = bench.answer(Answer::Refused { reason: "bad".into() });
        } else {
            stored.extend(ids(&post));
            output = bench.take_all(&post);
        }
    }
    let expected: Vec<_> = (0..40).filter(|n| *n != 23).map(|n| n.to_string()).collect();
    assert_eq!(stored, expected);
    assert_eq!(bench.sender.statistics().invalid, 1);
    assert!(requests < 20, "{requests}");
}

#[test]
fn events_that_the_server_calls_invalid_are_counted_told_once_and_not_sent_again() {
    let mut bench = Bench::new();
    for round in 1..=2 {
        bench.now_us += SECOND;
        let post = bench.send(vec![event("good"), event("bad")]).post.unwrap();
        let bad = InvalidEvent {
            index: 1,
            code: EventCode::InvalidData,
            message: "no".into(),
            hint: String::new(),
        };
        let receipt = PostAnswer { accepted: 1, invalid: vec![bad], ..PostAnswer::default() };
        let output = bench.answer(Answer::Taken(receipt));
        assert_eq!(output.warnings.len(), usize::from(round == 1));
        assert!(output.post.is_none() && output.wake_at_us.is_none());
        assert_eq!(post.events, 2);
    }
    let statistics = bench.sender.statistics();
    assert_eq!((statistics.invalid, statistics.delivered), (2, 2));
}

#[test]
fn line_breaks_in_data_do_not_break_the_lines() {
    let mut bench = Bench::new();
    let text = "{\"event_id\":\"e\",\"type\":\"note\",\"time\":\"2026-11-23T12:00:00Z\",\"execution_id\":\"x\",\
                \"data\":{\n \"a\":\r\n \"b\\nc\"}}";
    let event = Event::from_json(text.as_bytes()).unwrap();
    assert_eq!(lines(&bench.send(vec![event]).post.unwrap())[0]["data"]["a"], "b\nc");
}

#[test]
fn an_event_that_no_server_takes_is_not_sent() {
    let mut bench = Bench::new();
    let huge = event("huge").with_data(&serde_json::json!({ "text": "x".repeat(1 << 20) }));
    let output = bench.send(vec![event("a"), huge, event("b")]);
    let post = output.post.unwrap();
    assert_eq!((ids(&post), output.warnings.len()), (vec!["a".to_owned(), "b".to_owned()], 1));
    assert_eq!(lines(&post)[1]["producer_seq"], 2, "no gap");
}
