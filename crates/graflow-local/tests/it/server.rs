//! A server that owns a folder: ownership, store, intake and HTTP, as `serve` puts them together.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{get, post};
use graflow_client::SystemClock;
use graflow_lineage::ingest::{BodyFormat, parse};
use graflow_lineage::store::{Batch, EventResult, Store};
use graflow_local::{DataFolder, Owner, Ownership, SpoolIntake};
use graflow_model::{Clock, Project};
use graflow_store::EmbeddedStore;
use serde_json::{Value, json};
use tokio::sync::oneshot;

pub(crate) struct TestServer {
    pub(crate) store: Arc<EmbeddedStore>,
    pub(crate) intake: SpoolIntake,
    stop: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    _ownership: Ownership,
}

/// What `/api/server` says.
pub(crate) fn server_info(instance_id: &str) -> Value {
    let limits = json!({
        "request_bytes": 1, "inflated_bytes": 1, "events": 1, "event_bytes": 1, "id_bytes": 1, "name_bytes": 1,
        "page_default": 1, "page_max": 1, "replay_events": 1, "snapshot_rows": 1, "lost_after": 60,
    });
    json!({
        "name": "graflow", "version": "0", "instance_id": instance_id, "project": "default",
        "started_time": "2026-11-23T12:00:00Z", "time": "2026-11-23T12:00:00Z", "last_seq": 0, "viewers": 0,
        "limits": limits,
    })
}

pub(crate) fn owner(url: Option<String>, instance_id: &str) -> Owner {
    Owner {
        pid: std::process::id(),
        url,
        version: "0".into(),
        instance_id: instance_id.into(),
        started_time: SystemClock.now(),
    }
}

impl TestServer {
    /// Takes the folder, from a program if need be, and serves.
    pub(crate) fn start(folder: &DataFolder) -> Self {
        let mut ownership = Ownership::take(folder, Duration::from_secs(10)).unwrap();
        let store = Arc::new(crate::open_store(folder));
        let intake = SpoolIntake::new(folder, Arc::clone(&store) as Arc<dyn Store>, Arc::new(SystemClock));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/api/server", get(|| async { server_info("test").to_string() }))
            .route("/api/events", post(events))
            .with_state(Arc::clone(&store));
        let stop = Some(serve(listener, router));
        ownership.announce(owner(Some(url), "test")).unwrap();
        Self { store, intake, stop, _ownership: ownership }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let (stop, thread) = self.stop.take().unwrap();
        let _ = stop.send(());
        thread.join().unwrap();
        self.store.close();
    }
}

async fn events(State(store): State<Arc<EmbeddedStore>>, body: Bytes) -> String {
    let parsed = parse(&body, BodyFormat::Ndjson).unwrap();
    let events = parsed.events.into_iter().map(|(_, incoming)| incoming).collect();
    let batch = Batch { project: Project::default(), received: SystemClock.now(), events };
    let appended = store.append(batch).await.unwrap();
    let count = |wanted: fn(&EventResult) -> bool| appended.results.iter().filter(|r| wanted(r)).count();
    let accepted = count(|result| matches!(result, EventResult::Accepted(_)));
    let duplicates = count(|result| matches!(result, EventResult::Duplicate));
    json!({"accepted": accepted, "duplicates": duplicates, "invalid": [], "last_seq": appended.last_seq})
        .to_string()
}

pub(crate) fn serve(listener: TcpListener, router: Router) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::select! {
                served = axum::serve(listener, router).into_future() => served.unwrap(),
                _ = stopped => {}
            }
        });
    });
    (stop, thread)
}
