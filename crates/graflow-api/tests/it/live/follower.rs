//! A service on a real port, and somebody who follows it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use graflow_api::{bind, serve};
use graflow_wire::{Message, MessageData, Rows};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tokio_util::sync::CancellationToken;

use crate::support::TestApi;

pub(super) type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A service on a real port.
pub(super) struct Running {
    pub(super) api: TestApi,
    pub(super) address: SocketAddr,
    pub(super) stop: CancellationToken,
    pub(super) serving: JoinHandle<std::io::Result<()>>,
}

impl Running {
    pub(super) async fn new(mut api: TestApi) -> Self {
        api.settings.port = 0;
        let listener = bind(&api.settings).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = serve(listener, Arc::clone(&api.manager), api.settings.clone(), stop.clone());
        Self { api, address, stop, serving: tokio::spawn(serving) }
    }

    pub(super) async fn watch(&self, query: &str) -> Socket {
        watch(self.address, query).await
    }

    pub(super) async fn end(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.serving).await.unwrap().unwrap().unwrap();
    }
}

pub(super) async fn watch(address: SocketAddr, query: &str) -> Socket {
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/ws/lineage{query}");
    tokio_tungstenite::client_async(url, stream).await.unwrap().0
}

pub(super) async fn next(socket: &mut Socket) -> Message {
    loop {
        let frame = timeout(PATIENCE, socket.next()).await.expect("a message in time");
        match frame.expect("the stream goes on").unwrap() {
            tungstenite::Message::Text(text) => {
                return serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            }
            tungstenite::Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// What a viewer knows.
#[derive(Default)]
pub(super) struct View {
    pub(super) executions: BTreeMap<String, Value>,
    pub(super) task_executions: BTreeMap<String, Value>,
    nodes: BTreeMap<(String, String), Value>,
    edges: BTreeMap<(String, String, String), Value>,
    /// The events it was told, in order.
    pub(super) told: Vec<u64>,
    /// Everything up to here.
    pub(super) seq: u64,
    pub(super) resyncs: usize,
    greeted: bool,
}

impl View {
    pub(super) fn take(&mut self, message: &Message) {
        match message.read().unwrap() {
            MessageData::Hello(hello) => {
                self.greeted = true;
                if let Some(rows) = hello.rows {
                    self.begin_anew(rows);
                }
            }
            MessageData::Resync(resync) => {
                self.resyncs += 1;
                self.begin_anew(resync.rows.unwrap_or_default());
            }
            MessageData::Event(delta) => {
                self.told.push(message.seq.0);
                self.put(delta.rows);
            }
            MessageData::Lost(change) | MessageData::Revived(change) => self.put(change.rows),
            MessageData::Ping(_) => {}
        }
        assert!(message.seq.0 >= self.seq, "{} after {}", message.seq, self.seq);
        self.seq = message.seq.0;
    }

    fn begin_anew(&mut self, rows: Rows) {
        self.executions.clear();
        self.task_executions.clear();
        self.nodes.clear();
        self.edges.clear();
        self.put(rows);
    }

    fn put(&mut self, rows: Rows) {
        for row in rows.executions {
            self.executions.insert(row.execution_id.to_string(), json!(row));
        }
        for row in rows.task_executions {
            self.task_executions.insert(row.task_execution_id.to_string(), json!(row));
        }
        for graph in rows.graphs {
            let id = graph.execution_id.to_string();
            for node in graph.nodes {
                self.nodes.insert((id.clone(), node.id.to_string()), json!(node));
            }
            for edge in graph.edges {
                self.edges
                    .insert((id.clone(), edge.source.to_string(), edge.target.to_string()), json!(edge));
            }
            for node in graph.removed_nodes {
                self.nodes.remove(&(id.clone(), node.to_string()));
            }
            for edge in graph.removed_edges {
                self.edges.remove(&(id.clone(), edge.source.to_string(), edge.target.to_string()));
            }
        }
    }

    /// Reads until everything up to `seq` has been told.
    pub(super) async fn follow_to(&mut self, socket: &mut Socket, seq: u64) {
        while self.seq < seq || !self.greeted {
            self.take(&next(socket).await);
        }
    }

    /// Reads until a message of that type has come.
    pub(super) async fn follow_to_type(&mut self, socket: &mut Socket, wanted: &str) {
        let found = async {
            loop {
                let message = next(socket).await;
                self.take(&message);
                if message.message_type == wanted {
                    break;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("the message in time");
    }

    /// Compares with what REST says of an execution.
    pub(super) async fn check(&self, api: &TestApi, execution_id: &str) {
        let detail = api.get(&format!("/api/executions/{execution_id}?limit=5000")).await.ok();
        assert_eq!(self.executions[execution_id], detail["execution"], "{execution_id}");
        for row in detail["task_executions"].as_array().unwrap() {
            assert_eq!(&self.task_executions[row["task_execution_id"].as_str().unwrap()], row);
        }
        let graph = api.get(&format!("/api/executions/{execution_id}/graph")).await.ok();
        let of_execution = |id: &String| id == execution_id;
        let nodes: Vec<_> =
            self.nodes.iter().filter(|((id, _), _)| of_execution(id)).map(|(_, node)| node).collect();
        let edges: Vec<_> =
            self.edges.iter().filter(|((id, ..), _)| of_execution(id)).map(|(_, edge)| edge).collect();
        assert_eq!(sorted(&json!(nodes)), sorted(&graph["nodes"]));
        assert_eq!(sorted(&json!(edges)), sorted(&graph["edges"]));
    }
}

fn sorted(rows: &Value) -> Vec<String> {
    let mut rows: Vec<_> = rows.as_array().unwrap().iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

pub(super) async fn last_seq(api: &TestApi) -> u64 {
    api.get("/api/server").await.ok()["last_seq"].as_u64().unwrap()
}

/// Waits until what was taken in can be read: on a busy machine that may take longer than a read waits.
pub(super) async fn applied(api: &TestApi) {
    let last = api.manager.store().last_seq();
    while api.manager.store().statistics().applied_seq < last.0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
