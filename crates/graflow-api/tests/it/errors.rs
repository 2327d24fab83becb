//! Every error, in one shape.

use axum::body::Body;
use axum::http::{Method, Request};

use crate::support::{TestApi, etl};

#[tokio::test(flavor = "multi_thread")]
async fn reads() {
    let api = TestApi::new();
    api.take(&etl("run-1", 0)).await;
    let cases = [
        ("/api/executions/none", "404 execution_not_found"),
        ("/api/executions/none/graph", "404 execution_not_found"),
        ("/api/executions/none/graph?at=3", "404 execution_not_found"),
        ("/api/executions/none/task_executions", "404 execution_not_found"),
        ("/api/executions/none/timeline", "404 execution_not_found"),
        ("/api/executions/none/data", "404 execution_not_found"),
        ("/api/executions/none/findings", "404 execution_not_found"),
        ("/api/executions/none/logs", "404 execution_not_found"),
        ("/api/executions/none/events", "404 execution_not_found"),
        ("/api/graph/current?execution_id=none", "404 execution_not_found"),
        ("/api/task_executions/none", "404 not_found"),
        ("/api/workflows/none", "404 not_found"),
        ("/nowhere", "404 no_such_path"),
        ("/api/executions?limit=0", "400 bad_parameter"),
        ("/api/executions?limit=5001", "400 bad_parameter"),
        ("/api/executions?limit=many", "400 bad_parameter"),
        ("/api/executions?stauts=failed", "400 bad_parameter"),
        ("/api/executions?status=broken", "400 bad_parameter"),
        ("/api/executions?status=", "400 bad_parameter"),
        ("/api/executions?started_after=noon", "400 bad_parameter"),
        ("/api/executions?duration_min=-1", "400 bad_parameter"),
        ("/api/executions?duration_min=NaN", "400 bad_parameter"),
        ("/api/executions?limit=1&limit=2", "400 bad_parameter"),
        ("/api/executions?cursor=rubbish", "400 bad_cursor"),
        ("/api/executions/run-1?cursor=rubbish", "400 bad_cursor"),
        ("/api/executions/run-1/data?cursor=rubbish", "400 bad_cursor"),
        ("/api/executions/run-1/findings?cursor=rubbish", "400 bad_cursor"),
        ("/api/executions/run-1/graph?at=noon", "400 bad_parameter"),
        ("/api/executions/run-1/graph?at=99999999999999999999999", "400 bad_parameter"),
        ("/api/executions/run-1/logs?level=loud", "400 bad_parameter"),
        ("/api/executions/run-1/task_executions?label.a=b", "400 bad_parameter"),
        ("/api/executions/%FF", "400 bad_path"),
        ("/api/search", "400 bad_parameter"),
        ("/api/search?q=%20", "400 bad_parameter"),
        ("/api/metrics/series?bucket=0.1", "400 bad_parameter"),
        ("/api/metrics/series?bucket=1&from=2020-01-01T00:00:00Z", "400 bad_parameter"),
        ("/ws/lineage", "400 no_websocket"),
        ("/ws/lineage?after=x", "400 bad_parameter"),
    ];
    for (path, expected) in cases {
        assert_eq!(api.get(path).await.error(), expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_an_error() {
    let api = TestApi::new();
    insta::assert_json_snapshot!("error_not_found", api.get("/api/executions/none").await.json());
    insta::assert_json_snapshot!(
        "error_unknown_parameter",
        api.get("/api/executions?stauts=failed").await.json()
    );
    insta::assert_json_snapshot!("error_limit", api.get("/api/executions?limit=0").await.json());
    insta::assert_json_snapshot!("error_status", api.get("/api/executions?status=broken").await.json());
    insta::assert_json_snapshot!("error_body", api.post("/api/events", &[], "{").await.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn methods() {
    let api = TestApi::new();
    for (method, path) in
        [(Method::PUT, "/api/events"), (Method::GET, "/api/events"), (Method::POST, "/health")]
    {
        let request = Request::builder().method(method.clone()).uri(path).body(Body::empty()).unwrap();
        assert_eq!(api.send(request).await.error(), "405 method_not_allowed", "{method} {path}");
    }
}

/// A cursor of one list does not open another.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_belongs_to_its_query() {
    let api = TestApi::new();
    api.take(&etl("run-1", 0)).await;
    api.take(&etl("run-2", 1)).await;
    let page = api.get("/api/executions?limit=1").await.ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    for path in [
        format!("/api/executions?workflow_name=other&cursor={cursor}"),
        format!("/api/tasks/load/history?cursor={cursor}"),
    ] {
        assert_eq!(api.get(&path).await.error(), "400 bad_cursor", "{path}");
    }
}
