//! Several processes and one folder.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

mod crash;
mod handover;
mod lineage;
mod real;
mod server;
mod spool;
mod view;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use graflow_client::{Producer, Settings, SystemClock};
use graflow_lineage::store::Store;
use graflow_local::{DataFolder, FolderTransport, Place};
use graflow_model::{Event, EventType, Project, Seq, Timestamp};
use graflow_store::{EmbeddedOptions, EmbeddedStore};

const SOON: Duration = Duration::from_secs(10);

/// A producer of that folder, and where its events go at present.
fn producer(folder: &DataFolder, may_own: bool) -> (Producer, Arc<Mutex<Place>>) {
    let settings = Settings {
        spool: Some(folder.spool()),
        interval: Duration::from_millis(5),
        retry_first: Duration::from_millis(10),
        retry_longest: Duration::from_millis(100),
        ..Settings::default()
    };
    let place = Arc::new(Mutex::new(Place::default()));
    let (folder, told) = (folder.clone(), Arc::clone(&place));
    let make_transport = move || {
        let transport = FolderTransport::telling(folder.clone(), may_own, SOON, Arc::clone(&told));
        Box::new(transport) as Box<dyn graflow_client::Transport>
    };
    (Producer::new(settings, Arc::new(make_transport)), place)
}

fn event(id: impl Into<String>) -> Event {
    let mut event = Event::new(id.into().into(), EventType::Note, Timestamp::from_micros(1));
    event.execution_id = Some("x".into());
    event
}

fn send(producer: &Producer, name: &str, numbers: std::ops::Range<usize>) {
    for n in numbers {
        producer.send(event(format!("{name}-{n}")));
    }
}

fn open_store(folder: &DataFolder) -> EmbeddedStore {
    EmbeddedStore::open(EmbeddedOptions::new(folder.path(), Arc::new(SystemClock))).unwrap()
}

/// The ids of all events in a store; an event that is there twice fails the test.
#[track_caller]
fn ids(store: &dyn Store) -> BTreeSet<String> {
    let events = store.replay(&Project::default(), Seq::ZERO, 1_000_000).unwrap();
    let ids: BTreeSet<String> = events.iter().map(|stored| stored.event.event_id.to_string()).collect();
    assert_eq!(ids.len(), events.len(), "once each");
    ids
}

fn names(name: &str, count: usize) -> BTreeSet<String> {
    (0..count).map(|n| format!("{name}-{n}")).collect()
}

/// Waits until the condition holds, and fails when it does not in time.
#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn place(place: &Mutex<Place>) -> Place {
    place.lock().unwrap().clone()
}

fn spool_files(folder: &DataFolder) -> usize {
    std::fs::read_dir(folder.spool()).map_or(0, Iterator::count)
}
