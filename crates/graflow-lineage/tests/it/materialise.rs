//! The materialiser: what it tells watchers, what it gives to be written, and that forgetting loses nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use graflow_lineage::materialise::{Delta, Materialiser, Observer, States};
use graflow_lineage::store::StoredEvent;
use graflow_model::row::ExecutionRow;
use graflow_model::{Event, ExecutionId, ExecutionState, Project, Seq, Timestamp};

#[derive(Clone, Default)]
struct Watcher(Arc<Mutex<Vec<Delta>>>);

impl Observer for Watcher {
    fn wants(&self, _: &Project, execution_id: &ExecutionId) -> bool {
        execution_id.as_str() == "x0"
    }
    fn publish(&self, delta: Delta) {
        self.0.lock().unwrap().push(delta);
    }
}

/// Three executions side by side, each of four tasks.
fn log() -> Vec<StoredEvent> {
    let mut seq = 0;
    let mut log = Vec::new();
    for step in 0..8 {
        for execution in 0..3 {
            seq += 1;
            let kind = if step % 2 == 0 { "task_started" } else { "task_completed" };
            let task = step / 2;
            let json = format!(
                r#"{{"event_id":"{seq}","type":"{kind}","time":"2026-11-23T12:00:{step:02}.000000Z","execution_id":"x{execution}","task_id":"t{task}","task_execution_id":"x{execution}.{task}","data":{{}}}}"#
            );
            log.push(StoredEvent {
                seq: Seq(seq),
                project: Project::default(),
                received: Timestamp::from_micros(0),
                event: Event::from_json(json.as_bytes()).unwrap(),
                json: json.into(),
            });
        }
    }
    log
}

fn folded(log: &[StoredEvent]) -> BTreeMap<ExecutionId, ExecutionRow> {
    let mut states: BTreeMap<ExecutionId, ExecutionState> = BTreeMap::new();
    for event in log {
        let id = event.event.execution_id.clone().unwrap();
        states.entry(id.clone()).or_insert_with(|| ExecutionState::new(id)).apply(&event.event);
    }
    states.into_iter().map(|(id, state)| (id, state.execution_row())).collect()
}

/// Runs the log through a materialiser that may keep `weight` in memory and commits every `batch` events.
fn materialised(weight: usize, batch: usize) -> (BTreeMap<ExecutionId, ExecutionRow>, usize, Watcher) {
    let (log, watcher) = (log(), Watcher::default());
    let mut materialiser = Materialiser::new(Arc::new(States::new(weight)), watcher.clone());
    let (mut rows, mut committed, mut loads) = (BTreeMap::new(), Vec::<StoredEvent>::new(), 0);
    for chunk in log.chunks(batch) {
        for event in chunk {
            let earlier = |_: &Project, id: &ExecutionId| {
                loads += 1;
                Ok(committed
                    .iter()
                    .filter(|event| event.event.execution_id.as_ref() == Some(id))
                    .cloned()
                    .collect())
            };
            materialiser.apply(event.clone(), earlier).unwrap();
        }
        for change in materialiser.take_changes() {
            rows.insert(change.execution.execution_id.clone(), change.execution);
        }
        committed.extend_from_slice(chunk);
        materialiser.committed();
    }
    (rows, loads, watcher)
}

#[test]
fn rows_are_the_fold_however_little_is_kept_in_memory() {
    for weight in [0, 1, 5, 1_000] {
        for batch in [1, 2, 7, 100] {
            let (rows, _, _) = materialised(weight, batch);
            assert_eq!(rows, folded(&log()), "weight {weight}, batch {batch}");
        }
    }
}

#[test]
fn what_is_in_memory_is_not_read_again() {
    let (_, loads, _) = materialised(1_000, 4);
    assert_eq!(loads, 3, "once an execution, when it is new");
    let (_, loads, _) = materialised(0, 1);
    assert!(loads > 3, "forgotten and read again: {loads}");
    let (_, loads, _) = materialised(0, 3);
    assert_eq!(loads, 3, "what every flush changes stays, however little may be kept");
}

#[test]
fn every_event_is_told_in_order_and_rows_only_of_what_is_watched() {
    let (_, _, watcher) = materialised(1_000, 5);
    let deltas = watcher.0.lock().unwrap();
    let seqs: Vec<_> = deltas.iter().map(|delta| delta.event.seq.0).collect();
    assert_eq!(seqs, (1..=24).collect::<Vec<_>>());
    for delta in deltas.iter() {
        let is_x0 = delta.event.event.execution_id.as_ref().unwrap().as_str() == "x0";
        assert_eq!(delta.rows.execution.is_some(), is_x0);
        assert_eq!(delta.rows.task_executions.len(), usize::from(is_x0));
    }
}
