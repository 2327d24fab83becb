//! A program that keeps its lineage itself is killed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use graflow_client::{Outcome, SystemClock};
use graflow_local::{DataFolder, Ownership, SpoolIntake};
use std::sync::Arc;

use crate::{event, ids, open_store, producer};

const FOLDER: &str = "GRAFLOW_TEST_FOLDER";
const NAME: &str = "GRAFLOW_TEST_NAME";

/// Not a test by itself: the program that the tests here kill.
#[test]
fn victim() {
    let (Ok(folder), Ok(name)) = (std::env::var(FOLDER), std::env::var(NAME)) else { return };
    let (producer, _) = producer(&DataFolder::at(folder), true);
    for n in 0_u64.. {
        producer.send(event(format!("{name}-{n}")));
        if n % 10 == 9 {
            assert_ne!(producer.flush(Duration::from_secs(5)), Outcome::Incomplete);
            println!("safe {name}-{n}");
        }
    }
}

fn start(folder: &DataFolder, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["crash::victim", "--exact", "--nocapture"])
        .env(FOLDER, folder.path())
        .env(NAME, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for so many lines, kills it, and gives the ids of all events that it called safe.
fn kill_after(victim: &mut Child, lines: usize) -> BTreeSet<String> {
    let mut output = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut last = None;
    let mut said = 0;
    while said < lines {
        let line = output.next().expect("the victim lives").unwrap();
        if let Some(safe) = line.split("safe ").nth(1) {
            last = Some(safe.to_owned());
            said += 1;
        }
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    let rest = output.map_while(Result::ok).filter_map(|line| Some(line.split("safe ").nth(1)?.to_owned()));
    let last = rest.last().or(last).unwrap();
    let (name, number) = last.rsplit_once('-').unwrap();
    (0..=number.parse::<u64>().unwrap()).map(|n| format!("{name}-{n}")).collect()
}

#[test]
fn killed_again_and_again_nothing_is_lost_or_doubled() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let mut safe = BTreeSet::new();
    for (round, lines) in [1, 5, 13, 30].into_iter().enumerate() {
        safe.extend(kill_after(&mut start(&folder, &format!("v{round}")), lines));
    }
    check(&folder, &safe);
}

#[test]
fn two_at_once_are_killed_one_after_the_other() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let mut owner = start(&folder, "owner");
    let mut other = start(&folder, "other");
    let mut safe = kill_after(&mut owner, 10);
    safe.extend(kill_after(&mut other, 10));
    check(&folder, &safe);
}

/// The next owner finds a folder that it can take, and everything in it that was called safe.
fn check(folder: &DataFolder, safe: &BTreeSet<String>) {
    let ownership = Ownership::try_take(folder).unwrap().expect("the dead own nothing");
    let store = Arc::new(open_store(folder));
    let intake = SpoolIntake::new(folder, Arc::clone(&store) as _, Arc::new(SystemClock));
    intake.take_in().unwrap();
    let known = ids(&*store);
    let missing: Vec<_> = safe.difference(&known).collect();
    assert!(missing.is_empty(), "{missing:?}");
    drop(ownership);
}
