//! The whole: workflows, the real server over REST and WebSocket, and the typed client that asks it.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use graflow::prelude::*;
use graflow_api::Settings;
use graflow_client::live::{Change, Live, LiveSettings};
use graflow_client::{Client, Endpoint, Outcome, Query, SystemClock};
use graflow_lineage::manager::LineageManager;
use graflow_lineage::store::Store;
use graflow_local::{DataFolder, KeepsLooking, Lineage, Ownership, SpoolIntake};
use graflow_model::{Seq, TaskStatus};
use graflow_store::{EmbeddedOptions, EmbeddedStore};
use graflow_wire as wire;
use tokio_util::sync::CancellationToken;

use crate::server::owner;
use crate::{SOON, eventually};

#[task]
async fn load() -> Vec<u64> {
    (1..=10).collect()
}

#[task]
async fn even(load: &[u64]) -> Vec<u64> {
    load.iter().copied().filter(|n| n % 2 == 0).collect()
}

#[task]
async fn odd(load: &[u64]) -> Vec<u64> {
    load.iter().copied().filter(|n| n % 2 == 1).collect()
}

#[task(max_retries = 2, backoff = "1ms..2ms")]
async fn sum(ctx: &TaskContext, even: &[u64], odd: &[u64]) -> Result<u64> {
    if ctx.retry_count() == 0 {
        return Err(std::io::Error::other("the first attempt fails").into());
    }
    Ok(even.iter().chain(odd).sum())
}

fn workflow(name: &str) -> Workflow {
    Workflow::new(name, load() >> (even() | odd()) >> sum())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn run(name: &str, lineage: &Lineage) -> graflow::Run {
    block_on(async { workflow(name).execute().sink(lineage.clone()).await.unwrap() })
}

/// What `serve` is made of.
struct RealServer {
    endpoint: Endpoint,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    intake: Option<KeepsLooking>,
    ownership: Option<Ownership>,
}

impl RealServer {
    fn start(folder: &DataFolder, port: u16, instance_id: &str) -> Self {
        let mut ownership = Ownership::take(folder, SOON).unwrap();
        let clock = Arc::new(SystemClock);
        let live = graflow_lineage::live::Live::new(clock.clone());
        let mut options = EmbeddedOptions::new(folder.path(), clock.clone());
        options.observer = live.clone();
        let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(options).unwrap());
        let intake = SpoolIntake::new(folder, Arc::clone(&store), clock.clone()).keep_looking().unwrap();
        let manager = Arc::new(LineageManager::new(store, live, clock, 1).unwrap());
        let mut settings = Settings::local(instance_id);
        settings.port = port;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = graflow_api::bind(&settings).await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                graflow_api::serve(listener, manager, settings, stopped).await.unwrap();
            });
        });
        let url = format!("http://{}", receiver.recv().unwrap());
        ownership.announce(owner(Some(url.clone()), instance_id)).unwrap();
        let endpoint = Endpoint::parse(&url).unwrap();
        Self { endpoint, stop, thread: Some(thread), intake: Some(intake), ownership: Some(ownership) }
    }

    fn client(&self) -> Client {
        Client::to_server(self.endpoint.clone()).unwrap()
    }

    fn port(&self) -> u16 {
        self.endpoint.to_string().rsplit(':').next().unwrap().parse().unwrap()
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        drop(self.intake.take());
        self.stop.cancel();
        self.thread.take().unwrap().join().unwrap();
        drop(self.ownership.take());
    }
}

#[test]
fn every_endpoint_answers_in_the_shape_that_the_client_reads() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let server = RealServer::start(&folder, 0, "one");
    let lineage = Lineage::open(folder.path());
    let run = run("sums", &lineage);
    assert_eq!(run.result(sum()).unwrap(), &55);
    assert_eq!(lineage.flush(SOON), Outcome::Delivered);
    let client = server.client();
    let id = run.execution_id().as_str();
    block_on(async {
        let none = &Query::new();
        assert_eq!(client.server(none).await.unwrap().instance_id, "one");
        assert_eq!(client.health(none).await.unwrap().status, "healthy");
        client.ready(none).await.unwrap();
        let filter =
            Query::new().workflow_name("sums").status(&[ExecutionStatus::Completed, ExecutionStatus::Failed]);
        let list = client.executions(&filter.limit(10)).await.unwrap();
        assert_eq!((list.executions.len(), list.executions[0].status), (1, ExecutionStatus::Completed));
        let detail = client.execution(id, none).await.unwrap();
        assert_eq!((detail.execution.total_tasks, detail.execution.retried_tasks), (4, 1));
        assert_eq!(detail.task_executions.len(), 5);
        assert_eq!(client.task_executions(id, none).await.unwrap().task_executions.len(), 5);
        let one = detail.task_executions[0].task_execution_id.as_str();
        assert_eq!(client.task_execution(one, none).await.unwrap().task_execution.task_id.as_str(), "load");
        let history = client.task_history("sum", none).await.unwrap();
        assert!(history.executions.iter().any(|row| row.will_retry && row.status == TaskStatus::Failed));
        let graph = client.graph(id, none).await.unwrap();
        assert_eq!(client.current_graph(none).await.unwrap().nodes.len(), graph.nodes.len());
        assert!(graph.edges.iter().any(|edge| edge.data.count > 0));
        let before = client.graph(id, &Query::new().at_seq(Seq(0))).await;
        assert!(before.is_ok() || before.unwrap_err().is_not_found());
        assert!(!client.data(id, none).await.unwrap().writes.is_empty());
        assert!(!client.events(id, none).await.unwrap().events.is_empty());
        assert_eq!(client.timeline(id, none).await.unwrap().bars.len(), 5);
        assert_eq!(client.findings(id, none).await.unwrap().findings, []);
        client.logs(id, none).await.unwrap();
        assert_eq!(client.workflows(none).await.unwrap().workflows.len(), 1);
        assert_eq!(client.workflow("sums", none).await.unwrap().executions.len(), 1);
        assert_eq!(client.metrics_summary(none).await.unwrap().total_executions, 1);
        assert!(!client.metrics_series(none).await.unwrap().points.is_empty());
        assert!(!client.search(&Query::new().set("q", "sum")).await.unwrap().results.is_empty());
        assert!(client.get_text("/metrics").await.unwrap().contains("graflow_executions_total"));

        let request = wire::DeleteRequest { dry_run: true, all: true, ..wire::DeleteRequest::default() };
        assert_eq!(client.delete(&request).await.unwrap().executions, 1);
        assert_eq!(client.delete_execution(id).await.unwrap().executions, 1);
        let error = client.execution(id, none).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.is_not_found()), ("Execution not found", true));
    });
}

