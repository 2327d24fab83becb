//! What a viewer is told, from greeting to goodbye.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use graflow_api::Token;
use graflow_wire::MessageData;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::follower::{PATIENCE, Running, View, applied, last_seq, next};
use crate::support::{TestApi, etl, event};

#[tokio::test(flavor = "multi_thread")]
async fn greeting_events_and_ping() {
    let running = Running::new(TestApi::new()).await;
    running.api.take(&etl("run-1", 0)).await;
    applied(&running.api).await;
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
    applied(&running.api).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_pings_over_the_gaps() {
    let running = Running::new(TestApi::new()).await;
    let mut of_run = running.watch("?execution_id=run-1").await;
    let mut of_workflow = running.watch("?workflow_name=other").await;
    let (mut run, mut workflow) = (View::default(), View::default());
    // What comes before the greeting is in it, and is not told again.
    run.take(&next(&mut of_run).await);
    workflow.take(&next(&mut of_workflow).await);
    running.api.take(&etl("run-1", 0)).await;
    running.api.take(&[event("o", "workflow_started", "o-1", 0, json!({"workflow_name": "other"}))]).await;
    running.api.take(&etl("run-2", 0)).await;
    let last = last_seq(&running.api).await;
    run.follow_to(&mut of_run, last).await;
    workflow.follow_to(&mut of_workflow, last).await;
    assert_eq!(run.executions.keys().collect::<Vec<_>>(), ["run-1"]);
    assert_eq!(run.told, (1..=14).collect::<Vec<_>>());
    assert_eq!(workflow.executions.keys().collect::<Vec<_>>(), ["o-1"]);
    assert_eq!(workflow.told, [15]);
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
    view.take(&next(&mut socket).await);
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
