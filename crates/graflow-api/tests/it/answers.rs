//! Whole answers, with exact ids and times.

use serde_json::json;

use crate::support::{TestApi, etl, event};

/// Every read of one run, as it is answered.
#[tokio::test(flavor = "multi_thread")]
async fn every_read_of_a_run() {
    let api = TestApi::new();
    api.take(&etl("run-1", 0)).await;
    for (name, path) in [
        ("graph_current", "/api/graph/current"),
        ("execution_list", "/api/executions"),
        ("execution_detail", "/api/executions/run-1"),
        ("execution_graph", "/api/executions/run-1/graph"),
        ("task_executions", "/api/executions/run-1/task_executions?task_id=load&order=newest"),
        ("timeline", "/api/executions/run-1/timeline"),
        ("data", "/api/executions/run-1/data"),
        ("findings", "/api/executions/run-1/findings"),
        ("logs", "/api/executions/run-1/logs"),
        ("event_log", "/api/executions/run-1/events?types=workflow_started,task_failed"),
        ("task_execution", "/api/task_executions/run-1-load.2"),
        ("task_history", "/api/tasks/load/history"),
        ("workflow_list", "/api/workflows"),
        ("workflow_detail", "/api/workflows/etl?limit=1"),
        ("metrics_summary", "/api/metrics/summary"),
        ("metrics_series", "/api/metrics/series?until=2026-11-23T13:00:00Z"),
        ("search", "/api/search?q=loa"),
        ("server", "/api/server"),
        ("health", "/health"),
        ("ready", "/ready"),
    ] {
        insta::assert_json_snapshot!(name, api.get(path).await.ok());
    }
}