#[test]
fn the_server_goes_away_in_the_middle_and_nothing_is_missing_or_doubled() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let server = RealServer::start(&folder, 0, "one");
    let port = server.port();
    let lineage = Lineage::open(folder.path());
    let mut ids = Vec::new();
    let mut server = Some(server);
    for round in 0..12 {
        ids.push(run("sums", &lineage).execution_id().clone());
        match round {
            3 => drop(server.take()),
            8 => server = Some(RealServer::start(&folder, port, "two")),
            _ => {}
        }
    }
    let server = server.unwrap();
    let client = server.client();
    eventually("all runs are there, whole", || {
        lineage.flush(Duration::from_millis(100));
        block_on(async {
            for id in &ids {
                let Ok(detail) = client.execution(id.as_str(), &Query::new()).await else { return false };
                if detail.execution.status != ExecutionStatus::Completed || detail.task_executions.len() != 5
                {
                    return false;
                }
            }
            true
        })
    });
    for id in &ids {
        let events = block_on(client.events(id.as_str(), &Query::new())).unwrap().events;
        let mut known: Vec<String> = events.iter().map(|logged| logged.event.get().to_owned()).collect();
        let count = known.len();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), count, "each event once");
        let findings = block_on(client.findings(id.as_str(), &Query::new())).unwrap().findings;
        assert_eq!(findings, []);
    }
}

#[test]
fn a_viewer_whose_connections_are_cut_ends_with_what_rest_says() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let server = RealServer::start(&folder, 0, "one");
    let port = server.port();
    let lineage = Lineage::open(folder.path());
    assert!(run("before", &lineage).is_success());
    lineage.flush(SOON);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut live = Live::new(server.endpoint.clone(), LiveSettings::default()).unwrap();
    assert!(matches!(runtime.block_on(live.next()).unwrap(), Change::Snapshot));
    assert_eq!(live.view().executions().count(), 1);

    let working = {
        let lineage = lineage.clone();
        std::thread::spawn(move || {
            for _ in 0..20 {
                assert!(run("live", &lineage).is_success());
                std::thread::sleep(Duration::from_millis(30));
            }
        })
    };
    // The server restarts under both the workflows and the viewer.
    for _ in 0..20 {
        runtime.block_on(live.next()).unwrap();
    }
    drop(server);
    let server = RealServer::start(&folder, port, "two");
    // The server pings each second, so this ends.
    while !matches!(runtime.block_on(live.next()).unwrap(), Change::Disconnected { .. }) {}
    working.join().unwrap();
    eventually("everything is delivered", || {
        lineage.flush(SOON);
        block_on(server.client().executions(&Query::new())).unwrap().executions.len() == 21
    });
    let client = server.client();
    let mut rest = block_on(client.executions(&Query::new())).unwrap();
    while live.seq() < rest.as_of_seq {
        runtime.block_on(live.next()).unwrap();
        rest = block_on(client.executions(&Query::new())).unwrap();
    }
    rest.executions.sort_by(|a, b| a.execution_id.cmp(&b.execution_id));
    let seen: Vec<_> = live.view().executions().cloned().collect();
    assert_eq!(seen, rest.executions);
}

#[test]
fn one_runs_stream_has_its_tasks_and_graph() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let server = RealServer::start(&folder, 0, "one");
    let lineage = Lineage::open(folder.path());
    let run = run("sums", &lineage);
    lineage.flush(SOON);
    let settings = LiveSettings { execution_id: Some(run.execution_id().clone()), ..LiveSettings::default() };
    let mut live = Live::new(server.endpoint.clone(), settings).unwrap();
    block_on(async { live.next().await.unwrap() });
    let rest = block_on(server.client().graph(run.execution_id().as_str(), &Query::new())).unwrap();
    let view = live.view();
    assert_eq!(view.task_executions().count(), 5);
    let graph = view.graph(run.execution_id()).unwrap();
    assert_eq!((graph.nodes().count(), graph.edges().count()), (rest.nodes.len(), rest.edges.len()));
}
