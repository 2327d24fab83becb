//! Silent executions read as lost, and come back.

use serde_json::{Value, json};

use crate::support::{TestApi, event};

fn started(execution_id: &str) -> Vec<Value> {
    let task = json!({"task_id": "t", "task_execution_id": format!("{execution_id}.1")});
    vec![
        event(
            &format!("{execution_id}-s"),
            "workflow_started",
            execution_id,
            0,
            json!({"workflow_name": "w"}),
        ),
        event(&format!("{execution_id}-t"), "task_started", execution_id, 1, task),
    ]
}

async fn statuses(api: &TestApi, id: &str) -> String {
    let detail = api.get(&format!("/api/executions/{id}")).await.ok();
    let graph = api.get(&format!("/api/executions/{id}/graph")).await.ok();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    format!(
        "{} {} {} {}",
        word(&detail["execution"]["status"]),
        word(&detail["task_executions"][0]["status"]),
        word(&graph["nodes"][0]["data"]["status"]),
        word(&detail["execution"]["lost_since"]),
    )
}

async fn heartbeat(api: &TestApi, ids: &[&str]) {
    let beat = json!([{"event_id": "b", "type": "heartbeat", "time": "2026-11-23T12:00:00Z", "producer": "h/b/1/n",
        "data": {"executions": ids}}]);
    let answer = api.post("/api/events", &[], beat.to_string()).await.ok();
    assert_eq!(answer["accepted"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_revived() {
    let api = TestApi::new();
    api.take(&started("x")).await;
    api.clock.advance_seconds(59);
    assert_eq!(statuses(&api, "x").await, "running running running -");
    api.clock.advance_seconds(11);
    assert_eq!(statuses(&api, "x").await, "lost lost lost 2026-11-23T12:01:00.000000Z");
    let list = async |query: &str| {
        api.get(&format!("/api/executions?status={query}")).await.ok()["executions"].as_array().unwrap().len()
    };
    assert_eq!((list("lost").await, list("running").await, list("lost,running").await), (1, 0, 1));
    let tasks = api.get("/api/executions/x/task_executions?status=lost").await.ok();
    assert_eq!(tasks["task_executions"].as_array().unwrap().len(), 1);
    let summary = api.get("/api/metrics/summary").await.ok();
    assert_eq!(summary["executions_by_status"], json!({"lost": 1}));
    assert!(
        api.get("/metrics").await.text.contains(r#"graflow_executions_open{workflow="w",status="lost"} 1"#)
    );
    assert_eq!(api.get("/api/workflows/w").await.ok()["workflow"]["last_status"], "lost");
    // It is computed, not stored: a heartbeat is enough to take it back.
    heartbeat(&api, &["x"]).await;
    assert_eq!(statuses(&api, "x").await, "running running running -");
    api.clock.advance_seconds(61);
    assert!(statuses(&api, "x").await.starts_with("lost"));
    api.take(&[event("n", "note", "x", 5, json!({}))]).await;
    assert!(statuses(&api, "x").await.starts_with("running"));
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_are_heard_in_what_is_sent_away() {
    let api = TestApi::with_store(|options| options.most_lag = 0, |_| {});
    api.take(&started("x")).await;
    assert!(statuses(&api, "x").await.starts_with("running"));
    // The tables wait for this lock, so that one more event is more than may wait.
    let tables = rusqlite::Connection::open(api.folder.path().join("lineage.db")).unwrap();
    tables.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    tables.execute_batch("BEGIN IMMEDIATE").unwrap();
    api.post("/api/events", &[], json!([event("y", "note", "y", 5, json!({}))]).to_string()).await.ok();
    api.clock.advance_seconds(61);

    let event = |id: &str, kind: &str| event(id, kind, "x", 6, json!({"data": {"message": "x".repeat(100)}}));
    let mut lines: Vec<_> = (0..50).map(|number| event(&format!("n{number}"), "note").to_string()).collect();
    let send = async |lines: &[String]| {
        let answer = api.post("/api/events", &[("content-type", "application/x-ndjson")], lines.join("\n"));
        answer.await.error()
    };
    assert_eq!(send(&lines).await, "503 overloaded");
    assert!(statuses(&api, "x").await.starts_with("lost"), "what is sent away unread is no sign of life");
    lines.push(event("b", "heartbeat").to_string());
    assert_eq!(send(&lines).await, "503 overloaded");
    tables.execute_batch("ROLLBACK").unwrap();
    assert!(statuses(&api, "x").await.starts_with("running"));
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_keep_alive_and_are_not_logged() {
    let api = TestApi::new();
    api.take(&started("x")).await;
    api.take(&started("y")).await;
    assert!(statuses(&api, "y").await.starts_with("running"));
    let before = api.get("/api/server").await.ok()["last_seq"].clone();
    for _ in 0..10 {
        api.clock.advance_seconds(10);
        heartbeat(&api, &["x"]).await;
    }
    assert!(statuses(&api, "x").await.starts_with("running"));
    assert!(statuses(&api, "y").await.starts_with("lost"));
    assert_eq!(api.get("/api/server").await.ok()["last_seq"], before);
}

#[tokio::test(flavor = "multi_thread")]
async fn never_while_waiting_nor_after_the_end() {
    let api = TestApi::new();
    api.take(&started("waits")).await;
    api.take(&started("ended")).await;
    let ask = json!({"task_id": "t", "task_execution_id": "waits.1", "data": {"feedback_id": "f", "prompt": "go on?"}});
    api.take(&[
        event("w", "waiting", "waits", 2, ask),
        event("e1", "task_completed", "ended", 3, json!({"task_id": "t", "task_execution_id": "ended.1"})),
        event("e2", "workflow_completed", "ended", 4, json!({})),
    ])
    .await;
    api.clock.advance_seconds(3_600);
    assert!(
        statuses(&api, "waits").await.starts_with("waiting waiting"),
        "{}",
        statuses(&api, "waits").await
    );
    assert!(statuses(&api, "ended").await.starts_with("completed completed"));
}
