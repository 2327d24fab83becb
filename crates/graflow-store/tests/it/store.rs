//! What is appended can be read: by whom, in which order, how far, and after what.

use std::collections::BTreeSet;
use std::sync::Arc;

use graflow_lineage::store::{
    AppendError, Cursor, EventQuery, EventResult, ExecutionFilter, ExecutionQuery, Found, MetricsQuery,
    NameQuery, Page, SearchQuery, SeriesQuery, Store, StoreError, TaskExecutionQuery, TaskOrder,
};
use graflow_model::event::EventErrorCode;
use graflow_model::row::ExecutionRow;
use graflow_model::{EventType, ExecutionStatus, Project, Seq, TaskStatus, Timestamp};
use graflow_store::files::{Fault, SimulatedFiles};
use graflow_store::{EmbeddedStore, OpenError};

use crate::support::{accepted, append, batch, event, open, options, run};

type Matches = fn(&ExecutionRow) -> bool;

fn everything(store: &EmbeddedStore, filter: &ExecutionFilter, limit: usize) -> Vec<ExecutionRow> {
    let mut query = ExecutionQuery { filter: filter.clone(), limit, cursor: None };
    let mut rows = Vec::new();
    loop {
        let page = store.executions(&Project::default(), &query).unwrap().value;
        assert!(page.rows.len() <= limit);
        rows.extend(page.rows);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return rows;
        }
    }
}

fn ids(rows: &[ExecutionRow]) -> Vec<&str> {
    rows.iter().map(|row| row.execution_id.as_str()).collect()
}

fn tasks_of(execution: &str) -> TaskExecutionQuery {
    TaskExecutionQuery {
        execution_id: Some(execution.into()),
        task_id: None,
        workflow_name: None,
        status: Vec::new(),
        order: TaskOrder::Oldest,
        limit: 100,
        cursor: None,
    }
}

fn events_of(execution: &str) -> EventQuery {
    EventQuery {
        execution_id: execution.into(),
        types: Vec::new(),
        task_execution_id: None,
        task_id: None,
        after: None,
        until: None,
        newest_first: false,
        limit: 100,
        cursor: None,
    }
}

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
fn projects_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.append(batch("a", &run("x", "etl", 0, false))).wait().unwrap();
    let second = store.append(batch("b", &run("x", "etl", 0, true))).wait().unwrap();
    assert_eq!(accepted(&second), 6, "ids are per project");
    for (project, status) in [("a", ExecutionStatus::Completed), ("b", ExecutionStatus::Failed)] {
        let project = Project::from(project);
        assert_eq!(store.execution(&project, &"x".into()).unwrap().value.map(|row| row.status), Some(status));
        assert_eq!(store.events(&project, &events_of("x")).unwrap().value.rows.len(), 6);
        assert_eq!(store.replay(&project, Seq::ZERO, 100).unwrap().len(), 6);
        assert_eq!(store.metrics(&project, &MetricsQuery::default()).unwrap().value.total_executions, 1);
    }
    let query = ExecutionQuery { filter: ExecutionFilter::default(), limit: 1, cursor: None };
    store.append(batch("a", &run("y", "etl", 0, false))).wait().unwrap();
    let page = store.executions(&Project::from("a"), &query).unwrap().value;
    let query = ExecutionQuery { cursor: page.next, ..query };
    assert!(matches!(store.executions(&Project::from("b"), &query), Err(StoreError::BadCursor)));
    let unknown = store.executions(&Project::from("c"), &ExecutionQuery { cursor: None, ..query }).unwrap();
    assert_eq!(unknown.value, Page { rows: Vec::new(), next: None });
}

/// Sixty runs over two workflows, several at the same time.
fn sixty(store: &EmbeddedStore) {
    for n in 0..60 {
        let workflow = if n % 4 == 0 { "train" } else { "etl" };
        let mut events = run(&format!("x{n:02}"), workflow, n / 3, n % 5 == 0);
        if n % 7 == 0 {
            events.truncate(4); // It still runs.
        }
        append(store, &events);
    }
}

