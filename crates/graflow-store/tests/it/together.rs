//! Writers, readers and deletions at the same time, with next to no folds kept in memory.

use std::sync::atomic::{AtomicBool, Ordering};

use graflow_lineage::store::{AppendError, EventResult, ExecutionFilter, ExecutionQuery, Store, StoreError};
use graflow_model::{Project, Seq};
use graflow_store::EmbeddedStore;

use crate::support::{batch, open, options, run};

const WRITERS: u64 = 3;
const ROUNDS: u64 = 25;

#[test]
fn tables_folds_and_log_agree_after_everything_happened_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut opening = options(folder.path());
    opening.most_weight = 8;
    opening.log.segment_bytes = 20_000;
    let store = EmbeddedStore::open(opening).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn({
                    let store = &store;
                    move || write(store, writer)
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| read(&store, &done));
        }
        scope.spawn(|| delete(&store, &done));
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });

    let project = Project::default();
    let query = ExecutionQuery { filter: ExecutionFilter::default(), limit: 1_000, cursor: None };
    let rows = store.executions(&project, &query).unwrap().value.rows;
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row.status.is_ended() && row.total_tasks == 2),
        "{rows:?}"
    );
    for row in &rows {
        let state = store.state(&project, &row.execution_id).unwrap().value.unwrap();
        assert_eq!(&state.lock().unwrap().execution_row(), row);
    }
    let kept = store.replay(&project, Seq::ZERO, usize::MAX).unwrap().len();
    assert_eq!(kept, rows.len() * 6, "events of deleted executions are not given back");
    let hash = store.canonical_hash().unwrap().value;
    drop(store);
    let mut again = options(folder.path());
    again.rebuild = true;
    assert_eq!(EmbeddedStore::open(again).unwrap().canonical_hash().unwrap().value, hash);
    assert_eq!(open(folder.path()).canonical_hash().unwrap().value, hash);
}

/// Runs in pieces, the pieces of several runs interleaved, and read back piece by piece.
fn write(store: &EmbeddedStore, writer: u64) {
    for round in 0..ROUNDS {
        let runs: Vec<_> =
            (0..4).map(|n| run(&format!("w{writer}-{round}-{n}"), "etl", round, n == 0)).collect();
        for piece in 0..3 {
            for events in &runs {
                let events = &events[piece * 2..piece * 2 + 2];
                let appended = loop {
                    match store.append(batch("default", events)).wait() {
                        Err(AppendError::Overloaded { retry_after }) => std::thread::sleep(retry_after),
                        answer => break answer.unwrap(),
                    }
                };
                let dropped = appended.results.iter().all(|result| *result == EventResult::Dropped);
                let id = batch("default", events).events.remove(0).event.execution_id.unwrap();
                let read = store.execution(&Project::default(), &id).unwrap();
                assert!(read.as_of_seq >= appended.last_seq, "{} of {}", read.as_of_seq, appended.last_seq);
                assert!(!dropped || read.value.is_none(), "{id} was deleted");
            }
        }
    }
}

fn read(store: &EmbeddedStore, done: &AtomicBool) {
    let project = Project::default();
    let query = ExecutionQuery { filter: ExecutionFilter::default(), limit: 20, cursor: None };
    while !done.load(Ordering::Relaxed) {
        for row in store.executions(&project, &query).unwrap().value.rows {
            let Some(state) = store.state(&project, &row.execution_id).unwrap().value else { continue };
            let state = state.lock().unwrap().execution_row();
            // A fold is never behind what the tables said before it was asked for.
            assert!(
                state.total_tasks >= row.total_tasks && state.last_event_time >= row.last_event_time,
                "{state:?} {row:?}"
            );
        }
    }
}

/// Deletes some runs while they are being written.
fn delete(store: &EmbeddedStore, done: &AtomicBool) {
    let mut random = fastrand::Rng::with_seed(5);
    while !done.load(Ordering::Relaxed) {
        let prefix = format!("w{}-{}-1", random.u64(0..WRITERS), random.u64(0..ROUNDS));
        let filter = ExecutionFilter { id_prefix: Some(prefix), ..ExecutionFilter::default() };
        match store.delete(&Project::default(), &filter, false) {
            Ok(_) | Err(StoreError::Append(AppendError::Overloaded { .. })) => {}
            Err(other) => panic!("{other}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}
