//! One event as JSON.

use graflow_model::{Event, ExecutionId, ExecutionState};

/// What is read is written, and read again as the same; the fold takes it, once and twice alike.
pub(super) fn run(data: &[u8]) {
    let Ok(event) = Event::from_json(data) else { return };
    let json = event.to_json();
    let again = Event::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(again.to_json(), json, "an event changes when it is read again");

    let mut once = ExecutionState::new(ExecutionId::from("x"));
    once.apply(&event);
    let mut twice = once.clone();
    twice.apply(&again);
    assert_eq!(once, twice, "an event that comes twice counts twice: {json}");
    once.execution_row();
    once.task_execution_rows();
    once.graph();
    once.data_flow();
}