#[test]
fn pages_of_executions_are_the_filtered_list_cut_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    sixty(&store);
    let all = everything(&store, &ExecutionFilter::default(), 1000);
    assert_eq!(all.len(), 60);
    assert!(all.is_sorted_by(|a, b| (b.start_time, &a.execution_id) <= (a.start_time, &b.execution_id)));

    let none = ExecutionFilter::default;
    let lost = BTreeSet::from(["x07".into(), "x14".into()]);
    let at = |second: i64| Some(Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000));
    let cases: Vec<(ExecutionFilter, Matches)> = vec![
        (none(), |_| true),
        (ExecutionFilter { workflow_name: Some("train".into()), ..none() }, |row| {
            row.workflow_name.as_str() == "train"
        }),
        (ExecutionFilter { workflow_name: Some("nothing".into()), ..none() }, |_| false),
        (ExecutionFilter { status: vec![ExecutionStatus::Failed], ..none() }, |row| {
            row.status == ExecutionStatus::Failed
        }),
        (
            ExecutionFilter { status: vec![ExecutionStatus::Running, ExecutionStatus::Failed], ..none() },
            |row| matches!(row.status, ExecutionStatus::Running | ExecutionStatus::Failed),
        ),
        (
            ExecutionFilter {
                workflow_name: Some("etl".into()),
                status: vec![ExecutionStatus::Completed],
                ..none()
            },
            |row| row.workflow_name.as_str() == "etl" && row.status == ExecutionStatus::Completed,
        ),
        (ExecutionFilter { status: vec![ExecutionStatus::Lost], lost: lost.clone(), ..none() }, |row| {
            ["x07", "x14"].contains(&row.execution_id.as_str())
        }),
        (ExecutionFilter { status: vec![ExecutionStatus::Running], lost, ..none() }, |row| {
            row.status == ExecutionStatus::Running && !["x07", "x14"].contains(&row.execution_id.as_str())
        }),
        (ExecutionFilter { labels: vec![("nth".into(), "1".into())], ..none() }, |row| {
            row.labels["nth"] == "1"
        }),
        (
            ExecutionFilter {
                labels: vec![("nth".into(), "1".into()), ("team".into(), "train".into())],
                ..none()
            },
            |row| row.labels["nth"] == "1" && row.labels["team"] == "train",
        ),
        (ExecutionFilter { trace_id: Some("t-x33".into()), ..none() }, |row| {
            row.execution_id.as_str() == "x33"
        }),
        (ExecutionFilter { fingerprint: Some("f1".into()), ..none() }, |row| row.failed_tasks > 0),
        (ExecutionFilter { id_prefix: Some("x2".into()), ..none() }, |row| {
            row.execution_id.as_str().starts_with("x2")
        }),
        (ExecutionFilter { text: Some("NO SUCH".into()), ..none() }, |row| row.error.is_some()),
        (ExecutionFilter { text: Some("team=train".into()), ..none() }, |row| {
            row.workflow_name.as_str() == "train"
        }),
        (ExecutionFilter { started_after: at(5), started_before: at(7), ..none() }, |row| {
            (1_700_000_005_000_000..1_700_000_007_000_000).contains(&row.start_time.as_micros())
        }),
        (ExecutionFilter { duration_min_us: Some(1), ..none() }, |row| row.duration.is_some()),
        (ExecutionFilter { duration_max_us: Some(1), ..none() }, |_| false),
        (
            ExecutionFilter {
                ids: Some(BTreeSet::from(["x01".into(), "x59".into(), "no".into()])),
                ..none()
            },
            |row| ["x01", "x59"].contains(&row.execution_id.as_str()),
        ),
    ];
    for (filter, matches) in cases {
        let expected: Vec<_> = all.iter().filter(|row| matches(row)).cloned().collect();
        for limit in [1, 7, 100] {
            assert_eq!(
                ids(&everything(&store, &filter, limit)),
                ids(&expected),
                "{filter:?}, {limit} a page"
            );
        }
    }
    // A cursor belongs to its filter.
    let query = ExecutionQuery { filter: none(), limit: 5, cursor: None };
    let cursor = store.executions(&Project::default(), &query).unwrap().value.next;
    let filter = ExecutionFilter { workflow_name: Some("etl".into()), ..none() };
    let other = ExecutionQuery { filter, limit: 5, cursor };
    assert!(matches!(store.executions(&Project::default(), &other), Err(StoreError::BadCursor)));
    let rubbish = ExecutionQuery { cursor: Some(Cursor("rubbish".into())), ..query };
    assert!(matches!(store.executions(&Project::default(), &rubbish), Err(StoreError::BadCursor)));
}

