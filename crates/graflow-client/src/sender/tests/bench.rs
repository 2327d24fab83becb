//! A sender with all that is around it: a folder, a clock, and a model of a server.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use graflow_model::{Event, EventType, Project, Timestamp};
use graflow_wire::PostAnswer;
use serde_json::Value;

use crate::identity::Identity;
use crate::queue::Drops;
use crate::sender::machine::Output;
use crate::sender::{Encoder, Input, Moment, Sender, Tuning};
use crate::spool::testing::MemoryFolder;
use crate::spool::{Backlog, Limits};
use crate::transport::{Answer, Post};

pub(super) const MS: i64 = 1_000;
pub(super) const SECOND: i64 = 1_000 * MS;

/// A sender with its folder and a clock that stands until it is moved.
pub(super) struct Bench {
    pub(super) sender: Sender,
    pub(super) folder: MemoryFolder,
    pub(super) now_us: i64,
    pub(super) nonce: u64,
    seed: u64,
    spool_bytes: u64,
    memory_bytes: usize,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with_room(1 << 20, 1 << 20)
    }

    pub(super) fn with_room(spool_bytes: u64, memory_bytes: usize) -> Self {
        let folder = MemoryFolder::default();
        let sender = sender(&folder, 1, spool_bytes, memory_bytes, 7);
        Self { sender, folder, now_us: 0, nonce: 1, seed: 7, spool_bytes, memory_bytes }
    }

    /// The process dies where it stands, and another one starts on the same folder.
    pub(super) fn crash(&mut self) {
        self.folder.crash();
        self.nonce += 1;
        self.seed += 1;
        self.sender = sender(&self.folder, self.nonce, self.spool_bytes, self.memory_bytes, self.seed);
    }

    pub(super) fn now(&self) -> Moment {
        Moment { time: Timestamp::from_micros(self.now_us), mono_us: self.now_us }
    }

    pub(super) fn step(&mut self, input: Input) -> Output {
        let now = self.now();
        self.sender.step(input, now)
    }

    pub(super) fn tick(&mut self) -> Output {
        self.send(Vec::new())
    }

    pub(super) fn send(&mut self, events: Vec<Event>) -> Output {
        self.step(Input::Taken(events, Drops::default()))
    }

    pub(super) fn answer(&mut self, answer: Answer) -> Output {
        self.step(Input::Answered(answer))
    }

    pub(super) fn take_all(&mut self, post: &Post) -> Output {
        self.answer(Answer::Taken(PostAnswer { accepted: post.events as u64, ..PostAnswer::default() }))
    }

    /// Moves the clock to where the sender wants to be woken, and wakes it.
    pub(super) fn wake(&mut self, output: &Output) -> Output {
        self.now_us = output.wake_at_us.expect("a time to wake").max(self.now_us);
        self.tick()
    }
}

pub(super) fn sender(
    folder: &MemoryFolder,
    nonce: u64,
    spool_bytes: u64,
    memory_bytes: usize,
    seed: u64,
) -> Sender {
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

pub(super) fn event(id: &str) -> Event {
    let mut event = Event::new(id.into(), EventType::Note, Timestamp::default());
    event.execution_id = Some("x".into());
    event
}

pub(super) fn typed(event_type: EventType, execution_id: &str) -> Event {
    let mut event = Event::new("e".into(), event_type, Timestamp::default());
    event.execution_id = Some(execution_id.into());
    event
}

pub(super) fn lines(post: &Post) -> Vec<Value> {
    let lines: Vec<Value> = std::str::from_utf8(&post.body)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), post.events);
    lines
}

pub(super) fn ids(post: &Post) -> Vec<String> {
    lines(post).iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn later(retry_after: Option<Duration>) -> Answer {
    Answer::Later { retry_after, reason: "away".into() }
}

/// Keeps events the way a server does: once per producer and number.
#[derive(Default)]
pub(super) struct ModelServer {
    pub(super) events: BTreeMap<(String, u64), Value>,
    pub(super) arrival: Vec<(String, u64)>,
    pub(super) duplicates: u64,
}

impl ModelServer {
    pub(super) fn take(&mut self, post: &Post) -> PostAnswer {
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

pub(super) fn run_until_quiet(
    bench: &mut Bench,
    server: &mut ModelServer,
    output: &mut Output,
    limit: usize,
) {
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
