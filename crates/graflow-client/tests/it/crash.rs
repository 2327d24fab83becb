//! A process that is killed leaves its spool to the next one.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use graflow_client::spool::{DiskFiles, Limits, Opened, Segment};
use graflow_client::{Endpoint, Outcome, Producer};

use crate::server::{Mood, TestServer};
use crate::{event, eventually, settings};

const FOLDER: &str = "GRAFLOW_TEST_FOLDER";
const SERVER: &str = "GRAFLOW_TEST_SERVER";
const NAME: &str = "GRAFLOW_TEST_NAME";
const COUNT: &str = "GRAFLOW_TEST_COUNT";

/// Not a test by itself: the process that the tests here kill. It says what is in its spool, and goes on for ever.
#[test]
fn victim() {
    let (Ok(folder), Ok(server), Ok(name)) =
        (std::env::var(FOLDER), std::env::var(SERVER), std::env::var(NAME))
    else {
        return;
    };
    let producer = Producer::to_server(Endpoint::parse(&server).unwrap(), settings(Some(Path::new(&folder))));
    for n in 0_u64.. {
        producer.send(event(format!("{name}-{n}")));
        if n % 10 == 9 {
            let outcome = producer.flush(Duration::from_secs(5));
            assert_ne!(outcome, Outcome::Incomplete);
            println!("safe {name}-{n}");
        }
    }
}

/// Not a test by itself: a process that hands in very much at once, and ends.
#[test]
fn leaver() {
    let (Ok(folder), Ok(count)) = (std::env::var(FOLDER), std::env::var(COUNT)) else { return };
    let nobody = Endpoint::parse("http://127.0.0.1:9").unwrap();
    let producer = Producer::to_server(nobody, settings(Some(Path::new(&folder))));
    for n in 0..count.parse::<u32>().unwrap() {
        producer.send(event(n.to_string()));
    }
}

fn start_victim(folder: &Path, server: &TestServer, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["crash::victim", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .env(SERVER, server.endpoint().to_string())
        .env(NAME, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets it say `lines` lines, kills it, and gives every event that it called safe.
fn kill_after(mut victim: Child, lines: usize) -> BTreeSet<String> {
    let mut output = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut safe = BTreeSet::new();
    let mut take = |line: &str| {
        let Some(last) = line.split("safe ").nth(1) else { return false };
        let (name, last) = last.rsplit_once('-').unwrap();
        safe.extend((0..=last.parse::<u64>().unwrap()).map(|n| format!("{name}-{n}")));
        true
    };
    let mut said = 0;
    while said < lines {
        said += usize::from(take(&output.next().expect("the victim lives").unwrap()));
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    // What it said before the blow counts too.
    for line in output.map_while(Result::ok) {
        take(&line);
    }
    safe
}

fn stored_ids(server: &TestServer) -> Vec<String> {
    server.stored().events.values().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_was_spooled_survives_kill_and_is_sent_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = TestServer::start(Mood::Good);
    server.stop();
    let mut safe = BTreeSet::new();
    for (round, lines) in [1, 4, 9].into_iter().enumerate() {
        let victim = start_victim(folder.path(), &server, &format!("v{round}"));
        safe.extend(kill_after(victim, lines));
    }
    assert!(safe.len() >= 140, "{}", safe.len());
    server.start_again();
    let producer = Producer::to_server(server.endpoint(), settings(Some(folder.path())));
    producer.send(event("new"));
    eventually("the dead ones' events", || safe.is_subset(&stored_ids(&server).into_iter().collect()));
    let ids = stored_ids(&server);
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "once each");
    drop(producer);
    eventually("an empty spool", || std::fs::read_dir(folder.path()).unwrap().count() == 0);
}

#[test]
fn killed_while_delivering_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(Mood::Good);
    let mut safe = BTreeSet::new();
    for (round, lines) in [2, 7, 20].into_iter().enumerate() {
        let victim = start_victim(folder.path(), &server, &format!("v{round}"));
        safe.extend(kill_after(victim, lines));
    }
    let producer = Producer::to_server(server.endpoint(), settings(Some(folder.path())));
    producer.send(event("new"));
    eventually("all that was safe", || safe.is_subset(&stored_ids(&server).into_iter().collect()));
    let ids = stored_ids(&server);
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "once each");
}

#[test]
fn a_living_process_keeps_its_spool_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut away = TestServer::start(Mood::Good);
    away.stop();
    let mut victim = start_victim(folder.path(), &away, "living");
    let mut output = BufReader::new(victim.stdout.take().unwrap()).lines();
    while !output.next().unwrap().unwrap().contains("safe") {}
    let server = TestServer::start(Mood::Good);
    let producer = Producer::to_server(server.endpoint(), settings(Some(folder.path())));
    producer.send(event("mine"));
    assert_eq!(producer.flush(Duration::from_secs(5)), Outcome::Delivered);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(stored_ids(&server), ["mine"]);
    victim.kill().unwrap();
    victim.wait().unwrap();
}

#[test]
fn a_process_that_ends_with_very_much_in_hand_leaves_all_of_it_in_the_spool() {
    const EVENTS: usize = 90_000;
    let folder = tempfile::tempdir().unwrap();
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["crash::leaver", "--exact"])
        .env(FOLDER, folder.path())
        .env(COUNT, EVENTS.to_string())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(ended.success());
    assert_eq!(events_in(folder.path()), EVENTS);
}

/// Events in the spool files of a folder.
fn events_in(folder: &Path) -> usize {
    let files = DiskFiles::new(folder);
    let mut events = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Opened::Ready(_, mut segment) = Segment::open_unheld(&files, &name).unwrap() else { continue };
        loop {
            let batch = segment.read(Limits { events: 10_000, bytes: 4 << 20 }).unwrap();
            segment.settle();
            if batch.events == 0 {
                break;
            }
            events += batch.events;
        }
    }
    events
}
