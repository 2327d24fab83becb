//! The sender against a model of a server, in exact time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use fastrand::Rng;
use graflow_model::{Event, EventType, Project, Timestamp};
use graflow_wire::{EventCode, InvalidEvent, PostAnswer};
use proptest::prelude::*;
use serde_json::Value;

use super::machine::Output;
use super::{Encoder, Input, Moment, Sender, Tuning};
use crate::identity::Identity;
use crate::queue::Drops;
use crate::spool::testing::MemoryFolder;
use crate::spool::{Backlog, Limits};
use crate::statistics::Reach;
use crate::transport::{Answer, Post};

const MS: i64 = 1_000;
const SECOND: i64 = 1_000 * MS;

/// A sender with its folder and a clock that stands until it is moved.
struct Bench {
    sender: Sender,
    folder: MemoryFolder,
    now_us: i64,
    nonce: u64,
    seed: u64,
    spool_bytes: u64,
    memory_bytes: usize,
}

impl Bench {
    fn new() -> Self {
        Self::with_room(1 << 20, 1 << 20)
    }

    fn with_room(spool_bytes: u64, memory_bytes: usize) -> Self {
        let folder = MemoryFolder::default();
        let sender = sender(&folder, 1, spool_bytes, memory_bytes, 7);
        Self { sender, folder, now_us: 0, nonce: 1, seed: 7, spool_bytes, memory_bytes }
    }

    /// The process dies where it stands, and another one starts on the same folder.
    fn crash(&mut self) {
        self.folder.crash();
        self.nonce += 1;
        self.seed += 1;
        self.sender = sender(&self.folder, self.nonce, self.spool_bytes, self.memory_bytes, self.seed);
    }

    fn now(&self) -> Moment {
        Moment { time: Timestamp::from_micros(self.now_us), mono_us: self.now_us }
    }

    fn step(&mut self, input: Input) -> Output {
        let now = self.now();
        self.sender.step(input, now)
    }

    fn tick(&mut self) -> Output {
        self.send(Vec::new())
    }

    fn send(&mut self, events: Vec<Event>) -> Output {
        self.step(Input::Taken(events, Drops::default()))
    }

    fn answer(&mut self, answer: Answer) -> Output {
        self.step(Input::Answered(answer))
    }

    fn take_all(&mut self, post: &Post) -> Output {
        self.answer(Answer::Taken(PostAnswer { accepted: post.events as u64, ..PostAnswer::default() }))
    }

    /// Moves the clock to where the sender wants to be woken, and wakes it.
    fn wake(&mut self, output: &Output) -> Output {
        self.now_us = output.wake_at_us.expect("a time to wake").max(self.now_us);
        self.tick()
    }
}

fn sender(folder: &MemoryFolder, nonce: u64, spool_bytes: u64, memory_bytes: usize, seed: u64) -> Sender {
    let producer = Identity::new("host", "boot", 1, nonce).producer().clone();
    let tuning = Tuning {
        batch: Limits { events: 5_000, bytes: 4 << 20 },
        interval: Duration::from_millis(100),
        heartbeat: Duration::from_secs(10),
        retry_first: Duration::from_millis(100),
        retry_longest: Duration::from_secs(5),
    };
    let files = Box::new(folder.clone());
    let project = Project::default_project();
    let backlog = Backlog::new(Some(files), producer.clone(), project.clone(), spool_bytes, memory_bytes);
    Sender::new(project, tuning, Encoder::new(producer, Rng::with_seed(seed)), backlog, Rng::with_seed(seed))
}

fn event(id: &str) -> Event {
    let mut event = Event::new(id.into(), EventType::Note, Timestamp::default());
    event.execution_id = Some("x".into());
    event
}

fn typed(event_type: EventType, execution_id: &str) -> Event {
    let mut event = Event::new("e".into(), event_type, Timestamp::default());
    event.execution_id = Some(execution_id.into());
    event
}

fn lines(post: &Post) -> Vec<Value> {
    let lines: Vec<Value> = std::str::from_utf8(&post.body)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), post.events);
    lines
}

