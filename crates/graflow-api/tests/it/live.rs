//! The live stream: what a viewer ends with is what REST says, however often it was cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use graflow_api::{Token, bind, serve};
use graflow_wire::{Message, MessageData, Rows};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

use crate::support::{TestApi, etl, event};

type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;
const PATIENCE: Duration = Duration::from_secs(20);

/// A service on a real port.
struct Running {
    api: TestApi,
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn new(mut api: TestApi) -> Self {
        api.settings.port = 0;
        let listener = bind(&api.settings).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = serve(listener, Arc::clone(&api.manager), api.settings.clone(), stop.clone());
        Self { api, address, stop, serving: tokio::spawn(serving) }
    }

    async fn watch(&self, query: &str) -> Socket {
        watch(self.address, query).await
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.serving).await.unwrap().unwrap().unwrap();
    }
}

async fn watch(address: SocketAddr, query: &str) -> Socket {
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/ws/lineage{query}");
    tokio_tungstenite::client_async(url, stream).await.unwrap().0
}

async fn next(socket: &mut Socket) -> Message {
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
struct View {
    executions: BTreeMap<String, Value>,
    task_executions: BTreeMap<String, Value>,
    nodes: BTreeMap<(String, String), Value>,
    edges: BTreeMap<(String, String, String), Value>,
    /// The events it was told, in order.
    told: Vec<u64>,
    /// Everything up to here.
    seq: u64,
    resyncs: usize,
    greeted: bool,
}

impl View {
    fn take(&mut self, message: &Message) {
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
    async fn follow_to(&mut self, socket: &mut Socket, seq: u64) {
        while self.seq < seq || !self.greeted {
            self.take(&next(socket).await);
        }
    }

    /// Reads until a message of that type has come.
    async fn follow_to_type(&mut self, socket: &mut Socket, wanted: &str) {
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
    async fn check(&self, api: &TestApi, execution_id: &str) {
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

async fn last_seq(api: &TestApi) -> u64 {
    api.get("/api/server").await.ok()["last_seq"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn greeting_events_and_ping() {
    let running = Running::new(TestApi::new()).await;
    running.api.take(&etl("run-1", 0)).await;
    let mut socket = running.watch("").await;
    let hello = next(&mut socket).await;
    insta::assert_json_snapshot!("hello", json!(hello));
    let ping = next(&mut socket).await;
    assert_eq!((ping.message_type.as_str(), ping.seq), ("ping", hello.seq));
    running
        .api
        .take(&[event(
            "n",
            "task_failed",
            "run-2",
            5,
            json!({"task_id": "t", "task_execution_id": "t.1",
        "data": {"error": {"type": "E", "message": "m"}}}),
        )])
        .await;
    loop {
        let message = next(&mut socket).await;
        if message.message_type == "ping" {
            continue;
        }
        insta::assert_json_snapshot!("task_failed", json!(message));
        break;
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_comes_half_way_ends_with_what_rest_says() {
    let running = Running::new(TestApi::new()).await;
    let events = etl("run-1", 0);
    running.api.take(&events[..8]).await;
    let mut socket = running.watch("?execution_id=run-1").await;
    let mut view = View::default();
    view.take(&next(&mut socket).await);
    assert_eq!(view.task_executions.len(), 2);
    for event in &events[8..] {
        running.api.take(std::slice::from_ref(event)).await;
    }
    view.follow_to(&mut socket, last_seq(&running.api).await).await;
    view.check(&running.api, "run-1").await;
    assert_eq!((view.told.len(), view.resyncs), (6, 0));
    running.end().await;
}

/// Sockets are cut at random while events come in; each client resumes, hears every event once, and ends with
/// what REST says.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cut_at_random() {
    const RUNS: i64 = 30;
    let running = Running::new(TestApi::new()).await;
    let all: Vec<Value> = (0..RUNS).flat_map(|run| etl(&format!("run-{run:02}"), run * 100)).collect();
    let total = all.len() as u64;
    let done = CancellationToken::new();
    let clients: Vec<_> = (0..6_u64)
        .map(|seed| {
            let (address, done) = (running.address, done.clone());
            tokio::spawn(async move {
                let mut random = fastrand::Rng::with_seed(seed);
                let mut view = View::default();
                let query = if seed % 2 == 0 { "" } else { "&workflow_name=etl" };
                let mut rounds = 0;
                loop {
                    let after = view.seq;
                    let mut socket = watch(address, &format!("?after={after}{query}")).await;
                    rounds += 1;
                    for _ in 0..random.u32(1..60) {
                        view.take(&next(&mut socket).await);
                    }
                    if done.is_cancelled() && view.seq >= total {
                        return (view, rounds);
                    }
                    // Some say goodbye, some just go.
                    if random.bool() {
                        let _ = socket.close(None).await;
                    }
                }
            })
        })
        .collect();
    for batch in all.chunks(7) {
        running.api.take(batch).await;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    assert_eq!(last_seq(&running.api).await, total);
    done.cancel();
    let mut rounds = 0;
    for client in clients {
        let (view, of_client) = timeout(PATIENCE * 3, client).await.unwrap().unwrap();
        rounds += of_client;
        assert_eq!(view.told, (1..=total).collect::<Vec<_>>(), "every event once, in order");
        assert_eq!(view.resyncs, 0);
        for run in 0..RUNS {
            view.check(&running.api, &format!("run-{run:02}")).await;
        }
    }
    assert!(rounds > 30, "{rounds} connections");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_pings_over_the_gaps() {
    let running = Running::new(TestApi::new()).await;
    let mut of_run = running.watch("?execution_id=run-1").await;
    let mut of_workflow = running.watch("?workflow_name=other").await;
    running.api.take(&etl("run-1", 0)).await;
    running.api.take(&[event("o", "workflow_started", "o-1", 0, json!({"workflow_name": "other"}))]).await;
    running.api.take(&etl("run-2", 0)).await;
    let last = last_seq(&running.api).await;
    let (mut run, mut workflow) = (View::default(), View::default());
    run.follow_to(&mut of_run, last).await;
    workflow.follow_to(&mut of_workflow, last).await;
    assert_eq!(run.executions.keys().collect::<Vec<_>>(), ["run-1"]);
    assert_eq!(run.told, (1..=14).collect::<Vec<_>>());
    assert_eq!(workflow.executions.keys().collect::<Vec<_>>(), ["o-1"]);
    assert_eq!(workflow.told, [15]);
    running.end().await;
}

/// A viewer that does not read is told to begin anew, once, and then ends with what REST says. Its neighbour
/// notices nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_viewer_begins_anew_and_harms_nobody() {
    let running = Running::new(TestApi::new()).await;
    let mut slow = running.watch("?execution_id=x").await;
    let mut quick = running.watch("?execution_id=x").await;
    let mut quick_view = View::default();
    let total = 40_000_u64;
    let reader = tokio::spawn(async move {
        quick_view.follow_to(&mut quick, total).await;
        quick_view
    });
    for batch in 0..total / 2_000 {
        let events: Vec<_> = (0..2_000)
            .map(|place| {
                let number = batch * 2_000 + place;
                let data = json!({"task_id": "t", "task_execution_id": format!("t.{}", number % 500), "iteration": number % 500,
                    "data": {"worker": "w".repeat(400)}});
                event(&format!("e{number}"), "task_started", "x", number.cast_signed(), data)
            })
            .collect();
        running.api.take(&events).await;
        // The quick one is given time to read; the slow one's queue fills up all the same.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let mut slow_view = View::default();
    slow_view.follow_to(&mut slow, total).await;
    assert!(slow_view.resyncs >= 1, "it was never too slow");
    assert!((slow_view.told.len() as u64) < total);
    assert_eq!(slow_view.told.iter().collect::<BTreeSet<_>>().len(), slow_view.told.len());
    slow_view.check(&running.api, "x").await;
    let quick_view = timeout(PATIENCE, reader).await.unwrap().unwrap();
    quick_view.check(&running.api, "x").await;
    running.end().await;
}

/// A thousand viewers; nine of ten never read, and the others hear of every event.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_viewers() {
    let running = Running::new(TestApi::new()).await;
    let mut stalled = Vec::new();
    let mut readers = Vec::new();
    for number in 0..1_000 {
        let socket = running.watch("").await;
        if number % 10 == 0 {
            readers.push(socket);
        } else {
            stalled.push(socket);
        }
    }
    for number in 0..20 {
        running.api.take(&etl(&format!("run-{number}"), number * 10)).await;
    }
    let last = last_seq(&running.api).await;
    let followed: Vec<_> = readers
        .into_iter()
        .map(|mut socket| {
            tokio::spawn(async move {
                let mut view = View::default();
                view.follow_to(&mut socket, last).await;
                assert_eq!((view.told.len() as u64, view.resyncs), (last, 0));
                (socket, view.executions.len())
            })
        })
        .collect();
    assert_eq!(running.api.manager.live().statistics().viewers, 1_000);
    for reader in followed {
        assert_eq!(timeout(PATIENCE * 3, reader).await.unwrap().unwrap().1, 20);
    }
    drop(stalled);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_far_behind_or_of_another_store() {
    let running = Running::new(TestApi::new()).await;
    running.api.take(&etl("run-1", 0)).await;
    let mut socket = running.watch("?after=999").await;
    let mut view = View::default();
    view.take(&next(&mut socket).await);
    assert!(view.executions.is_empty());
    let message = next(&mut socket).await;
    assert!(matches!(message.read().unwrap(), MessageData::Resync(resync) if resync.reason == "behind"));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_too_large_is_to_be_fetched() {
    let running = Running::new(TestApi::new()).await;
    let nodes: Vec<_> =
        (0..2_100).map(|number| json!({"id": format!("n{number}"), "kind": "static"})).collect();
    running
        .api
        .take(&[event("g", "graph_changed", "a b", 0, json!({"data": {"nodes": nodes, "edges": []}}))])
        .await;
    let mut socket = running.watch("?execution_id=a%20b").await;
    let MessageData::Hello(hello) = next(&mut socket).await.read().unwrap() else {
        panic!("hello comes first")
    };
    assert_eq!(hello.rows, None);
    assert_eq!(hello.fetch.unwrap(), ["/api/executions/a%20b", "/api/executions/a%20b/graph"]);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn turning_lost_is_pushed_and_taken_back() {
    let running = Running::new(TestApi::new()).await;
    running.api.take(&etl("run-1", 0)[..3]).await;
    let mut socket = running.watch("?execution_id=run-1").await;
    let mut view = View::default();
    running.api.clock.advance_seconds(61);
    view.follow_to_type(&mut socket, "lost").await;
    view.check(&running.api, "run-1").await;
    assert_eq!(view.executions["run-1"]["status"], "lost");
    assert_eq!(view.executions["run-1"]["lost_since"], "2026-11-23T12:01:00.000000Z");
    running.api.take(&etl("run-1", 0)[3..4]).await;
    view.follow_to_type(&mut socket, "revived").await;
    view.check(&running.api, "run-1").await;
    assert_eq!(view.executions["run-1"]["status"], "running");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_browser_is_a_subprotocol() {
    let token = "0123456789+/abc=";
    let api = TestApi::with(|settings| settings.token = Some(Token::new(token).unwrap()));
    let running = Running::new(api).await;
    let connect = async |protocols: Option<&str>| {
        let mut request = format!("ws://{}/ws/lineage", running.address).into_client_request().unwrap();
        if let Some(protocols) = protocols {
            request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
        }
        let stream = TcpStream::connect(running.address).await.unwrap();
        tokio_tungstenite::client_async(request, stream).await
    };
    let refused = connect(None).await.unwrap_err().to_string();
    assert!(refused.contains("401"), "{refused}");
    let (mut socket, response) = connect(Some("graflow, bearer.0123456789%2B%2Fabc%3D")).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "graflow");
    assert_eq!(next(&mut socket).await.message_type, "hello");
    running.end().await;
}

/// Viewers, stalled ones too, do not keep the server from stopping, and those who read hear a goodbye.
#[tokio::test(flavor = "multi_thread")]
async fn goodbye() {
    let running = Running::new(TestApi::new()).await;
    let mut socket = running.watch("").await;
    let _stalled = running.watch("").await;
    next(&mut socket).await;
    let began = std::time::Instant::now();
    running.stop.cancel();
    let code = loop {
        let frame = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        if let tungstenite::Message::Close(frame) = frame {
            break frame.unwrap().code;
        }
    };
    assert_eq!(u16::from(code), 1001);
    let _ = socket.flush().await;
    timeout(PATIENCE, running.serving).await.unwrap().unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
