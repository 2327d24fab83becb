//! What can be asked: lists in their order and page by page, histories, events, counts.

use std::collections::BTreeSet;

use graflow_lineage::store::{
    Cursor, EventQuery, ExecutionFilter, ExecutionQuery, Found, MetricsQuery, NameQuery, Page, SearchQuery,
    SeriesQuery, Store, StoreError, TaskExecutionQuery, TaskOrder,
};
use graflow_model::row::{ExecutionRow, LlmTotals};
use graflow_model::{EventType, ExecutionStatus, Project, Seq, TaskStatus, Timestamp};
use graflow_store::EmbeddedStore;

use crate::support::{accepted, append, batch, event, events_of, everything, ids, open, options, run, sixty};

type Matches = fn(&ExecutionRow) -> bool;

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

/// A run in which a task calls a model twice, for a cent each.
fn run_with_model_calls(execution: &str, workflow: &str, second: u64) -> Vec<String> {
    let mut events = run(execution, workflow, second, false);
    for n in 0..2 {
        let call = format!(
            r#""type":"llm_called","execution_id":"{execution}","workflow_name":"{workflow}","task_id":"load",
               "task_execution_id":"{execution}.load","data":{{"input_tokens":10,"output_tokens":5,"cost_usd":0.01}}"#
        );
        events.push(event(&format!("{execution}-call-{n}"), second + 2, &call));
    }
    events
}

#[test]
fn model_calls_are_summed_over_workflows_tasks_and_windows() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::default();
    let store = open(folder.path());
    for n in 0..6 {
        let workflow = if n < 4 { "etl" } else { "train" };
        append(&store, &run_with_model_calls(&format!("x{n}"), workflow, n * 10));
    }
    append(&store, &run("quiet", "quiet", 0, false));
    let sums =
        |llm: &LlmTotals| (llm.calls, llm.priced_calls, llm.total_tokens(), (llm.cost_usd * 1e6).round());
    let at = |second: i64| Some(Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000));
    let etl = || MetricsQuery { workflow_name: Some("etl".into()), ..MetricsQuery::default() };
    let cases = [
        (MetricsQuery::default(), (12, 12, 180, 120_000.0)),
        (etl(), (8, 8, 120, 80_000.0)),
        (MetricsQuery { from: at(10), until: at(30), ..etl() }, (4, 4, 60, 40_000.0)),
        (MetricsQuery { from: at(40), ..MetricsQuery::default() }, (4, 4, 60, 40_000.0)),
        (MetricsQuery { task_id: Some("load".into()), ..etl() }, (8, 8, 120, 80_000.0)),
        (
            MetricsQuery { task_id: Some("load".into()), from: at(31), ..MetricsQuery::default() },
            (6, 6, 90, 60_000.0),
        ),
        (MetricsQuery { task_id: Some("extract".into()), ..MetricsQuery::default() }, (0, 0, 0, 0.0)),
        (MetricsQuery { workflow_name: Some("nothing".into()), ..MetricsQuery::default() }, (0, 0, 0, 0.0)),
    ];
    for (query, expected) in cases {
        assert_eq!(sums(&store.metrics(&project, &query).unwrap().value.llm), expected, "{query:?}");
    }
    let workflows =
        store.workflows(&project, &NameQuery { name: None, limit: 9, cursor: None }).unwrap().value;
    let found: Vec<_> =
        workflows.rows.iter().map(|row| (row.workflow_name.as_str(), row.llm.calls)).collect();
    assert_eq!(found, [("etl", 8), ("quiet", 0), ("train", 4)]);
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
    let open = store.open_executions().unwrap();
    assert!(open.is_empty(), "{open:?}");
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
    assert!(store.open_executions().unwrap().is_empty());
    for project in ["a", "b"] {
        store.append(batch(project, &run("runs", "etl", 0, false)[..4])).wait().unwrap();
    }
    let open = store.open_executions().unwrap();
    assert_eq!(open, ["a", "b"].map(|project| (Project::from(project), "runs".into())));
    let query = ExecutionQuery { filter: ExecutionFilter::default(), limit: 1, cursor: None };
    store.append(batch("a", &run("y", "etl", 0, false))).wait().unwrap();
    let page = store.executions(&Project::from("a"), &query).unwrap().value;
    let query = ExecutionQuery { cursor: page.next, ..query };
    assert!(matches!(store.executions(&Project::from("b"), &query), Err(StoreError::BadCursor)));
    let unknown = store.executions(&Project::from("c"), &ExecutionQuery { cursor: None, ..query }).unwrap();
    assert_eq!(unknown.value, Page { rows: Vec::new(), next: None });
}
