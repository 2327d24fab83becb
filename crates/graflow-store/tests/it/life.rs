//! What happens to a store: restarts, resends, deletions, rebuilds, too much at once, a failing disk.

use std::sync::Arc;

use graflow_lineage::store::{
    AppendError, EventResult, ExecutionFilter, MetricsQuery, NameQuery, Store, StoreError,
};
use graflow_model::event::EventErrorCode;
use graflow_model::{ExecutionStatus, Project, Seq, TaskStatus};
use graflow_store::files::{Fault, SimulatedFiles};
use graflow_store::{EmbeddedOptions, EmbeddedStore, OpenError};

use crate::support::{
    accepted, append, batch, event, events_of, everything, ids, open, options, run, sixty, tasks_of,
};

#[test]
fn who_appends_reads_it_at_once_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::default();
    let store = open(folder.path());
    for n in 0..50 {
        let appended = append(&store, &run(&format!("x{n:02}"), "etl", n, n % 10 == 0));
        assert_eq!(accepted(&appended), 6);
        let read = store.execution(&project, &format!("x{n:02}").as_str().into()).unwrap();
        assert!(read.as_of_seq >= appended.last_seq);
        assert!(read.value.is_some_and(|row| row.status.is_ended() && row.total_tasks == 2));
    }
    let check = |store: &EmbeddedStore| {
        assert_eq!(store.last_seq(), Seq(300));
        let row = store.execution(&project, &"x10".into()).unwrap().value.unwrap();
        assert_eq!(
            (row.status, row.failed_tasks, row.workflow_name.as_str()),
            (ExecutionStatus::Failed, 1, "etl")
        );
        let tasks = store.task_executions(&project, &tasks_of("x10")).unwrap().value.rows;
        let told: Vec<_> = tasks.iter().map(|row| (row.task_id.as_str(), row.status)).collect();
        assert_eq!(told, [("extract", TaskStatus::Completed), ("load", TaskStatus::Failed)]);
        assert_eq!(tasks[0].result_size, Some(7));
        assert_eq!(tasks[1].error.as_ref().map(|error| error.error_type.as_str()), Some("ValueError"));
        let one = store.task_execution(&project, &"x10.load".into()).unwrap().value;
        assert_eq!(one.as_ref(), Some(&tasks[1]));
        let state = store.state(&project, &"x10".into()).unwrap().value.unwrap();
        assert_eq!(state.lock().unwrap().execution_row(), row, "tables and fold say the same");
        assert_eq!(state.lock().unwrap().task_execution_rows(), tasks);
    };
    check(&store);
    drop(store);
    check(&open(folder.path()));
    assert!(open(folder.path()).state(&project, &"never".into()).unwrap().value.is_none());
}

#[test]
fn everything_is_taken_once_also_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut batches = Vec::new();
    for n in 0..8_u64 {
        let of = |producer: u64, number: u64| {
            let rest = format!(
                r#""type":"note","execution_id":"x{producer}","producer":"host/boot/{producer}/a","producer_seq":{number}"#
            );
            event(&format!("p{producer}-{number}"), n, &rest)
        };
        batches.push(vec![of(1, n + 1), of(2, 2 * n + 1), of(2, 2 * n + 2), of(1, n + 1)]);
        batches.push(run(&format!("r{n}"), "etl", n, false));
    }
    let mut taken = 0;
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..3 {
        random.shuffle(&mut batches);
        for half in batches.chunks(8) {
            let store = open(folder.path());
            for batch in half {
                taken += accepted(&append(&store, batch));
            }
            assert!(store.statistics().duplicates > 0 || taken <= 100);
        }
    }
    assert_eq!(taken, 8 * 3 + 8 * 6);
    let store = open(folder.path());
    assert_eq!(store.last_seq(), Seq(taken as u64));
    let reused =
        event("other", 1, r#""type":"note","execution_id":"x","producer":"host/boot/9/a","producer_seq":1"#);
    append(&store, &[reused.replace("other", "first")]);
    let results = append(&store, &[reused]).results;
    let [EventResult::Invalid(error)] = &results[..] else { panic!("{results:?}") };
    assert_eq!(error.code, EventErrorCode::ProducerSeqReused);
    assert_eq!(store.statistics().invalid, 1);
}