fn ids(post: &Post) -> Vec<String> {
    lines(post).iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}

fn later(retry_after: Option<Duration>) -> Answer {
    Answer::Later { retry_after, reason: "away".into() }
}

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
        let bad = InvalidEvent { index: 1, code: EventCode::InvalidData, message: "no".into(), hint: String::new() };
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

#[test]
fn beyond_every_limit_events_are_dropped_and_a_note_says_how_many() {
    let line = 200;
    let mut bench = Bench::with_room(4 * line, usize::try_from(3 * line).unwrap());
    let output = bench.send(vec![event("0")]);
    assert_eq!(ids(&output.post.unwrap()), ["0"]);
    let mut warnings = Vec::new();
    for n in 1..20 {
        warnings.extend(bench.send(vec![event(&n.to_string())]).warnings);
    }
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    let dropped = bench.sender.statistics().dropped;
    assert!(dropped > 10);
    // The server is back: everything that was kept arrives, without a gap in the numbers.
    let mut server = ModelServer::default();
    let mut output = bench.answer(later(None));
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    bench.now_us += SECOND;
    let mut output = bench.tick();
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    let note = server.events.values().find(|event| event["data"]["code"] == "events_dropped").unwrap();
    assert_eq!((&note["execution_id"], &note["data"]["count"]), (&"x".into(), &dropped.into()));
    let numbers: Vec<u64> = server.events.keys().map(|(_, number)| *number).collect();
    assert_eq!(numbers, (1..=21 - dropped).collect::<Vec<_>>());
}

#[test]
fn what_a_disk_refuses_waits_in_memory_and_stays_in_order() {
    let mut bench = Bench::new();
    bench.folder.set_tears(true);
    bench.send(vec![event("0")]);
    bench.folder.set_room(Some(450));
    let mut warned = 0;
    for n in 1..10 {
        warned += bench.send(vec![event(&n.to_string())]).warnings.len();
    }
    assert_eq!(warned, 1);
    let statistics = bench.sender.statistics();
    assert!(statistics.memory_bytes > 0 && statistics.spool_bytes > 0 && statistics.disk_error.is_some());
    bench.folder.set_room(None);
    bench.send(vec![event("10")]);
    assert_eq!((bench.sender.statistics().memory_bytes, bench.sender.statistics().disk_error), (0, None));
    let mut server = ModelServer::default();
    let mut output = bench.answer(later(None));
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    let numbers: Vec<_> = server.arrival.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
}

#[test]
fn a_folder_that_cannot_be_written_costs_one_warning() {
    let mut bench = Bench::new();
    bench.folder.set_read_only(true);
    let output = bench.send(vec![event("a")]);
    assert_eq!(output.warnings.len(), 1);
    assert_eq!(ids(&output.post.unwrap()), ["a"]);
    assert!(bench.send(vec![event("b")]).warnings.is_empty());
}

#[test]
fn left_in_the_spool_means_that_nobody_holds_it() {
    let mut bench = Bench::new();
    bench.send(vec![event("a"), event("b")]).post.unwrap();
    assert!(bench.folder.held().iter().all(|(_, held)| *held));
    let output = bench.answer(Answer::LeaveInSpool);
    assert_eq!(output.wake_at_us, None);
    assert!(bench.folder.held().iter().all(|(_, held)| !*held));
    assert_eq!(bench.sender.statistics().reach, Reach::LeftInSpool);
    // A second later the transport is asked again; now it can be reached, and the file is ours again.
    assert_eq!(bench.send(vec![event("c")]).wake_at_us, Some(SECOND));
    bench.now_us = SECOND;
    let post = bench.tick().post.unwrap();
    assert_eq!(ids(&post), ["c"]);
    let output = bench.take_all(&post);
    let post = bench.wake(&output).post.unwrap();
    assert_eq!(ids(&post), ["a", "b"]);
    bench.take_all(&post);
    bench.now_us += SECOND;
    bench.tick();
    assert_eq!(bench.folder.held().len(), 1, "only the file being written is left");
}

