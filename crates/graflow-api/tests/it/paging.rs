//! Pages: every row once, in order, whatever the size of a page.

use serde_json::{Value, json};

use crate::support::{TestApi, etl, event};

/// All rows of a list, page by page.
async fn pages(api: &TestApi, path: &str, list: &str, limit: usize) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let between = if path.contains('?') { '&' } else { '?' };
        let page = api.get(&format!("{path}{between}limit={limit}{cursor}")).await.ok();
        let of_page = page[list].as_array().unwrap();
        assert!(of_page.len() <= limit);
        rows.extend(of_page.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list() {
    let api = TestApi::new();
    for number in 0..13 {
        // Some begin at the same time: the id decides.
        api.take(&etl(&format!("run-{number:02}"), (number / 3) * 1_000)).await;
    }
    for (path, list) in [
        ("/api/executions", "executions"),
        ("/api/executions?workflow_name=etl&status=completed", "executions"),
        ("/api/executions/run-05", "task_executions"),
        ("/api/executions/run-05/task_executions?order=newest", "task_executions"),
        ("/api/executions/run-05/timeline", "bars"),
        ("/api/executions/run-05/events", "events"),
        ("/api/executions/run-05/events?order=newest", "events"),
        ("/api/executions/run-05/logs", "logs"),
        ("/api/tasks/load/history", "executions"),
        ("/api/workflows/etl", "executions"),
        ("/api/workflows", "workflows"),
    ] {
        let whole = pages(&api, path, list, 5_000).await;
        assert!(!whole.is_empty(), "{path}");
        for limit in [1, 2, 5] {
            assert_eq!(pages(&api, path, list, limit).await, whole, "{path} by {limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_pages_hold_writes_then_reads_with_their_edges() {
    let api = TestApi::new();
    let mut events = vec![event("s", "workflow_started", "x", 0, json!({"workflow_name": "w"}))];
    for number in 0..7_i64 {
        let task = |kind: &str, millis: i64, data: Value| {
            event(
                &format!("{kind}{number}"),
                kind,
                "x",
                millis,
                json!({"task_id": format!("t{number}"), "task_execution_id": format!("x.{number}"), "data": data}),
            )
        };
        let key = format!("k{}", number % 3);
        events.push(task(
            "data_written",
            number,
            json!({"channel": "c", "key": key, "size": 1, "hash": format!("h{number}")}),
        ));
        events.push(task(
            "data_read",
            10 + number,
            json!({"channel": "c", "key": key, "write_event_id": format!("data_written{number}")}),
        ));
    }
    api.take(&events).await;
    let all = api.get("/api/executions/x/data").await.ok();
    assert_eq!(all["writes"].as_array().unwrap().len(), 7);
    assert_eq!(all["edges"].as_array().unwrap().len(), 7);
    for limit in [1, 3, 10] {
        let path = "/api/executions/x/data";
        assert_eq!(json!(pages(&api, path, "writes", limit.max(7)).await), all["writes"]);
        let mut gathered = json!({"writes": [], "reads": [], "edges": []});
        let mut cursor = String::new();
        loop {
            let page = api.get(&format!("{path}?limit={limit}{cursor}")).await.ok();
            for list in ["writes", "reads", "edges"] {
                let rows = page[list].as_array().unwrap().clone();
                gathered[list].as_array_mut().unwrap().extend(rows);
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        for list in ["writes", "reads", "edges"] {
            assert_eq!(gathered[list], all[list], "{list} by {limit}");
        }
    }
    let of_key = api.get("/api/executions/x/data?key=k0").await.ok();
    assert_eq!(of_key["writes"].as_array().unwrap().len(), 3);
    let of_task = api.get("/api/executions/x/data?task_id=t4").await.ok();
    assert_eq!(
        (of_task["writes"].as_array().unwrap().len(), of_task["reads"].as_array().unwrap().len()),
        (1, 1)
    );
}