#[test]
fn what_was_deleted_is_gone_and_stays_gone() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::default();
    let store = open(folder.path());
    sixty(&store);
    let filter = ExecutionFilter { workflow_name: Some("train".into()), ..Default::default() };
    let would = store.delete(&project, &filter, true).unwrap();
    assert_eq!(store.metrics(&project, &MetricsQuery::default()).unwrap().value.total_executions, 60);
    let before = store.last_seq();
    let did = store.delete(&project, &filter, false).unwrap();
    assert_eq!(did, would);
    assert_eq!((did.executions, did.task_executions, did.execution_ids.len()), (15, 30, 15));
    let gone = did.execution_ids[0].clone();
    let check = |store: &EmbeddedStore| {
        assert_eq!(everything(store, &ExecutionFilter::default(), 100).len(), 45);
        assert!(everything(store, &filter, 100).is_empty());
        assert!(store.execution(&project, &gone).unwrap().value.is_none());
        assert!(store.state(&project, &gone).unwrap().value.is_none());
        assert!(store.events(&project, &events_of(gone.as_str())).unwrap().value.rows.is_empty());
        let query = NameQuery { name: None, limit: 10, cursor: None };
        assert_eq!(store.workflows(&project, &query).unwrap().value.rows.len(), 1);
        let replayed = store.replay(&project, Seq::ZERO, 1000).unwrap();
        assert_eq!(replayed.len() as u64, before.0 - did.events);
        let late = append(store, &[event("late", 99, &format!(r#""type":"note","execution_id":"{gone}""#))]);
        assert_eq!(late.results, [EventResult::Dropped]);
    };
    check(&store);
    assert_eq!(store.statistics().late_dropped, 1);
    drop(store);
    check(&open(folder.path()));
    let mut again = options(folder.path());
    again.rebuild = true;
    check(&EmbeddedStore::open(again).unwrap());
}

/// Whatever the last record holds, a flipped bit in it looks like a write that a crash cut short. The tables know better.
#[test]
fn a_rebuild_is_refused_where_the_log_has_lost_what_the_tables_know() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    sixty(&store);
    let hash = store.canonical_hash().unwrap();
    drop(store);
    let segment = std::fs::read_dir(folder.path().join("log")).unwrap().next().unwrap().unwrap().path();
    let sound = std::fs::read(&segment).unwrap();
    let mut damaged = sound.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&segment, &damaged).unwrap();
    let rebuild = || EmbeddedStore::open(EmbeddedOptions { rebuild: true, ..options(folder.path()) });
    let error = rebuild().unwrap_err().to_string();
    assert!(error.contains("is damaged at byte") && error.contains("in the tables"), "{error}");
    // Neither was touched: with the segment restored, all is as before.
    assert_eq!(std::fs::read(&segment).unwrap(), damaged);
    std::fs::write(&segment, &sound).unwrap();
    assert_eq!(rebuild().unwrap().canonical_hash().unwrap().value, hash.value);
}

#[test]
fn a_rebuild_says_the_same_and_tells_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    sixty(&store);
    // Late news of an old run, and a name that is said last.
    append(&store, &[event("late", 500, r#""type":"note","execution_id":"x00""#)]);
    let mut named_late = run("named-late", "unknown", 3, false);
    for json in &mut named_late[1..] {
        *json = json.replace(r#""workflow_name":"unknown","#, "");
    }
    append(&store, &named_late[1..]);
    append(&store, &[named_late[0].replace("unknown", "late")]);
    store
        .delete(
            &Project::default(),
            &ExecutionFilter { id_prefix: Some("x3".into()), ..Default::default() },
            false,
        )
        .unwrap();
    let before = store.canonical_hash().unwrap();
    let named = store.task_executions(&Project::default(), &tasks_of("named-late")).unwrap().value.rows;
    assert!(named.len() == 2 && named.iter().all(|row| row.workflow_name.as_str() == "late"), "{named:?}");
    drop(store);

    let (sender, progress) = std::sync::mpsc::channel();
    let mut again = options(folder.path());
    again.rebuild = true;
    again.progress = Box::new(move |opening| sender.send(opening).unwrap());
    let store = EmbeddedStore::open(again).unwrap();
    assert_eq!(store.canonical_hash().unwrap().value, before.value);
    let last = progress.try_iter().last().expect("it tells");
    assert!(last.events <= last.of && last.of == store.last_seq().0, "{last:?}");

    // Tables that were lost are built again without being asked.
    drop(store);
    std::fs::remove_file(folder.path().join("lineage.db")).unwrap();
    assert_eq!(open(folder.path()).canonical_hash().unwrap().value, before.value);
    // The hash notices what differs.
    let store = open(folder.path());
    append(&store, &run("one-more", "etl", 0, false));
    assert_ne!(store.canonical_hash().unwrap().value, before.value);
}

#[test]
fn late_events_find_an_execution_that_left_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut opening = options(folder.path());
    opening.most_weight = 1;
    let store = EmbeddedStore::open(opening).unwrap();
    let mut halves = Vec::new();
    for n in 0..30 {
        let events = run(&format!("x{n}"), "etl", n, n % 2 == 0);
        append(&store, &events[..3]);
        halves.push(events);
    }
    for events in &halves {
        append(&store, &events[3..]);
    }
    let rows = everything(&store, &ExecutionFilter::default(), 10);
    assert_eq!(rows.len(), 30);
    for row in rows {
        assert!(row.status.is_ended() && row.total_tasks == 2, "{row:?}");
        let tasks =
            store.task_executions(&Project::default(), &tasks_of(row.execution_id.as_str())).unwrap().value;
        assert_eq!(tasks.rows.len(), 2);
    }
}

#[test]
fn overload_is_answered_and_everything_acknowledged_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let mut opening = options(folder.path());
    opening.most_lag = 50;
    let store = EmbeddedStore::open(opening).unwrap();
    let receipts: Vec<_> = (0..400)
        .map(|n| {
            let events: Vec<_> = (0..50)
                .map(|m| event(&format!("{n}-{m}"), 1, &format!(r#""type":"note","execution_id":"x{n}""#)))
                .collect();
            store.append(batch("default", &events))
        })
        .collect();
    let (mut acknowledged, mut overloaded) = (0, 0);
    for receipt in receipts {
        match receipt.wait() {
            Ok(appended) => acknowledged += accepted(&appended),
            Err(AppendError::Overloaded { retry_after }) => {
                assert!(!retry_after.is_zero());
                overloaded += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(store.statistics().overloaded, overloaded);
    assert_eq!(store.statistics().accepted, acknowledged as u64);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.replay(&Project::default(), Seq::ZERO, 1_000_000).unwrap().len(), acknowledged);
    store.close();
    assert!(matches!(
        store.append(batch("default", &run("x", "etl", 0, false))).wait(),
        Err(AppendError::Closed)
    ));
}

#[test]
fn a_full_disk_is_told_and_passes_and_a_failing_one_leaves_reading() {
    let folder = tempfile::tempdir().unwrap();
    let files = SimulatedFiles::new();
    let mut opening = options(folder.path());
    opening.log_files = Some(Arc::new(files.clone()));
    let store = EmbeddedStore::open(opening).unwrap();
    append(&store, &run("before", "etl", 0, false));
    files.set_capacity(Some(1_000));
    let send = |name: &str| store.append(batch("default", &run(name, "etl", 0, false))).wait();
    assert_eq!(send("kept-out"), Err(AppendError::DiskFull));
    files.set_capacity(None);
    assert_eq!(accepted(&send("kept-out").unwrap()), 6, "what was refused is new");
    files.plan(Fault::Sync(std::io::ErrorKind::Other));
    for _ in 0..2 {
        assert!(matches!(send("lost"), Err(AppendError::Unwritable(_))));
    }
    assert_eq!(ids(&everything(&store, &ExecutionFilter::default(), 10)), ["before", "kept-out"]);
    assert_eq!(store.events(&Project::default(), &events_of("kept-out")).unwrap().value.rows.len(), 6);
}

#[test]
fn folders_that_cannot_be_used_are_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |error: OpenError| {
        let text = error.to_string();
        assert!(text.contains("hint: "), "{text}");
        text
    };
    let database = folder.path().join("lineage.db");
    std::fs::write(&database, "this is a letter to my grandmother, and not a database at all").unwrap();
    let error = refused(EmbeddedStore::open(options(folder.path())).unwrap_err());
    assert!(error.contains("is not a database of graflow lineage"), "{error}");
    std::fs::remove_file(&database).unwrap();

    append(&open(folder.path()), &run("x", "etl", 0, false));
    let segment = folder.path().join("log/seg-00000000000000000001.log");
    let sound = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &sound[..sound.len() - 9]).unwrap();
    refused(EmbeddedStore::open(options(folder.path())).unwrap_err());
    std::fs::write(&segment, &sound).unwrap();
    open(folder.path());

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    refused(EmbeddedStore::open(options(&file)).unwrap_err());
}

#[test]
fn a_row_that_makes_no_sense_is_named_and_a_rebuild_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    append(&open(folder.path()), &run("x", "etl", 0, false));
    let tables = rusqlite::Connection::open(folder.path().join("lineage.db")).unwrap();
    tables.execute_batch("UPDATE execution SET detail = '{'; UPDATE task_execution SET status = 99").unwrap();
    drop(tables);
    let store = open(folder.path());
    let told = |error: StoreError| {
        assert!(matches!(error, StoreError::Damaged(_)), "{error}");
        error.to_string()
    };
    let error = told(store.execution(&Project::default(), &"x".into()).unwrap_err());
    assert!(error.contains("`execution.detail` of row 1 ") && error.contains("rebuild"), "{error}");
    let error = told(store.task_executions(&Project::default(), &tasks_of("x")).unwrap_err());
    assert!(error.contains("`task_execution.status` of row 16777216 "), "{error}");
    drop(store);
    let mut again = options(folder.path());
    again.rebuild = true;
    let store = EmbeddedStore::open(again).unwrap();
    assert!(store.execution(&Project::default(), &"x".into()).unwrap().value.is_some());
}
