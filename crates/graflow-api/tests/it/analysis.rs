//! Analysis, failures and profile, as they are answered.

use serde_json::json;

use crate::support::{TestApi, etl, event};

#[tokio::test(flavor = "multi_thread")]
async fn the_critical_path_of_a_run() {
    let api = TestApi::new();
    for run in 0..12 {
        api.take(&etl(&format!("run-{run:02}"), run * 10_000)).await;
    }
    let answer = api.get("/api/executions/run-11/analysis").await.ok();
    let steps: Vec<_> = answer["critical_path"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| format!("{} {} {}", step["task_id"].as_str().unwrap(), step["attempt"], step["seconds"]))
        .collect();
    assert_eq!(steps, ["extract 1 0.25", "load 1 0.01", "load 2 0.5"]);
    assert_eq!(answer["critical_path"]["duration"], 0.76);
    assert_eq!(answer["critical_path"]["waiting"], 0.04);
    assert_eq!(answer["expected"]["duration"], 0.8);
    assert_eq!(answer["expected"]["history"], 11);
    assert_eq!(answer["slower"], false);
    assert_eq!(answer["slack"]["seconds"], json!([0.0, 0.0, 0.0]));
    assert_eq!(answer["tasks"][0]["task_id"], "extract");
    assert_eq!(answer["tasks"][0]["expected"]["duration"], 0.25);
    // The first has nothing before it.
    let first = api.get("/api/executions/run-00/analysis").await.ok();
    assert_eq!((&first["expected"]["duration"], &first["slower"]), (&json!(null), &json!(null)));
    assert_eq!(api.get("/api/executions/none/analysis").await.error(), "404 execution_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_grouped_and_their_runs_are_found() {
    let api = TestApi::new();
    for (run, message) in [(1, "row 17 is broken"), (2, "no such table"), (3, "row 18 is broken")] {
        let id = format!("run-{run}");
        api.take(&[
            event(
                &format!("{id}-a"),
                "workflow_started",
                &id,
                run * 1_000,
                json!({"workflow_name": "night"}),
            ),
            event(
                &format!("{id}-b"),
                "workflow_failed",
                &id,
                run * 1_000 + 500,
                json!({"data": {"error": {"type": "E", "message": message}}}),
            ),
        ])
        .await;
    }
    let answer = api.get("/api/failures").await.ok();
    let first = &answer["failures"][0];
    assert_eq!((&first["count"], &first["message"]), (&json!(2), &json!("row 18 is broken")));
    assert_eq!(
        (&first["newest_execution_id"], &first["workflow_names"]),
        (&json!("run-3"), &json!(["night"]))
    );
    assert_eq!(
        (&first["first_seen"], &first["last_seen"]),
        (&json!("2026-11-23T12:00:01.500000Z"), &json!("2026-11-23T12:00:03.500000Z"))
    );
    let path = format!("/api/executions?fingerprint={}", first["fingerprint"].as_str().unwrap());
    let runs = api.get(&path).await.ok();
    let ids: Vec<_> = runs["executions"].as_array().unwrap().iter().map(|row| &row["execution_id"]).collect();
    assert_eq!(ids, ["run-3", "run-1"]);
    // Page by page, and by window.
    let page = api.get("/api/failures?limit=1").await.ok();
    assert_eq!(page["failures"].as_array().unwrap().len(), 1);
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = api.get(&format!("/api/failures?limit=1&cursor={cursor}")).await.ok();
    assert_eq!(
        (&page["failures"][0]["message"], &page["next_cursor"]),
        (&json!("no such table"), &json!(null))
    );
    let window = api.get("/api/failures?from=2026-11-23T12:00:03Z").await.ok();
    assert_eq!(window["failures"][0]["count"], 1);
    assert_eq!(api.get("/api/failures?workflow_name=day").await.ok()["failures"], json!([]));
    assert_eq!(api.get("/api/failures?cursor=x").await.error(), "400 bad_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_profile_of_a_workflow() {
    let api = TestApi::new();
    for run in 0..3 {
        api.take(&etl(&format!("run-{run}"), run * 10_000)).await;
    }
    let answer = api.get("/api/workflows/etl/profile").await.ok();
    assert_eq!(
        (&answer["executions"], &answer["wall"], &answer["work"]),
        (&json!(3), &json!(2.4), &json!(2.28))
    );
    let tasks: Vec<_> =
        answer["tasks"].as_array().unwrap().iter().map(|task| (&task["task"], &task["retried"])).collect();
    assert_eq!(tasks, [(&json!("load"), &json!(3)), (&json!("extract"), &json!(0))]);
    let shares: f64 =
        answer["tasks"].as_array().unwrap().iter().map(|task| task["critical_share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    assert_eq!(answer["parallelism"].as_array().unwrap().len(), 50);
    assert_eq!(api.get("/api/workflows/etl/profile?executions=1").await.ok()["executions"], 1);
    assert_eq!(api.get("/api/workflows/etl/profile?executions=0").await.error(), "400 bad_parameter");
    assert_eq!(api.get("/api/workflows/none/profile").await.error(), "404 not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_compared_with_the_last_that_completed() {
    let api = TestApi::new();
    for run in 0..2 {
        api.take(&etl(&format!("run-{run}"), run * 10_000)).await;
    }
    // It reads other rows, is slower, and fails.
    let mut bad = etl("run-2", 20_000);
    bad[4]["data"]["hash"] = "h2".into();
    bad[7]["data"]["hash"] = "h2".into();
    bad[12]["type"] = "task_failed".into();
    bad[12]["data"] = json!({"error": {"type": "KeyError", "message": "ts"}});
    bad[13]["type"] = "workflow_failed".into();
    bad[13]["time"] = "2026-11-23T12:00:21.200Z".into();
    bad[13]["data"] = json!({"error": {"type": "KeyError", "message": "ts"}});
    api.take(&bad).await;

    let answer = api.get("/api/executions/run-2/compare").await.ok();
    assert_eq!(answer["there"]["execution_id"], "run-1");
    assert_eq!(answer["duration_change"], 0.5);
    let messages: Vec<_> = answer["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|difference| difference["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "`rows` v1, written by `extract`, differs",
            "`load` failed; there it completed",
            "the run failed; the other completed"
        ]
    );
    let first = &answer["differences"][0];
    assert_eq!(
        (&first["kind"], &first["key"], &first["after"]),
        (&json!("value"), &json!("rows"), &json!(0.02))
    );
    assert_eq!(
        (&answer["values"][0]["here"]["hash"], &answer["values"][0]["there"]["hash"]),
        (&json!("h2"), &json!("h1"))
    );
    assert_eq!(answer["tasks"].as_array().unwrap().len(), 2);
    // Any other can be chosen; the first has none before it.
    let answer = api.get("/api/executions/run-1/compare?with=run-0").await.ok();
    assert_eq!((&answer["differences"], &answer["values_equal"]), (&json!([]), &json!(1)));
    let answer = api.get("/api/executions/run-0/compare").await.ok();
    assert_eq!((&answer["there"], &answer["tasks"]), (&json!(null), &json!([])));
    for path in ["none/compare", "run-1/compare?with=none"] {
        assert_eq!(api.get(&format!("/api/executions/{path}")).await.error(), "404 execution_not_found");
    }
}
