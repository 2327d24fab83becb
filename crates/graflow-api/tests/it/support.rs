//! A service over a store in a temporary folder, with a clock that stands still until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use graflow_api::Settings;
use graflow_lineage::live::Live;
use graflow_lineage::manager::LineageManager;
use graflow_model::{Clock, Timestamp};
use graflow_store::{EmbeddedOptions, EmbeddedStore};
use serde_json::Value;
use tower::ServiceExt;

/// 2026-11-23T12:00:00Z, in microseconds.
pub(crate) const NOON: i64 = 1_795_435_200_000_000;

/// A clock that tests move.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(NOON + self.0.load(Ordering::SeqCst))
    }
    fn mono_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A service and everything behind it.
pub(crate) struct TestApi {
    pub(crate) router: Router,
    pub(crate) manager: Arc<LineageManager>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) settings: Settings,
    pub(crate) folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of an answer that must be 200.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()
    }

    /// Status and code of an answer that must be an error, with its hint there.
    pub(crate) fn error(self) -> String {
        let json = self.json();
        assert!(!json["error"].as_str().unwrap().is_empty(), "{}", self.text);
        assert!(!json["hint"].as_str().unwrap().is_empty(), "{}", self.text);
        format!("{} {}", self.status.as_u16(), json["code"].as_str().unwrap())
    }
}

impl TestApi {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_store(|_| {}, change)
    }

    pub(crate) fn with_store(
        change_store: impl FnOnce(&mut EmbeddedOptions),
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(0)));
        let live = Live::new(clock.clone());
        let mut options = EmbeddedOptions::new(folder.path(), clock.clone());
        options.observer = live.clone();
        change_store(&mut options);
        let store = Arc::new(EmbeddedStore::open(options).unwrap());
        let manager = Arc::new(LineageManager::new(store, live, clock.clone(), 7).unwrap());
        let mut settings = Settings::local("instance-1");
        change(&mut settings);
        let router = graflow_api::router(Arc::clone(&manager), settings.clone());
        Self { router, manager, clock, settings, folder }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Takes events in; each must be accepted.
    pub(crate) async fn take(&self, events: &[Value]) {
        let body = serde_json::to_vec(events).unwrap();
        let answer = self.post("/api/events", &[("content-type", "application/json")], body).await.ok();
        assert_eq!(answer["accepted"], events.len(), "{answer}");
    }
}

/// An event of the execution, so many milliseconds after noon.
pub(crate) fn event(id: &str, kind: &str, execution_id: &str, millis: i64, more: Value) -> Value {
    let time = Timestamp::from_micros(NOON + millis * 1_000);
    let mut event = serde_json::json!({
        "event_id": id, "type": kind, "time": time, "execution_id": execution_id,
    });
    let Value::Object(more) = more else { panic!("fields expected") };
    event.as_object_mut().unwrap().extend(more);
    event
}

/// A run of two tasks that hand on a value; the second fails once and is tried again.
pub(crate) fn etl(execution_id: &str, at_millis: i64) -> Vec<Value> {
    use serde_json::json;
    let id = |name: &str| format!("{execution_id}-{name}");
    let e = |name: &str, kind: &str, millis: i64, more: Value| {
        event(&id(name), kind, execution_id, at_millis + millis, more)
    };
    let extract = |more: Value| {
        let mut fields =
            json!({"task_id": "extract", "task_execution_id": id("extract.1"), "iteration": 0, "attempt": 1});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    let load = |attempt: u32, more: Value| {
        let mut fields = json!({"task_id": "load", "task_execution_id": id(&format!("load.{attempt}")), "iteration": 0, "attempt": attempt});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    vec![
        e(
            "01",
            "workflow_started",
            0,
            json!({"workflow_name": "etl", "data": {
            "labels": {"team": "a", "env": "prod"}, "inputs": {"day": "2026-11-23"}, "trace_id": "trace-1",
            "runtime": {"language": "rust", "version": "0.1.0"}}}),
        ),
        e(
            "02",
            "graph_changed",
            0,
            json!({"data": {
            "nodes": [{"id": "extract", "kind": "static", "task_type": "fn", "source": {"file": "etl.rs", "line": 7}},
                      {"id": "load", "kind": "static", "task_type": "fn"}],
            "edges": [{"source": "extract", "target": "load", "kind": "static"}]}}),
        ),
        e("03", "task_started", 10, extract(json!({"data": {"worker": "w-1", "thread": "main"}}))),
        e(
            "04",
            "log",
            15,
            extract(json!({"data": {"level": "info", "logger": "etl", "message": "read 3 rows"}})),
        ),
        e(
            "05",
            "data_written",
            20,
            extract(
                json!({"data": {"channel": "main", "key": "rows", "size": 24, "hash": "h1", "preview": [1, 2, 3]}}),
            ),
        ),
        e(
            "06",
            "task_completed",
            260,
            extract(json!({"data": {"result_size": 24, "result_type": "Vec<u32>"}})),
        ),
        e(
            "07",
            "task_started",
            270,
            load(
                1,
                json!({"data": {"causes": [{"kind": "successor", "task_execution_id": id("extract.1")}]}}),
            ),
        ),
        e(
            "08",
            "data_read",
            275,
            load(
                1,
                json!({"data": {"channel": "main", "key": "rows", "hash": "h1", "resolved_parameter": "rows", "write_event_id": id("05")}}),
            ),
        ),
        e(
            "09",
            "task_failed",
            280,
            load(
                1,
                json!({"data": {"error": {"type": "Timeout", "message": "no answer", "fingerprint": "f-1"}}}),
            ),
        ),
        e("10", "task_retried", 281, load(1, json!({"data": {"delay_us": 1000}}))),
        e(
            "11",
            "task_started",
            290,
            load(2, json!({"data": {"causes": [{"kind": "retry", "task_execution_id": id("load.1")}]}})),
        ),
        e(
            "12",
            "log",
            295,
            load(2, json!({"data": {"level": "warning", "message": "slow", "fields": {"ms": 9}}})),
        ),
        e("13", "task_completed", 790, load(2, json!({"data": {}}))),
        e("14", "workflow_completed", 800, json!({"data": {}})),
    ]
}