#[test]
fn the_history_of_a_task_goes_over_all_runs_and_workflows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    sixty(&store);
    let history = |workflow: Option<&str>, status: Vec<TaskStatus>, order, limit| {
        let mut query = TaskExecutionQuery {
            execution_id: None,
            task_id: Some("load".into()),
            workflow_name: workflow.map(Into::into),
            status,
            order,
            limit,
            cursor: None,
        };
        let mut rows = Vec::new();
        loop {
            let page = store.task_executions(&Project::default(), &query).unwrap().value;
            rows.extend(page.rows);
            query.cursor = page.next;
            if query.cursor.is_none() {
                return rows;
            }
        }
    };
    let all = history(None, Vec::new(), TaskOrder::Newest, 1000);
    assert_eq!(all.len(), 60);
    assert!(
        all.is_sorted_by(|a, b| (b.start_time, &a.task_execution_id) < (a.start_time, &b.task_execution_id))
    );
    for limit in [1, 9] {
        assert_eq!(history(None, Vec::new(), TaskOrder::Newest, limit), all);
    }
    let mut oldest = history(None, Vec::new(), TaskOrder::Oldest, 9);
    assert!(
        oldest
            .is_sorted_by(|a, b| (a.start_time, &a.task_execution_id) < (b.start_time, &b.task_execution_id))
    );
    oldest.sort_by(|a, b| (b.start_time, &a.task_execution_id).cmp(&(a.start_time, &b.task_execution_id)));
    assert_eq!(oldest, all);
    let trained = history(Some("train"), Vec::new(), TaskOrder::Newest, 4);
    assert_eq!(trained.len(), 15);
    assert!(trained.iter().all(|row| row.workflow_name.as_str() == "train"));
    let failed = history(None, vec![TaskStatus::Failed], TaskOrder::Newest, 4);
    assert_eq!(failed.len(), all.iter().filter(|row| row.status == TaskStatus::Failed).count());
}

