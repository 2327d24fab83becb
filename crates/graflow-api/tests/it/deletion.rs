//! Deleting, and what comes after.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::{TestApi, etl, event};

const DELETE: &str = "/api/executions/delete";

async fn three(api: &TestApi) {
    for number in 0..3 {
        api.take(&etl(&format!("run-{number}"), number * 1_000)).await;
    }
}

async fn ids(api: &TestApi) -> Vec<String> {
    let answer = api.get("/api/executions").await.ok();
    let rows = answer["executions"].as_array().unwrap();
    rows.iter().map(|row| row["execution_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one() {
    let api = TestApi::new();
    three(&api).await;
    let request = Request::delete("/api/executions/run-1").body(Body::empty()).unwrap();
    let answer = api.send(request).await.ok();
    assert_eq!(
        answer,
        json!({"dry_run": false, "executions": 1, "task_executions": 3, "events": 14, "execution_ids": ["run-1"]})
    );
    assert_eq!(ids(&api).await, ["run-2", "run-0"]);
    assert_eq!(api.get("/api/executions/run-1").await.error(), "404 execution_not_found");
    let again = Request::delete("/api/executions/run-1").body(Body::empty()).unwrap();
    assert_eq!(api.send(again).await.error(), "404 execution_not_found");
    // A late event of it is counted and not kept.
    let late = json!([event("late", "note", "run-1", 0, json!({}))]).to_string();
    let answer = api.post("/api/events?results=full", &[], late).await.ok();
    assert_eq!((&answer["dropped"], &answer["results"]), (&json!(1), &json!(["dropped"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_filter_and_dry() {
    let api = TestApi::new();
    three(&api).await;
    let before = json!({"started_before": "2026-11-23T12:00:02Z", "dry_run": true});
    let answer = api.post(DELETE, &[], before.to_string()).await.ok();
    assert_eq!((&answer["executions"], &answer["dry_run"]), (&json!(2), &json!(true)));
    assert_eq!(ids(&api).await.len(), 3);
    let some: Value = json!({"execution_ids": ["run-0", "run-2"], "labels": {"team": "a"}});
    assert_eq!(api.post(DELETE, &[], some.to_string()).await.ok()["executions"], 2);
    assert_eq!(ids(&api).await, ["run-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_only_when_said() {
    let api = TestApi::new();
    three(&api).await;
    for (body, expected) in [
        ("{}", "400 no_filter"),
        (r#"{"dry_run": true}"#, "400 no_filter"),
        (r#"{"all": true, "workflow_name": "etl"}"#, "400 all_and_filter"),
        (r#"{"everything": true}"#, "400 invalid_json"),
        ("", "400 invalid_json"),
        ("[]", "400 invalid_json"),
    ] {
        assert_eq!(api.post(DELETE, &[], body).await.error(), expected, "{body}");
    }
    assert_eq!(ids(&api).await.len(), 3);
    assert_eq!(api.post(DELETE, &[], r#"{"all": true}"#).await.ok()["executions"], 3);
    assert!(ids(&api).await.is_empty());
}
