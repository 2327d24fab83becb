//! A store in a temporary folder, and events to put into it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use graflow_lineage::store::{
    Appended, Batch, EventQuery, EventResult, ExecutionFilter, ExecutionQuery, Incoming, Store,
    TaskExecutionQuery, TaskOrder,
};
use graflow_model::row::ExecutionRow;
use graflow_model::{Clock, Event, Project, Timestamp};
use graflow_store::{EmbeddedOptions, EmbeddedStore};

/// Real time.
#[derive(Debug)]
pub(crate) struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_micros();
        Timestamp::from_micros(i64::try_from(micros).expect("it is before 294,000"))
    }

    fn mono_us(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_micros()).expect("tests are short")
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(RealClock(Instant::now()))
}

pub(crate) fn options(folder: &Path) -> EmbeddedOptions {
    let mut options = EmbeddedOptions::new(folder, clock());
    // A busy machine is not what is tested.
    options.read_patience = Duration::from_secs(30);
    options
}

pub(crate) fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(options(folder)).expect("the store opens")
}

/// An event from its JSON without `event_id` and `time`; the time is `second` seconds after a fixed one.
pub(crate) fn event(event_id: &str, second: u64, rest: &str) -> String {
    let time =
        Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(second * 1_000_000).expect("small"));
    format!(r#"{{"event_id":"{event_id}","time":"{time}",{rest}}}"#)
}

/// A run of two tasks, `extract` and `load`, the second of which fails if `fails`.
pub(crate) fn run(execution: &str, workflow: &str, second: u64, fails: bool) -> Vec<String> {
    let of = |kind: &str, more: &str| {
        format!(r#""type":"{kind}","execution_id":"{execution}","workflow_name":"{workflow}"{more}"#)
    };
    let task = |kind: &str, task: &str, data: &str| {
        of(kind, &format!(r#","task_id":"{task}","task_execution_id":"{execution}.{task}","data":{data}"#))
    };
    let error = r#"{"error":{"type":"ValueError","message":"no such row","fingerprint":"f1"}}"#;
    let started = format!(
        r#","data":{{"labels":{{"team":"{workflow}","nth":"{}"}},"trace_id":"t-{execution}"}}"#,
        second % 3
    );
    let mut events = vec![
        event(&format!("{execution}-1"), second, &of("workflow_started", &started)),
        event(&format!("{execution}-2"), second, &task("task_started", "extract", "{}")),
        event(
            &format!("{execution}-3"),
            second + 1,
            &task("task_completed", "extract", r#"{"result_size":7}"#),
        ),
        event(&format!("{execution}-4"), second + 1, &task("task_started", "load", "{}")),
    ];
    if fails {
        events.push(event(&format!("{execution}-5"), second + 3, &task("task_failed", "load", error)));
        events.push(event(
            &format!("{execution}-6"),
            second + 3,
            &of("workflow_failed", &format!(r#","data":{error}"#)),
        ));
    } else {
        events.push(event(&format!("{execution}-5"), second + 3, &task("task_completed", "load", "{}")));
        events.push(event(&format!("{execution}-6"), second + 3, &of("workflow_completed", "")));
    }
    events
}

pub(crate) fn batch(project: &str, events: &[String]) -> Batch {
    let events = events
        .iter()
        .map(|json| Incoming {
            event: Event::from_json(json.as_bytes()).expect("the test's events are sound"),
            json: json.as_str().into(),
        })
        .collect();
    Batch { project: Project::from(project), received: Timestamp::from_micros(1_700_000_000_000_000), events }
}

pub(crate) fn append(store: &EmbeddedStore, events: &[String]) -> Appended {
    store.append(batch("default", events)).wait().expect("the store takes it")
}

/// How many events were accepted.
pub(crate) fn accepted(appended: &Appended) -> usize {
    appended.results.iter().filter(|result| matches!(result, EventResult::Accepted(_))).count()
}

pub(crate) fn everything(store: &EmbeddedStore, filter: &ExecutionFilter, limit: usize) -> Vec<ExecutionRow> {
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

pub(crate) fn ids(rows: &[ExecutionRow]) -> Vec<&str> {
    rows.iter().map(|row| row.execution_id.as_str()).collect()
}

pub(crate) fn tasks_of(execution: &str) -> TaskExecutionQuery {
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

pub(crate) fn events_of(execution: &str) -> EventQuery {
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

pub(crate) fn sixty(store: &EmbeddedStore) {
    for n in 0..60 {
        let workflow = if n % 4 == 0 { "train" } else { "etl" };
        let mut events = run(&format!("x{n:02}"), workflow, n / 3, n % 5 == 0);
        if n % 7 == 0 {
            events.truncate(4); // It still runs.
        }
        append(store, &events);
    }
}
