//! What was acknowledged, and whether it is there, once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use graflow_client::SystemClock;
use graflow_lineage::store::Store as _;
use graflow_model::{Project, Seq};
use graflow_store::{EmbeddedOptions, EmbeddedStore};

use crate::http;
use crate::process::eventually;

/// The longest that the tables may be behind.
const CATCH_UP: Duration = Duration::from_secs(30);

/// Events of one execution, numbered from 1: `task_started` and `task_completed` in turns. What is sent again is the same to
/// the byte, with the same number.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) execution: String,
    pub(crate) numbers: std::ops::Range<u64>,
}

impl Batch {
    /// One event a line.
    pub(crate) fn lines(&self) -> String {
        let mut lines = String::new();
        let execution = &self.execution;
        for number in self.numbers.clone() {
            let (kind, task) =
                (if number % 2 == 1 { "task_started" } else { "task_completed" }, number.div_ceil(2));
            let seconds = number / 1_000 % 60;
            let micros = number % 1_000;
            // Writing into a string does not fail.
            let _ = writeln!(
                lines,
                r#"{{"event_id":"{execution}/{number}","type":"{kind}","time":"2026-11-23T12:00:{seconds:02}.{micros:06}Z","execution_id":"{execution}","workflow_name":"torture","task_id":"t{}","task_execution_id":"{execution}/t{task}","producer":"torture/1/1/{execution}","producer_seq":{number},"data":{{}}}}"#,
                task % 5
            );
        }
        lines
    }
}

/// Numbers of events that were acknowledged, by execution.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    executions: BTreeMap<String, BTreeSet<u64>>,
}

impl Ledger {
    pub(crate) fn acknowledge(&mut self, execution: &str, numbers: impl IntoIterator<Item = u64>) {
        let mut numbers = numbers.into_iter().peekable();
        if numbers.peek().is_some() {
            self.executions.entry(execution.to_owned()).or_default().extend(numbers);
        }
    }

    /// Takes an answer of 200: every event of the batch is there now, or was before.
    pub(crate) fn take(&mut self, batch: &Batch, answer: &http::Answer) -> anyhow::Result<()> {
        let json = answer.json()?;
        let count = |key: &str| json[key].as_u64().unwrap_or(0);
        let sum = count("accepted") + count("duplicates");
        ensure!(sum == batch.numbers.end - batch.numbers.start, "of {:?}: {}", batch.numbers, answer.body);
        self.acknowledge(&batch.execution, batch.numbers.clone());
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (execution, numbers) in other.executions {
            self.acknowledge(&execution, numbers);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.executions.values().map(BTreeSet::len).sum()
    }

    /// Asks the server for the events of one execution, once its tables have all that is in the log: an answer may be older
    /// than what was acknowledged before it, and says so.
    pub(crate) fn check_execution(&self, port: u16, execution: &str) -> anyhow::Result<()> {
        let Some(numbers) = self.executions.get(execution) else { return Ok(()) };
        eventually("the tables are up to the log", CATCH_UP, || {
            let metrics = http::get(port, "/metrics")?;
            Ok(metrics.body.lines().any(|line| line == "graflow_apply_lag_events 0"))
        })?;
        let mut seen = HashMap::new();
        let mut after = 0;
        loop {
            let page =
                http::get(port, &format!("/api/executions/{execution}/events?limit=5000&after={after}"))?;
            ensure!(page.status == 200, "the events of {execution}: {} {}", page.status, page.body);
            let page = page.json()?;
            let events = page["events"].as_array().context("an answer without events")?;
            let Some(last) = events.last() else { break };
            after = last["seq"].as_u64().context("an event without a number")?;
            for event in events {
                let id = event["event"]["event_id"].as_str().context("an event without an id")?;
                *seen.entry(id.to_owned()).or_insert(0) += 1;
            }
        }
        check(execution, numbers, &seen)
    }

    /// Asks the server for the events of every execution.
    pub(crate) fn check_server(&self, port: u16) -> anyhow::Result<()> {
        self.executions.keys().try_for_each(|execution| self.check_execution(port, execution))
    }

    /// Opens a folder that nobody owns and reads the log itself; says how many events are in it. What is in the tables must
    /// be what a rebuild makes of the log.
    pub(crate) fn check_folder(&self, folder: &Path) -> anyhow::Result<usize> {
        let store = open(folder, false)?;
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut after = Seq::ZERO;
        loop {
            let events = store.replay(&Project::default(), after, 10_000)?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            for event in events {
                *seen.entry(event.event.event_id.as_str().to_owned()).or_insert(0) += 1;
            }
        }
        if let Some((id, times)) = seen.iter().find(|(_, times)| **times != 1) {
            bail!("event {id} is in the log {times} times");
        }
        for (execution, numbers) in &self.executions {
            check(execution, numbers, &seen)?;
        }
        let hash = store.canonical_hash()?.value;
        drop(store);
        let rebuilt = open(folder, true)?.canonical_hash()?.value;
        ensure!(hash == rebuilt, "the tables are not what a rebuild makes of the log");
        Ok(seen.len())
    }
}

fn open(folder: &Path, rebuild: bool) -> anyhow::Result<EmbeddedStore> {
    let mut options = EmbeddedOptions::new(folder, Arc::new(SystemClock));
    options.rebuild = rebuild;
    Ok(EmbeddedStore::open(options)?)
}

fn check(execution: &str, numbers: &BTreeSet<u64>, seen: &HashMap<String, u32>) -> anyhow::Result<()> {
    let times = |number: &u64| seen.get(&format!("{execution}/{number}")).copied().unwrap_or(0);
    let lost: Vec<_> = numbers.iter().filter(|number| times(number) == 0).take(5).collect();
    ensure!(lost.is_empty(), "acknowledged and not there: events {lost:?} of {execution}");
    let doubled: Vec<_> = numbers.iter().filter(|number| times(number) > 1).take(5).collect();
    ensure!(doubled.is_empty(), "there more than once: events {doubled:?} of {execution}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_and_a_double_are_found() {
        let seen = |numbers: &[u64]| {
            let mut seen = HashMap::new();
            for number in numbers {
                *seen.entry(format!("x/{number}")).or_insert(0) += 1;
            }
            seen
        };
        let wanted = BTreeSet::from([1, 2]);
        assert!(check("x", &wanted, &seen(&[1, 2, 3])).is_ok(), "more than was acknowledged may be there");
        assert!(check("x", &wanted, &seen(&[1])).unwrap_err().to_string().contains("not there: events [2]"));
        assert!(
            check("x", &wanted, &seen(&[1, 2, 2]))
                .unwrap_err()
                .to_string()
                .contains("more than once: events [2]")
        );
    }

    #[test]
    fn its_events_are_events() {
        let lines = Batch { execution: "x".into(), numbers: 1..5 }.lines();
        let parsed =
            graflow_lineage::ingest::parse(lines.as_bytes(), graflow_lineage::ingest::BodyFormat::Ndjson)
                .unwrap();
        assert_eq!((parsed.events.len(), parsed.invalid.len()), (4, 0));
    }
}
