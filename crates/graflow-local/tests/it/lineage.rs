//! Real workflows with [`Lineage`] as their sink.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use graflow::prelude::*;
use graflow_lineage::store::{ExecutionFilter, ExecutionQuery, Store};
use graflow_local::{DataFolder, Lineage, LogLayer, Ownership, Place};
use graflow_model::event::{DataWritten, Log, Payload};
use graflow_model::row::ExecutionRow;
use graflow_model::value::ValuePolicy;
use graflow_model::{Event, EventType, Project, Seq};
use tracing_subscriber::prelude::*;

use crate::server::TestServer;
use crate::{eventually, open_store};

#[task]
async fn numbers() -> Vec<u64> {
    tracing::info!(count = 3_u64, first = ?Some("x"), "made some numbers");
    vec![1, 2, 3]
}

#[task]
async fn total(numbers: &[u64]) -> u64 {
    tracing::warn!("only {}", numbers.len());
    numbers.iter().sum()
}

#[task]
async fn broken(numbers: &[u64]) -> Result<u64> {
    Err(TaskError::permanent(std::io::Error::other(format!("{} is not enough", numbers.len()))).into())
}

/// All tests of this process log through one subscriber, as programs do.
fn log() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let subscriber = tracing_subscriber::registry().with(LogLayer::default());
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

fn run(workflow: &Workflow, lineage: &Lineage) -> graflow::Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { workflow.execute().sink(lineage.clone()).label("from", "test").await.unwrap() })
}

/// The runs in a folder that nobody owns.
fn executions(folder: &DataFolder) -> (Vec<ExecutionRow>, Vec<Event>) {
    let mut ownership = None;
    eventually("the folder is free", || {
        ownership = Ownership::try_take(folder).unwrap();
        ownership.is_some()
    });
    let store = open_store(folder);
    let query = ExecutionQuery { filter: ExecutionFilter::default(), limit: 100, cursor: None };
    let rows = store.executions(&Project::default(), &query).unwrap().value.rows;
    let events = store.replay(&Project::default(), Seq::ZERO, 10_000).unwrap();
    drop(store);
    drop(ownership);
    (rows, events.into_iter().map(|stored| stored.event).collect())
}

#[test]
fn a_run_without_a_server_is_there_when_the_program_has_ended() {
    log();
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path().join("lineage"));
    let lineage = Lineage::open(folder.path());
    let run = run(&Workflow::new("sums", numbers() >> total()), &lineage);
    assert_eq!(run.result(total()).unwrap(), &6);
    assert_eq!(run.url().as_str(), None);
    let execution_id = run.execution_id().clone();
    drop(run);
    drop(lineage);
    let (rows, events) = executions(&folder);
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((&row.execution_id, row.workflow_name.as_str()), (&execution_id, "sums"));
    assert_eq!((row.status.as_str(), row.total_tasks, row.completed_tasks), ("completed", 2, 2));
    assert_eq!(row.labels, BTreeMap::from([("from".to_owned(), "test".to_owned())]));
    let runtime = row.runtime.as_ref().unwrap();
    assert_eq!((runtime.language.as_deref(), runtime.pid), (Some("rust"), Some(std::process::id())));

    let logged: Vec<(String, Log)> = events
        .iter()
        .filter_map(|event| match event.payload().unwrap() {
            Payload::Log(log) => Some((event.task_id.as_ref().unwrap().to_string(), log)),
            _ => None,
        })
        .collect();
    assert_eq!(logged.len(), 2);
    let (task, line) = &logged[0];
    assert_eq!(
        (task.as_str(), line.level.as_str(), line.message.as_str()),
        ("numbers", "info", "made some numbers")
    );
    let fields = line.fields.as_ref().unwrap();
    assert_eq!((&fields["count"], &fields["first"]), (&3.into(), &"Some(\"x\")".into()));
    assert!(line.file.as_ref().unwrap().ends_with("lineage.rs") && line.line.is_some());
    let (task, line) = &logged[1];
    assert_eq!((task.as_str(), line.level.as_str(), line.message.as_str()), ("total", "warning", "only 3"));

    // Numbered by one producer without gaps, in the order things happened.
    let numbers: Vec<u64> = events.iter().filter_map(|event| event.producer_seq).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
}

#[test]
fn a_failed_run_keeps_its_error() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let lineage = Lineage::open(folder.path());
    let run = run(&Workflow::new("fails", numbers() >> broken()), &lineage);
    assert_eq!(run.status(), ExecutionStatus::Failed);
    drop((run, lineage));
    let (rows, _) = executions(&folder);
    assert_eq!((rows[0].status.as_str(), rows[0].failed_tasks), ("failed", 1));
    assert!(rows[0].error.as_ref().unwrap().message.contains("3 is not enough"), "{:?}", rows[0].error);
}

#[test]
fn values_are_told_as_far_as_wished() {
    for (policy, hashed, previewed) in [
        (ValuePolicy::Off, false, false),
        (ValuePolicy::Metadata, true, false),
        (ValuePolicy::Preview, true, true),
    ] {
        let data = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(data.path());
        let lineage = Lineage::open(folder.path()).with_values(policy);
        drop((run(&Workflow::new("sums", numbers() >> total()), &lineage), lineage));
        let (_, events) = executions(&folder);
        let written = events.iter().filter(|event| event.event_type == EventType::DataWritten);
        let written: Vec<_> = written.map(|event| event.payload().unwrap()).collect();
        let any = |told: fn(&DataWritten) -> bool| {
            written.iter().any(|payload| matches!(payload, Payload::DataWritten(written) if told(written)))
        };
        let told = (any(|written| written.hash.is_some()), any(|written| written.preview.is_some()));
        assert_eq!(told, (hashed, previewed), "{policy:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_used_does_not_stop_the_workflow() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let lineage = Lineage::open(file.path().join("below a file"));
    let run = run(&Workflow::new("sums", numbers() >> total()), &lineage);
    assert_eq!(run.status(), ExecutionStatus::Completed);
    assert_eq!(lineage.place(), Place::Unknown);
    lineage.flush(Duration::from_millis(200));
    assert!(lineage.statistics().disk_error.is_some());
}

#[test]
fn where_a_server_owns_the_folder_the_run_has_an_address() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let server = TestServer::start(&folder);
    let lineage = Lineage::open(folder.path());
    let run = run(&Workflow::new("sums", numbers() >> total()), &lineage);
    let url = run.url().to_string();
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with(run.execution_id().as_str()), "{url}");
    lineage.flush(Duration::from_secs(5));
    let row = server.store.execution(&Project::default(), run.execution_id()).unwrap().value.unwrap();
    assert_eq!(row.status, ExecutionStatus::Completed);
}

#[test]
fn two_workflows_at_once_stay_apart() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let lineage = Lineage::open(folder.path());
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let lineage = lineage.clone();
            std::thread::spawn(move || {
                for _ in 0..5 {
                    let run = run(&Workflow::new(format!("w{n}"), numbers() >> total()), &lineage);
                    assert!(run.is_success());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    drop(lineage);
    let (rows, _) = executions(&folder);
    assert_eq!(rows.len(), 20);
    for row in rows {
        assert_eq!((row.status, row.completed_tasks), (ExecutionStatus::Completed, 2));
    }
}