/// A run in which a task asks a model in a loop: the second time without an answer.
pub(crate) fn asked(at_millis: i64) -> Vec<serde_json::Value> {
    let of_task = |id: &str, kind: &str, millis: i64, pass: u32, data: serde_json::Value| {
        let task = json!({"task_id": "ask", "task_execution_id": format!("ask.{pass}"), "iteration": pass,
            "attempt": 1, "data": data});
        event(id, kind, "asked", at_millis + millis, task)
    };
    let call = |id: &str, millis, pass, data| of_task(id, "llm_called", millis, pass, data);
    let messages = json!([{"role": "user", "content": "Is it done?"}]);
    vec![
        event("q1", "workflow_started", "asked", at_millis, json!({"workflow_name": "agent"})),
        of_task("t0", "task_started", 50, 0, json!({})),
        of_task("t1", "task_started", 950, 1, json!({})),
        call(
            "q2",
            900,
            0,
            json!({"model": "small-1", "duration_us": 800_000, "input_tokens": 40, "output_tokens": 8,
                "cost_usd": 0.000_2, "tools": ["look"], "prompt": messages, "completion": "Not yet."}),
        ),
        call(
            "q3",
            2_000,
            1,
            json!({"model": "small-1", "duration_us": 1_000_000,
                "error": {"type": "RateLimitError", "message": "slow down"}}),
        ),
        event("q4", "workflow_completed", "asked", at_millis + 2_500, json!({})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn model_calls() {
    let api = TestApi::new();
    api.take(&asked(0)).await;
    insta::assert_json_snapshot!("llm", api.get("/api/executions/asked/llm").await.ok());
    insta::assert_json_snapshot!("llm_calls", api.get("/api/executions/asked/llm/calls").await.ok());
    let newest = api.get("/api/executions/asked/llm/calls?order=newest&limit=1").await.ok();
    assert_eq!(newest["calls"][0]["iteration"], 1);
    let cursor = newest["next_cursor"].as_str().unwrap();
    let path = format!("/api/executions/asked/llm/calls?order=newest&limit=1&cursor={cursor}");
    let older = api.get(&path).await.ok();
    assert_eq!((&older["calls"][0]["iteration"], &older["next_cursor"]), (&json!(0), &json!(null)));
    for path in ["task_id=other", "task_execution_id=other"] {
        let none = api.get(&format!("/api/executions/asked/llm/calls?{path}")).await.ok();
        assert_eq!(none["calls"], json!([]));
    }
    for path in ["llm", "llm/calls"] {
        assert_eq!(
            api.get(&format!("/api/executions/nobody/{path}")).await.error(),
            "404 execution_not_found"
        );
    }
    let sums = &api.get("/api/executions/asked/llm").await.ok()["total"];
    assert_eq!(&api.get("/api/workflows/agent").await.ok()["workflow"]["llm"], sums);
    assert_eq!(&api.get("/api/executions/asked").await.ok()["execution"]["llm"], sums);
    for query in ["", "workflow_name=agent", "task_id=ask"] {
        assert_eq!(&api.get(&format!("/api/metrics/summary?{query}")).await.ok()["llm"], sums, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_yet() {
    let api = TestApi::new();
    assert_eq!(
        api.get("/api/graph/current").await.ok(),
        json!({"nodes": [], "edges": [], "execution_id": null, "as_of_seq": 0})
    );
    assert_eq!(
        api.get("/api/executions").await.ok(),
        json!({"executions": [], "next_cursor": null, "as_of_seq": 0})
    );
    assert_eq!(api.get("/api/tasks/x/history").await.ok()["executions"], json!([]));
    let summary = api.get("/api/metrics/summary").await.ok();
    assert_eq!(summary["success_rate"], 0.0);
    assert_eq!(summary["average_task_duration"], 0.0);
    assert_eq!(summary["total_executions"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_graph_as_it_stood() {
    let api = TestApi::new();
    api.take(&etl("run-1", 0)).await;
    let status = |graph: serde_json::Value| -> Vec<String> {
        let nodes = graph["nodes"].as_array().unwrap();
        nodes
            .iter()
            .map(|node| {
                format!("{} {}", node["id"].as_str().unwrap(), node["data"]["status"].as_str().unwrap())
            })
            .collect()
    };
    let events = api.get("/api/executions/run-1/events").await.ok();
    let third = &events["events"][2]["seq"];
    let cases = [
        (format!("/api/executions/run-1/graph?at={third}"), vec!["extract running", "load pending"]),
        (
            "/api/graph/current?at=2026-11-23T12:00:00.285Z".to_owned(),
            vec!["extract completed", "load failed"],
        ),
        ("/api/graph/current?at=2026-11-23T11:00:00Z".to_owned(), vec![]),
        ("/api/graph/current?execution_id=run-1".to_owned(), vec!["extract completed", "load completed"]),
    ];
    for (path, expected) in cases {
        assert_eq!(status(api.get(&path).await.ok()), expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters() {
    let api = TestApi::new();
    api.take(&etl("run-1", 0)).await;
    api.take(&etl("run-2", 60_000)).await;
    api.take(&[
        event("o1", "workflow_started", "other-1", 120_000, json!({"workflow_name": "other"})),
        event(
            "o2",
            "workflow_failed",
            "other-1",
            121_000,
            json!({"data": {"error": {"type": "E", "message": "broken pipe"}}}),
        ),
        event("o3", "workflow_started", "other-2", 180_000, json!({"workflow_name": "other"})),
    ])
    .await;
    let cases = [
        ("", "other-2 other-1 run-2 run-1"),
        ("status=completed", "run-2 run-1"),
        ("status=failed,running", "other-2 other-1"),
        ("workflow_name=etl", "run-2 run-1"),
        ("id_prefix=run", "run-2 run-1"),
        ("started_after=2026-11-23T12:01:00Z", "other-2 other-1 run-2"),
        ("started_before=2026-11-23T12:01:00Z", "run-1"),
        ("label.team=a&label.env=prod", "run-2 run-1"),
        ("label.team=b", ""),
        ("trace_id=trace-1", "run-2 run-1"),
        ("q=BROKEN", "other-1"),
        ("duration_min=0.9", "other-1"),
        ("duration_max=0.9", "run-2 run-1"),
    ];
    for (query, expected) in cases {
        let answer = api.get(&format!("/api/executions?{query}")).await.ok();
        let ids: Vec<_> = answer["executions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["execution_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.join(" "), expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_by_level_and_task() {
    let api = TestApi::new();
    api.take(&etl("run-1", 0)).await;
    for (query, expected) in [
        ("", "read 3 rows, slow"),
        ("?level=warning", "slow"),
        ("?task_id=extract", "read 3 rows"),
        ("?order=newest", "slow, read 3 rows"),
        ("?task_execution_id=run-1-load.2", "slow"),
    ] {
        let answer = api.get(&format!("/api/executions/run-1/logs{query}")).await.ok();
        let lines: Vec<_> = answer["logs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(lines.join(", "), expected, "{query}");
    }
}

/// What a newer producer says is kept and given back, to the letter.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_types_and_fields_come_back() {
    let api = TestApi::new();
    let text = r#"{"event_id":"1","type":"task_paused","time":"2026-11-23T12:00:00Z","execution_id":"x","mood": "fine","n":1.50}"#;
    api.post("/api/events", &[], text).await.ok();
    let answer = api.get("/api/executions/x/events").await;
    assert!(answer.text.contains(text), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus() {
    let api = TestApi::new();
    api.take(&etl("run-1", 0)).await;
    api.take(&[event("w", "workflow_started", "w-1", 1_000, json!({"workflow_name": "night \"ly\""}))]).await;
    api.take(&[
        event("c", "workflow_cancelled", "c-1", 900, json!({"workflow_name": "cut"})),
        event(
            "m",
            "workflow_completed",
            "m-1",
            900,
            json!({"workflow_name": "cut", "data": {"reason": "max_steps"}}),
        ),
    ])
    .await;
    api.post("/api/events", &[], "[{}]").await.ok();
    api.clock.advance_seconds(11);
    let text = api.get("/metrics").await.text;
    for line in [
        r#"graflow_executions_total{workflow="etl",status="completed"} 1"#,
        r#"graflow_executions_total{workflow="etl",status="failed"} 0"#,
        r#"graflow_executions_total{workflow="cut",status="cancelled"} 1"#,
        r#"graflow_executions_total{workflow="cut",status="terminated"} 0"#,
        r#"graflow_executions_total{workflow="cut",status="max_steps"} 1"#,
        r#"graflow_execution_duration_seconds_sum{workflow="etl"} 0.8"#,
        r#"graflow_execution_duration_seconds_count{workflow="etl"} 1"#,
        r#"graflow_last_success_timestamp_seconds{workflow="etl"} 1795435200.8"#,
        r#"graflow_executions_open{workflow="night \"ly\"",status="running"} 1"#,
        r#"graflow_execution_open_seconds_max{workflow="night \"ly\""} 10"#,
        r#"graflow_events_total{result="accepted"} 17"#,
        r#"graflow_events_total{result="invalid"} 1"#,
        "graflow_apply_lag_events 0",
        "graflow_viewers 0",
    ] {
        assert!(text.lines().any(|got| got == line), "{line}\nis not in\n{text}");
    }
}