#[test]
fn a_dead_producers_spool_is_delivered_without_its_torn_tail() {
    let mut bench = Bench::new();
    bench.send(vec![event("a")]).post.unwrap();
    bench.send(vec![event("b")]);
    let (name, _) = bench.folder.held().remove(0);
    let mut bytes = bench.folder.bytes(&name);
    bytes.truncate(bytes.len() - 3);
    bench.crash();
    bench.folder.put(&name, bytes);
    bench.folder.put("left.alone", b"not ours".to_vec());
    bench.folder.put("strange.spool", vec![1; 100]);
    let mut server = ModelServer::default();
    let mut output = bench.send(vec![event("new")]);
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    let ids: Vec<_> = server.events.values().map(|event| event["event_id"].clone()).collect();
    assert_eq!(ids, ["a", "new"]);
    let names: Vec<_> = bench.folder.held().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["host~boot~1~0000000000000002.000001.spool", "left.alone", "strange.spool"]);
    assert!(bench.sender.statistics().torn_bytes > 0);
}

#[test]
fn a_file_damaged_in_the_middle_is_delivered_up_to_there_and_kept() {
    let mut bench = Bench::new();
    bench.send(vec![event("a")]).post.unwrap();
    let (name, _) = bench.folder.held().remove(0);
    let sound = bench.folder.bytes(&name).len();
    bench.send(vec![event("b")]);
    bench.send(vec![event("c")]);
    bench.crash();
    let mut bytes = bench.folder.bytes(&name);
    bytes[sound + 20] ^= 0x40;
    bench.folder.put(&name, bytes);
    let mut server = ModelServer::default();
    let mut output = bench.send(vec![event("new")]);
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    let ids: Vec<_> = server.events.values().map(|event| event["event_id"].clone()).collect();
    assert_eq!(ids, ["a", "new"]);
    assert!(bench.folder.held().iter().any(|(kept, _)| *kept == format!("{name}.damaged")));
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

/// Keeps events the way a server does: once per producer and number.
#[derive(Default)]
struct ModelServer {
    events: BTreeMap<(String, u64), Value>,
    arrival: Vec<(String, u64)>,
    duplicates: u64,
}

impl ModelServer {
    fn take(&mut self, post: &Post) -> PostAnswer {
        let mut receipt = PostAnswer::default();
        for event in lines(post) {
            let Some(number) = event["producer_seq"].as_u64() else { continue };
            let key = (event["producer"].as_str().unwrap().to_owned(), number);
            if let Some(known) = self.events.get(&key) {
                assert_eq!(known["event_id"], event["event_id"], "a number used twice");
                receipt.duplicates += 1;
                self.duplicates += 1;
            } else {
                self.events.insert(key.clone(), event);
                self.arrival.push(key);
                receipt.accepted += 1;
            }
        }
        receipt
    }
}

fn run_until_quiet(bench: &mut Bench, server: &mut ModelServer, output: &mut Output, limit: usize) {
    for _ in 0..limit {
        if let Some(post) = output.post.take() {
            let receipt = server.take(&post);
            *output = bench.answer(Answer::Taken(receipt));
        } else if output.wake_at_us.is_some() {
            *output = bench.wake(output);
        } else {
            return;
        }
    }
    panic!("never quiet: {:?}", bench.sender.statistics());
}

#[derive(Debug, Clone)]
enum Act {
    Send(usize),
    Pass(i64),
    Take,
    TakeAndLoseTheAnswer,
    Later(Option<u64>),
    Refuse,
    Leave,
    Crash,
    DiskFull(bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1_usize..40).prop_map(Act::Send),
        4 => (0..3 * SECOND).prop_map(Act::Pass),
        4 => Just(Act::Take),
        2 => Just(Act::TakeAndLoseTheAnswer),
        2 => proptest::option::of(0_u64..20).prop_map(Act::Later),
        1 => Just(Act::Refuse),
        1 => Just(Act::Leave),
        1 => Just(Act::Crash),
        1 => any::<bool>().prop_map(Act::DiskFull),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever server, disk and process do: each event that was kept has its effect, once; the others are counted.
    #[test]
    fn every_event_once_in_effect(acts in prop::collection::vec(act(), 1..60), tears in any::<bool>()) {
        let mut bench = Bench::with_room(6_000, 2_000);
        bench.folder.set_tears(tears);
        let mut server = ModelServer::default();
        let mut posts: VecDeque<Post> = VecDeque::new();
        let (mut sent, mut dropped, mut lost_in_memory) = (0_u64, 0_u64, 0_u64);
        let mut serial = 0_u64;
        let mut refused = BTreeSet::new();
        for act in acts {
            let output = match act {
                Act::Send(count) => {
                    sent += count as u64;
                    bench.send((0..count).map(|_| { serial += 1; event(&serial.to_string()) }).collect())
                }
                Act::Pass(micros) => { bench.now_us += micros; bench.tick() }
                Act::DiskFull(full) => {
                    bench.folder.set_room(full.then_some(1_500));
                    continue;
                }
                Act::Crash => {
                    dropped += bench.sender.statistics().dropped;
                    lost_in_memory += memory_events(&bench);
                    posts.clear();
                    bench.crash();
                    continue;
                }
                answer => {
                    let Some(post) = posts.pop_front() else { continue };
                    match answer {
                        Act::Take => { let receipt = server.take(&post); bench.answer(Answer::Taken(receipt)) }
                        Act::TakeAndLoseTheAnswer => { server.take(&post); bench.answer(later(None)) }
                        Act::Later(seconds) => bench.answer(later(seconds.map(Duration::from_secs))),
                        Act::Leave => bench.answer(Answer::LeaveInSpool),
                        _ => {
                            if post.events == 1 { refused.extend(ids(&post)); }
                            bench.answer(Answer::Refused { reason: "no".into() })
                        }
                    }
                }
            };
            posts.extend(output.post);
            prop_assert!(posts.len() <= 1, "one request at a time");
        }
        // In the end the disk has room and the server is well; another life takes in what is left.
        bench.folder.set_room(None);
        let mut output = Output { post: posts.pop_front(), ..bench.tick() };
        if output.post.is_none() { bench.now_us += 400 * SECOND; output = bench.tick(); }
        run_until_quiet(&mut bench, &mut server, &mut output, 2_000);
        for _ in 0..2 {
            bench.now_us += 400 * SECOND;
            sent += 1;
            serial += 1;
            let mut output = bench.send(vec![event(&serial.to_string())]);
            run_until_quiet(&mut bench, &mut server, &mut output, 2_000);
        }
        dropped += bench.sender.statistics().dropped;
        let told: Vec<_> = server.events.values().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect();
        let own: BTreeSet<_> = told.iter().filter_map(|id| id.parse::<u64>().ok()).collect();
        let notes = told.iter().filter(|id| id.parse::<u64>().is_err()).count();
        prop_assert_eq!(own.len() + notes, told.len(), "no event under two numbers");
        let refused = refused.iter().filter(|id| id.parse::<u64>().is_ok_and(|id| !own.contains(&id))).count() as u64;
        // A crash costs what was in memory; notes of drops are in there too, so this is a bound.
        let missing = sent - own.len() as u64;
        prop_assert!(missing <= dropped + lost_in_memory + refused, "{missing} > {dropped} + {lost_in_memory} + {refused}");
        prop_assert!(missing + lost_in_memory >= dropped, "{missing} {lost_in_memory} {dropped}");
        let left: Vec<_> = bench.folder.held();
        prop_assert!(left.len() <= 1, "nothing is left in the spool: {:?}", left);
    }
}

/// Events that are in memory only.
fn memory_events(bench: &Bench) -> u64 {
    if bench.sender.is_on_disk() { 0 } else { bench.sender.pushed() - bench.sender.settled() }
}
