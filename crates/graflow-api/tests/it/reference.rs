//! `docs/reference/rest.md`: every path as the OpenAPI document has it, with what the real router answers.

use std::fmt::Write as _;

use serde_json::Value;

use crate::contract::compare;
use crate::support::{TestApi, etl};

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask generate` from the code and from real answers; do not edit. -->
# REST

One server answers at one address, by default `http://127.0.0.1:8000`. `/docs` is this page with every shape in it,
`/openapi.json` (committed as `spec/openapi.json`) is the contract for programs; [websocket.md](websocket.md) is the live side.

What holds everywhere:

- **Times** are RFC 3339 in UTC with microseconds. **Durations** are seconds, with fractions.
- **`as_of_seq`** says up to which event an answer is. A read waits, 200 ms at most, for what was acknowledged before it.
- **Pages**: `limit` (1,000, at most 5,000) and `cursor`, which is `next_cursor` of the page before; null is the end. A cursor
  belongs to its query and means nothing else.
- **Errors** have one shape, `{\"error\", \"code\", \"hint\"}`. An unknown parameter is an error too: a filter that is misspelt must not
  answer with everything.
- **Token**: when the server has one, send `Authorization: Bearer TOKEN`. `/health`, `/ready`, `/docs`, `/openapi.json` and `/` need none.
- **Browsers**: while it listens on loopback the server answers only to loopback's names (`Host`), and pages of other origins are
  refused unless `--cors-origin` names them.
- **Additions**: a field is never renamed or taken away; readers pass over fields they do not know.
- **Lost**: an execution that runs and gave no sign of life for a minute reads as `lost`, and so do its running tasks. That is
  computed when read; any event or heartbeat takes it back.

The answers below are of a run of two tasks; lists are cut to their first row.
";

/// Where each operation is asked, for its example.
const EXAMPLES: [(&str, &str); 29] = [
    ("get_current_graph", "/api/graph/current"),
    ("list_executions", "/api/executions?workflow_name=etl&status=completed&label.team=a"),
    ("get_execution", "/api/executions/run-1"),
    ("get_execution_graph", "/api/executions/run-1/graph?at=2026-11-23T12:00:00.1Z"),
    ("get_layout", "/api/executions/run-1/layout?expanded=transform"),
    ("get_layout_picture", "/api/executions/run-1/layout.svg"),
    ("get_analysis", "/api/executions/run-1/analysis"),
    ("compare_executions", "/api/executions/run-1/compare?with=skewed"),
    ("list_task_executions", "/api/executions/run-1/task_executions?task_id=load&order=newest"),
    ("get_timeline", "/api/executions/run-1/timeline"),
    ("get_data", "/api/executions/run-1/data?key=rows"),
    ("get_llm_use", "/api/executions/asked/llm"),
    ("get_llm_calls", "/api/executions/asked/llm/calls?task_id=ask"),
    ("get_findings", "/api/executions/skewed/findings"),
    ("get_logs", "/api/executions/run-1/logs?level=warning"),
    ("get_events", "/api/executions/run-1/events?types=task_failed"),
    ("get_task_execution", "/api/task_executions/run-1-load.1"),
    ("get_task_history", "/api/tasks/load/history"),
    ("list_workflows", "/api/workflows"),
    ("get_workflow", "/api/workflows/etl"),
    ("get_workflow_profile", "/api/workflows/etl/profile"),
    ("list_failures", "/api/failures"),
    ("get_metrics_summary", "/api/metrics/summary?workflow_name=etl"),
    ("get_metrics_series", "/api/metrics/series?until=2026-11-23T13:00:00Z"),
    ("search", "/api/search?q=load"),
    ("get_server", "/api/server"),
    ("get_health", "/health"),
    ("get_ready", "/ready"),
    ("get_prometheus_metrics", "/metrics"),
];