#[test]
fn events_are_kept_as_they_came_and_found_by_type_task_and_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut opening = options(folder.path());
    opening.log.segment_bytes = 2_000;
    let store = EmbeddedStore::open(opening).unwrap();
    let project = Project::default();
    let odd = event(
        "odd",
        1,
        r#""type":"moon_rose","execution_id":"x","colour":  {"of" : "cheese"},"data":{"b":1,"a":2}"#,
    );
    let heartbeat = event("beat", 1, r#""type":"heartbeat","data":{"executions":["x"]}"#);
    let mut sent = run("x", "etl", 0, false);
    sent.push(odd.clone());
    for (n, json) in sent.iter().enumerate() {
        // Each with company of other runs, in records of their own and shared ones.
        append(&store, &[json.clone(), event(&format!("n{n}"), 0, r#""type":"note","execution_id":"y""#)]);
        append(&store, &run(&format!("z{n}"), "etl", 0, false));
    }
    append(&store, &[heartbeat]);
    let read = |query: &EventQuery| store.events(&project, query).unwrap().value;
    let texts =
        |query: &EventQuery| read(query).rows.iter().map(|row| row.json.to_string()).collect::<Vec<_>>();
    assert_eq!(texts(&events_of("x")), sent);
    assert_eq!(texts(&EventQuery { types: vec![EventType::from("moon_rose")], ..events_of("x") }), [odd]);
    let ends = vec![EventType::TaskCompleted, EventType::WorkflowCompleted];
    assert_eq!(texts(&EventQuery { types: ends, ..events_of("x") }), [&*sent[2], &*sent[4], &*sent[5]]);
    assert_eq!(texts(&EventQuery { task_id: Some("load".into()), ..events_of("x") }), [&*sent[3], &*sent[4]]);
    let of_task = EventQuery { task_execution_id: Some("x.extract".into()), ..events_of("x") };
    assert_eq!(texts(&of_task), [&*sent[1], &*sent[2]]);
    assert!(texts(&events_of("nobody")).is_empty());

    let numbers: Vec<_> = read(&events_of("x")).rows.iter().map(|row| row.seq).collect();
    let between = EventQuery { after: Some(numbers[1]), until: Some(numbers[4]), ..events_of("x") };
    assert_eq!(texts(&between), sent[2..=4]);
    for newest_first in [false, true] {
        let mut query = EventQuery { newest_first, limit: 2, ..events_of("x") };
        let mut paged = Vec::new();
        loop {
            let page = read(&query);
            paged.extend(page.rows.into_iter().map(|row| row.seq));
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        if newest_first {
            paged.reverse();
        }
        assert_eq!(paged, numbers);
    }
    let newest = EventQuery { newest_first: true, after: Some(numbers[3]), ..events_of("x") };
    assert_eq!(texts(&newest), [&*sent[2], &*sent[1], &*sent[0]]);

    let replayed = store.replay(&project, numbers[6], 3).unwrap();
    assert_eq!(
        replayed.iter().map(|row| row.seq.0).collect::<Vec<_>>(),
        [numbers[6].0 + 1, numbers[6].0 + 2, numbers[6].0 + 3]
    );
    assert_eq!(store.replay(&project, Seq::ZERO, 1000).unwrap().len() as u64, store.last_seq().0);
    assert!(store.replay(&project, store.last_seq(), 10).unwrap().is_empty());
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
fn counts_and_durations_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::default();
    let store = open(folder.path());
    for n in 0..20 {
        append(&store, &run(&format!("x{n}"), if n < 15 { "etl" } else { "train" }, n * 10, n % 5 == 0));
    }
    let all = store.metrics(&project, &MetricsQuery::default()).unwrap().value;
    assert_eq!(all.total_executions, 20);
    assert_eq!(all.by_status, [(ExecutionStatus::Completed, 16), (ExecutionStatus::Failed, 4)]);
    let tasks = all.tasks;
    assert_eq!(
        (tasks.total_tasks, tasks.completed_tasks, tasks.failed_tasks, tasks.retried_tasks),
        (40, 36, 4, 0)
    );
    assert_eq!(
        (tasks.min_us, tasks.p50_us, tasks.p99_us, tasks.max_us),
        (Some(1_000_000), Some(1_000_000), Some(2_000_000), Some(2_000_000))
    );
    assert_eq!(tasks.mean_us, Some(1_500_000.0));
    let at = |second: i64| Some(Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000));
    let some = MetricsQuery {
        workflow_name: Some("etl".into()),
        task_id: Some("load".into()),
        from: at(50),
        until: at(100),
    };
    let some = store.metrics(&project, &some).unwrap().value;
    assert_eq!((some.total_executions, some.tasks.total_tasks, some.tasks.failed_tasks), (5, 5, 1));
    let series = SeriesQuery { metrics: MetricsQuery::default(), bucket_us: 100_000_000 };
    let series = store.series(&project, &series).unwrap().value;
    assert_eq!(series.iter().map(|point| point.executions).collect::<Vec<_>>(), [10, 10]);
    assert_eq!(series.iter().map(|point| point.tasks.total_tasks).sum::<u64>(), 40);
    let workflows =
        store.workflows(&project, &NameQuery { name: None, limit: 1, cursor: None }).unwrap().value;
    let [etl] = &workflows.rows[..] else { panic!("{workflows:?}") };
    assert_eq!((etl.executions, etl.completed, etl.failed, etl.open), (15, 12, 3, 0));
    assert_eq!((etl.last_execution_id.as_str(), etl.mean_duration_us), ("x14", Some(3_000_000)));
    assert_eq!(etl.last_success_time, at(143));
    let query = NameQuery { name: None, limit: 1, cursor: workflows.next };
    assert_eq!(store.workflows(&project, &query).unwrap().value.rows[0].workflow_name.as_str(), "train");
}

#[test]
fn search_finds_executions_workflows_and_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    append(&store, &run("a-loadstar", "etl", 0, false));
    append(&store, &run("b", "Loading Dock", 1, true));
    let found =
        store.search(&Project::default(), &SearchQuery { text: "LOAD".into(), limit: 10 }).unwrap().value;
    let told: Vec<String> = found
        .iter()
        .map(|found| match found {
            Found::Execution { execution_id, .. } => format!("execution {execution_id}"),
            Found::Workflow { workflow_name } => format!("workflow {workflow_name}"),
            Found::Task { task_id, workflow_name } => format!("task {task_id} of {workflow_name}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "execution b",
            "execution a-loadstar",
            "workflow Loading Dock",
            "task load of Loading Dock",
            "task load of etl"
        ]
    );
    let open = store.open_executions(&Project::default()).unwrap();
    assert!(open.is_empty(), "{open:?}");
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
