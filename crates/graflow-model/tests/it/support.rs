//! A short way to write events down.

#![expect(clippy::needless_pass_by_value, reason = "`json!` literals read best without a borrow")]

use graflow_model::{Event, EventType, ExecutionState, Timestamp};
use serde_json::{Value, json};

/// 2026-11-23T12:00:00Z.
pub(crate) const START: i64 = 1_795_435_200_000_000;

/// An event of execution `x` of workflow `etl`, `seconds` after the start; its id is `{type}@{seconds}/{subject}`.
pub(crate) fn event(event_type: &str, seconds: f64, subject: &str, data: Value) -> Event {
    #[expect(clippy::cast_possible_truncation, reason = "test times are small")]
    let micros = START + (seconds * 1e6) as i64;
    let id = format!("{event_type}@{seconds}/{subject}");
    let mut event = Event::new(id.into(), EventType::from(event_type), Timestamp::from_micros(micros));
    event.execution_id = Some("x".into());
    event.workflow_name = Some("etl".into());
    event.with_data(&data)
}

/// An event about task execution `subject`, which reads `task`, `task#iteration` or `task#iteration.attempt`.
pub(crate) fn task(event_type: &str, seconds: f64, subject: &str, data: Value) -> Event {
    let mut event = event(event_type, seconds, subject, data);
    let (name, rest) = subject.split_once('#').unwrap_or((subject, "0"));
    let (iteration, attempt) = rest.split_once('.').unwrap_or((rest, "1"));
    event.task_id = Some(name.into());
    event.task_execution_id = Some(subject.into());
    event.iteration = iteration.parse().ok();
    event.attempt = attempt.parse().ok();
    event
}

/// `task_started` with causes, each as `kind:task execution`.
pub(crate) fn started(seconds: f64, subject: &str, causes: &[&str]) -> Event {
    let causes: Vec<_> = causes
        .iter()
        .filter_map(|cause| cause.split_once(':'))
        .map(|(kind, id)| json!({"kind": kind, "task_execution_id": id}))
        .collect();
    task("task_started", seconds, subject, json!({"causes": causes}))
}

/// `task_completed`.
pub(crate) fn completed(seconds: f64, subject: &str) -> Event {
    task("task_completed", seconds, subject, json!({}))
}

/// `task_failed` with a message.
pub(crate) fn failed(seconds: f64, subject: &str, message: &str) -> Event {
    task("task_failed", seconds, subject, json!({"error": {"type": "ValueError", "message": message}}))
}

/// The fold of those events.
pub(crate) fn fold(events: &[Event]) -> ExecutionState {
    let mut state = ExecutionState::new("x".into());
    for event in events {
        state.apply(event);
    }
    state
}