#[tokio::test(flavor = "multi_thread")]
async fn generated_rest_reference() {
    let api = TestApi::new();
    api.take(&etl("run-1", 0)).await;
    let mut skewed = etl("skewed", -10_000);
    // It ended before it began.
    skewed[5]["time"] = "2026-11-23T11:59:00Z".into();
    api.take(&skewed).await;
    api.take(&crate::answers::asked(-20_000)).await;
    let document = serde_json::to_value(graflow_api::openapi()).unwrap();
    let mut text = INTRODUCTION.to_owned();
    for tag in document["tags"].as_array().unwrap() {
        let name = tag["name"].as_str().unwrap();
        let _ = write!(text, "\n## {name}\n\n{}\n", tag["description"].as_str().unwrap());
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if operation["tags"][0] == name {
                    write_operation(&mut text, &api, method, path, operation).await;
                }
            }
        }
    }
    compare("../docs/reference/rest.md", &text);
}

async fn write_operation(text: &mut String, api: &TestApi, method: &str, path: &str, operation: &Value) {
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let _ = write!(text, "\n### {} {path}\n\n{}.", method.to_uppercase(), words(&operation["summary"]));
    if operation["description"].is_string() {
        let _ = write!(text, " {}", words(&operation["description"]).replace('\n', " "));
    }
    text.push_str("\n\n");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = words(&parameter["name"]);
        if parameter["in"] == "query" {
            let _ = writeln!(text, "- `{name}`: {}", words(&parameter["description"]));
        }
    }
    let id = words(&operation["operationId"]);
    let Some((_, request)) = EXAMPLES.iter().find(|(operation, _)| *operation == id) else {
        example_of_body(text, api, &id).await;
        return;
    };
    let answer = api.get(request).await;
    assert_eq!(answer.status, 200, "{request}: {}", answer.text);
    let body = match serde_json::from_str::<Value>(&answer.text) {
        Ok(json) => format!("json\n{}", serde_json::to_string_pretty(&shortened(json)).unwrap()),
        Err(_) => format!("text\n{}\n…", answer.text.lines().take(12).collect::<Vec<_>>().join("\n")),
    };
    let _ = write!(text, "\n`GET {request}`\n\n```{body}\n```\n");
}

/// What has a body or is no plain answer.
async fn example_of_body(text: &mut String, api: &TestApi, id: &str) {
    let (path, body) = match id {
        "post_events" => (
            "/api/events?results=full",
            r#"[
  {"event_id": "1", "type": "workflow_started", "time": "2026-11-23T12:00:00Z", "execution_id": "first", "workflow_name": "hello"},
  {"event_id": "2", "type": "workflow_completed", "time": "2026-11-23T12:00:01Z"}
]"#,
        ),
        "delete_executions" => (
            "/api/executions/delete",
            r#"{"dry_run": true, "workflow_name": "etl", "started_before": "2026-11-24T00:00:00Z"}"#,
        ),
        "delete_execution" => {
            text.push_str("The answer is that of `POST /api/executions/delete`.\n");
            return;
        }
        "issue_ticket" => {
            text.push_str(
                "\nThe answer is `{\"ticket\", \"expires_in\"}`; see [websocket.md](websocket.md).\n",
            );
            return;
        }
        "follow" => {
            text.push_str("\nSee [websocket.md](websocket.md).\n");
            return;
        }
        _ => panic!("{id} has no example"),
    };
    let answer = api.post(path, &[("content-type", "application/json")], body).await.ok();
    let answer = serde_json::to_string_pretty(&answer).unwrap();
    let _ = write!(text, "\n`POST {path}`\n\n```json\n{body}\n```\n\n```json\n{answer}\n```\n");
}

/// Lists of rows cut to their first.
fn shortened(value: Value) -> Value {
    match value {
        Value::Array(mut rows) => {
            if rows.iter().all(Value::is_object) {
                rows.truncate(1);
            }
            Value::Array(rows.into_iter().map(shortened).collect())
        }
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, shortened(value))).collect())
        }
        plain => plain,
    }
}
