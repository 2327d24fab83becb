//! The example `long_running`, and what it says about itself.

use std::collections::BTreeMap;
use std::process::Command;

use graflow_wire::DataLineage;
use serde_json::Value;

use crate::support::{Place, Rest, Running, SOON};

/// The workflow that `long_running` runs.
pub(crate) const WORKFLOW: &str = "collatz";
/// The search tells how far it has come once in so many numbers, by writing [`FAR`].
const STRIDE: u64 = 100_000;
const FAR: &str = "looked_at";

pub(crate) fn command(place: &Place, seconds: u32) -> Command {
    let mut command = place.command(env!("CARGO_BIN_EXE_long_running"));
    command.args(["--seconds", &seconds.to_string()]);
    command
}

/// Waits until it has ended by itself, and says how many numbers it counted.
pub(crate) fn counted(program: &mut Running) -> u64 {
    let (status, lines) = program.wait(SOON);
    assert!(status.success(), "{lines:?} {}", program.stderr());
    let account = lines.iter().find(|line| line.starts_with("looked at ")).unwrap();
    account.split(' ').nth(2).unwrap().parse().unwrap()
}

/// Waits until it has told its progress so many times more.
pub(crate) fn goes_on(program: &mut Running, times: usize) {
    let told = |lines: &[String]| lines.iter().filter(|line| line.contains(" has a chain of ")).count();
    let goal = told(&program.lines()) + times;
    crate::support::until("progress", SOON, || told(&program.lines()) >= goal);
}

/// Everything that the program counted is there, once: each write of its progress with the right value in its place,
/// and of each process every number it gave to an event.
pub(crate) async fn nothing_missing_nothing_twice(rest: &Rest, execution_id: &str, counted: u64) {
    let data: DataLineage =
        rest.get(&format!("/api/executions/{execution_id}/data?limit=5000&key={FAR}")).await;
    let writes: Vec<u64> =
        data.writes.iter().filter(|write| write.key.as_str() == FAR).map(|write| write.version).collect();
    let expected: Vec<u64> = (1..=counted / STRIDE).collect();
    assert_eq!(writes, expected, "versions of {FAR} that were kept, against what the program counted");

    let events = all_events(rest, execution_id).await;
    let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for event in &events {
        let producer = event["producer"].as_str().unwrap().to_owned();
        numbers.entry(producer).or_default().push(event["producer_seq"].as_u64().unwrap());
    }
    for (producer, mut numbers) in numbers {
        let events = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), events, "{producer}: an event is there twice");
    }
    let findings: Value = rest.get(&format!("/api/executions/{execution_id}/findings")).await;
    let codes: Vec<&Value> =
        findings["findings"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert!(!codes.iter().any(|code| *code == "events_missing"), "{findings}");
}

/// Every event of a run, as it was received.
pub(crate) async fn all_events(rest: &Rest, execution_id: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let mut cursor = String::new();
    loop {
        let page: Value =
            rest.get(&format!("/api/executions/{execution_id}/events?limit=5000{cursor}")).await;
        events.extend(page["events"].as_array().unwrap().iter().map(|one| one["event"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return events,
        }
    }
}
