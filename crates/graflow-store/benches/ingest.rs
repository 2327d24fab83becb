//! In-process ingest: how many events a second become durable and queryable, beside what the disk itself can do.
//!
//! `cargo bench -p graflow-store --bench ingest -- [task executions]` (200,000 unless said). The load has 2.1 events a
//! task execution over 1,000 task names: runs of 20 tasks, each started and ended. The reference is the same bytes,
//! appended to a file with one `fdatasync` a group of the same size. Making and parsing the events is timed on its
//! own, because in production another process pays for it.

#![expect(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::panic,
    reason = "a benchmark has nobody to report to"
)]

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use graflow_lineage::store::{AppendError, Batch, Incoming, Receipt, Store};
use graflow_model::{Clock, Event, ExecutionId, Project, Timestamp};
use graflow_store::{EmbeddedOptions, EmbeddedStore};

const THREADS: u64 = 4;
const IN_FLIGHT: usize = 8;
const TASKS_A_RUN: u64 = 20;
const EVENTS_A_RUN: u64 = 2 * TASKS_A_RUN + 2;
const RUNS_A_BATCH: u64 = 2;

struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_micros();
        Timestamp::from_micros(i64::try_from(micros).expect("not so late"))
    }
    fn mono_us(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_micros()).expect("not so long")
    }
}

fn main() {
    let argument = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    // `cargo bench` says `--bench`; a test of the benchmarks only wants to see that they run.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let tasks: u64 = argument.unwrap_or(if is_bench { 200_000 } else { 10_000 });
    let runs = tasks / TASKS_A_RUN;
    let events = runs * EVENTS_A_RUN;
    let folder = tempfile::tempdir_in(".").expect("a folder on the disk that is measured");
    println!(
        "{tasks} task executions, {events} events, {THREADS} threads with {IN_FLIGHT} batches in flight"
    );

    let began = Instant::now();
    let mut bytes = 0;
    for first in (0..runs.min(2_000)).step_by(2) {
        bytes += batch(first).events.iter().map(|incoming| incoming.json.len() as u64).sum::<u64>();
    }
    let made = runs.min(2_000) * EVENTS_A_RUN;
    let an_event = bytes / made;
    let making = made as f64 / began.elapsed().as_secs_f64();
    println!("making and parsing: {making:.0} events/s on one core, {an_event} bytes an event");

    let raw = raw_append(folder.path(), events, usize::try_from(an_event).expect("small"));
    println!("reference, raw append + group fdatasync: {raw:.0} events/s");

    let store = EmbeddedStore::open(EmbeddedOptions::new(
        folder.path().join("store"),
        Arc::new(RealClock(Instant::now())),
    ))
    .expect("it opens");
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || produce(store, thread, runs));
        }
    });
    let acknowledged = began.elapsed();
    let last = ExecutionId::from(execution_id(runs - 1));
    while store.statistics().applied_seq < store.last_seq().0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let queryable = began.elapsed();
    assert!(store.execution(&Project::default(), &last).expect("it reads").value.is_some());

    let statistics = store.statistics();
    assert_eq!(statistics.accepted, events);
    let rate = events as f64 / queryable.as_secs_f64();
    println!("acknowledged: {:.0} events/s", events as f64 / acknowledged.as_secs_f64());
    println!("durable and queryable: {rate:.0} events/s, {:.1} % of the reference", 100.0 * rate / raw);
    println!(
        "{} flushes of {} µs in the mean; log {} and tables {} bytes a task execution; {} appends overloaded",
        statistics.flushes,
        statistics.flush_us / statistics.flushes.max(1),
        statistics.log_bytes / tasks,
        statistics.derived_bytes / tasks,
        statistics.overloaded,
    );
}

/// Appends as many bytes as so many events have, with one sync for each group of all that could be in flight.
fn raw_append(folder: &Path, events: u64, bytes: usize) -> f64 {
    let group = THREADS * IN_FLIGHT as u64 * RUNS_A_BATCH * EVENTS_A_RUN;
    let buffer = vec![b'x'; bytes * usize::try_from(group).expect("small")];
    let mut file = File::create(folder.join("raw")).expect("it creates");
    let began = Instant::now();
    for _ in 0..events.div_ceil(group) {
        file.write_all(&buffer).expect("it writes");
        file.sync_data().expect("it syncs");
    }
    let rate = events as f64 / began.elapsed().as_secs_f64();
    std::fs::remove_file(folder.join("raw")).expect("it removes");
    rate
}

fn produce(store: &EmbeddedStore, thread: u64, runs: u64) {
    let mut in_flight: VecDeque<(Receipt, u64)> = VecDeque::new();
    let settle = |in_flight: &mut VecDeque<(Receipt, u64)>| {
        let Some((receipt, first)) = in_flight.pop_front() else { return };
        match receipt.wait() {
            Ok(_) => {}
            Err(AppendError::Overloaded { .. }) => {
                // Sooner than told: this measures the store, not the client's patience.
                std::thread::sleep(Duration::from_millis(20));
                in_flight.push_back((store.append(batch(first)), first));
            }
            Err(other) => panic!("{other}"),
        }
    };
    let mut first = thread * RUNS_A_BATCH;
    while first < runs {
        in_flight.push_back((store.append(batch(first)), first));
        while in_flight.len() >= IN_FLIGHT {
            settle(&mut in_flight);
        }
        first += THREADS * RUNS_A_BATCH;
    }
    while !in_flight.is_empty() {
        settle(&mut in_flight);
    }
}

fn execution_id(run: u64) -> String {
    format!("01936f00-0000-7000-8000-{run:012x}")
}

/// The events of some runs, as they come over the wire and are parsed.
fn batch(first: u64) -> Batch {
    let mut events = Vec::new();
    for run in first..first + RUNS_A_BATCH {
        let execution = execution_id(run);
        let workflow = run % 50;
        let mut number = run * EVENTS_A_RUN;
        let mut push = |kind: &str, more: &str| {
            number += 1;
            let time =
                Timestamp::from_micros(1_760_000_000_000_000 + i64::try_from(number).expect("small") * 100);
            let json = format!(
                r#"{{"event_id":"{execution}-{number:x}","type":"{kind}","time":"{time}","execution_id":"{execution}","workflow_name":"workflow_{workflow}","producer":"bench-host/0f2a/4711/{}","producer_seq":{number},"mono_us":{}{more}}}"#,
                first % 4,
                number * 100,
            );
            let event = Event::from_json(json.as_bytes()).expect("it is sound");
            events.push(Incoming { event, json: json.into() });
        };
        push("workflow_started", r#","data":{"labels":{"team":"bench"}}"#);
        for task in 0..TASKS_A_RUN {
            let name = workflow * TASKS_A_RUN + task;
            let of = format!(
                r#","task_id":"task_{name}","task_execution_id":"{execution}.{task}","iteration":0,"attempt":1"#
            );
            push("task_started", &format!(r#"{of},"data":{{"thread":"worker-1"}}"#));
            push("task_completed", &format!(r#"{of},"data":{{"result_size":120,"result_type":"dict"}}"#));
        }
        push("workflow_completed", "");
    }
    let received = Timestamp::from_micros(1_760_000_000_000_000);
    Batch { project: Project::default(), received, events }
}
