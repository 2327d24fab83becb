//! The live stream against a server that follows a script.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ws::{Message as Frame, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::{any, get};
use graflow_client::live::{Change, Live, LiveSettings};
use graflow_client::{ClientError, Endpoint};
use graflow_model::Seq;
use serde_json::{Value, json};

use crate::server::serve;

/// What each connection sends before it is cut, and what was asked of each.
#[derive(Debug, Clone, Default)]
struct Script {
    connections: Arc<Mutex<Vec<Vec<Value>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

struct Scripted {
    script: Script,
    live: Live,
    runtime: tokio::runtime::Runtime,
    stop: Option<Box<dyn FnOnce()>>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop.take().unwrap()();
    }
}

impl Scripted {
    fn new(connections: Vec<Vec<Value>>, settings: LiveSettings) -> Self {
        let script = Script { connections: Arc::new(Mutex::new(connections)), asked: Arc::default() };
        let router = Router::new()
            .route("/ws/lineage", any(connection))
            .route("/api/executions", get(page))
            .with_state(script.clone());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let (stop, thread) = serve(listener, router);
        let stop = Box::new(move || {
            let _ = stop.send(());
            thread.join().unwrap();
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let live = Live::new(endpoint, settings).unwrap();
        Self { script, live, runtime, stop: Some(stop) }
    }

    fn next(&mut self) -> Change {
        self.runtime.block_on(self.live.next()).unwrap()
    }

    /// Ids and workflow names of what is known.
    fn known(&self) -> Vec<String> {
        let known = self.live.view().executions();
        known.map(|execution| format!("{} {}", execution.execution_id, execution.workflow_name)).collect()
    }

    fn asked(&self) -> Vec<String> {
        self.script.asked.lock().unwrap().clone()
    }
}

async fn connection(
    State(script): State<Script>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    script.asked.lock().unwrap().push(format!("ws {}", query.unwrap_or_default()));
    let mut connections = script.connections.lock().unwrap();
    let messages = if connections.is_empty() { Vec::new() } else { connections.remove(0) };
    drop(connections);
    upgrade.on_upgrade(async move |mut socket| {
        for message in messages {
            let _ = socket.send(Frame::Text(message.to_string().into())).await;
        }
        // Cut without a farewell.
    })
}

async fn page(State(script): State<Script>, RawQuery(query): RawQuery) -> String {
    let query = query.unwrap_or_default();
    script.asked.lock().unwrap().push(format!("get {query}"));
    let (id, next) = if query.contains("cursor") { ("b", None) } else { ("a", Some("more")) };
    json!({"executions": [execution(id, "fetched")], "next_cursor": next, "as_of_seq": 5}).to_string()
}

fn execution(id: &str, workflow: &str) -> Value {
    json!({
        "execution_id": id, "workflow_name": workflow, "start_time": "2026-11-23T12:00:00Z", "end_time": null,
        "status": "running", "total_tasks": 0, "completed_tasks": 0, "failed_tasks": 0, "running_tasks": 0,
        "retried_tasks": 0, "duration": null, "labels": {}, "inputs": {}, "waiting_for": [],
        "llm": {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "duration": 0.0},
        "last_event_time": "2026-11-23T12:00:00Z",
    })
}

fn message(message_type: &str, seq: u64, data: &Value) -> Value {
    json!({"type": message_type, "timestamp": "2026-11-23T12:00:00Z", "seq": seq, "data": data})
}

fn rows(executions: &[Value]) -> Value {
    json!({"executions": executions, "task_executions": [], "graphs": []})
}

fn hello(instance: &str, seq: u64, executions: &[Value]) -> Value {
    message("hello", seq, &json!({"instance_id": instance, "as_of_seq": seq, "rows": rows(executions)}))
}

fn resumed(instance: &str, seq: u64) -> Value {
    message("hello", seq, &json!({"instance_id": instance, "as_of_seq": seq, "resumed_after": seq}))
}

fn started(seq: u64, id: &str, workflow: &str) -> Value {
    message("workflow_started", seq, &json!({"event": {}, "rows": rows(&[execution(id, workflow)])}))
}

fn ping(seq: u64) -> Value {
    message("ping", seq, &json!({"last_seq": seq}))
}

#[test]
fn a_cut_stream_goes_on_where_it_ended() {
    let first = vec![hello("i", 3, &[execution("a", "one")]), started(7, "b", "two"), ping(9)];
    let second = vec![resumed("i", 9), started(12, "a", "three")];
    let settings = LiveSettings { workflow_name: Some("w 1".into()), ..LiveSettings::default() };
    let mut scripted = Scripted::new(vec![first, second], settings);
    assert!(matches!(scripted.next(), Change::Snapshot));
    assert_eq!(scripted.known(), ["a one"]);
    assert!(matches!(scripted.next(), Change::Event(Seq(7), _)));
    assert!(matches!(scripted.next(), Change::Ping(_)));
    assert_eq!((scripted.known(), scripted.live.seq()), (vec!["a one".into(), "b two".into()], Seq(9)));
    assert!(matches!(scripted.next(), Change::Disconnected { .. }));
    assert!(matches!(scripted.next(), Change::Event(Seq(12), _)));
    assert_eq!(scripted.known(), ["a three", "b two"]);
    assert_eq!(scripted.asked(), ["ws workflow_name=w%201", "ws workflow_name=w%201&after=9"]);
}

#[test]
fn an_older_row_does_not_replace_a_newer_one() {
    let messages = vec![hello("i", 10, &[execution("a", "new")]), started(8, "a", "old")];
    let mut scripted = Scripted::new(vec![messages], LiveSettings::default());
    scripted.next();
    scripted.next();
    assert_eq!((scripted.known(), scripted.live.seq()), (vec!["a new".to_owned()], Seq(10)));
}

#[test]
fn resync_begins_anew() {
    let resync = message(
        "resync",
        20,
        &json!({"reason": "slow", "as_of_seq": 20, "rows": rows(&[execution("z", "w")])}),
    );
    let messages = vec![hello("i", 1, &[execution("a", "w")]), resync];
    let mut scripted = Scripted::new(vec![messages], LiveSettings::default());
    scripted.next();
    assert!(matches!(scripted.next(), Change::Snapshot));
    assert_eq!((scripted.known(), scripted.live.seq()), (vec!["z w".to_owned()], Seq(20)));
}

#[test]
fn a_large_snapshot_is_fetched_page_by_page() {
    let data = json!({"instance_id": "i", "as_of_seq": 5, "fetch": ["/api/executions?limit=1"]});
    let messages = vec![message("hello", 5, &data), started(6, "b", "live")];
    let mut scripted = Scripted::new(vec![messages], LiveSettings::default());
    assert!(matches!(scripted.next(), Change::Snapshot));
    assert_eq!(scripted.known(), ["a fetched", "b fetched"]);
    scripted.next();
    assert_eq!(scripted.known(), ["a fetched", "b live"]);
    assert_eq!(scripted.asked(), ["ws ", "get limit=1", "get limit=1&cursor=more"]);
}

#[test]
fn another_store_behind_the_same_address_is_begun_anew() {
    let first = vec![hello("i", 30, &[execution("a", "w")])];
    let second = vec![resumed("other", 30)];
    let third = vec![hello("other", 2, &[execution("z", "w")])];
    let mut scripted = Scripted::new(vec![first, second, third], LiveSettings::default());
    scripted.next();
    assert!(matches!(scripted.next(), Change::Disconnected { .. }));
    assert!(matches!(scripted.next(), Change::Snapshot));
    assert_eq!((scripted.known(), scripted.live.seq()), (vec!["z w".to_owned()], Seq(2)));
    assert_eq!(scripted.asked(), ["ws ", "ws after=30", "ws "]);
}

#[test]
fn the_first_connection_that_fails_is_an_error() {
    let settings = LiveSettings { after: Some(Seq(4)), ..LiveSettings::default() };
    let mut scripted = Scripted::new(Vec::new(), settings);
    scripted.stop.replace(Box::new(|| {})).unwrap()();
    let error = scripted.runtime.block_on(scripted.live.next()).unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}
