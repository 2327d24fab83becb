//! The body of a request with events: an array, an object, or lines.

use std::collections::BTreeSet;

use graflow_lineage::findings::findings;
use graflow_lineage::ingest::{BodyFormat, parse};
use graflow_model::{Event, ExecutionId, ExecutionState};

/// Every event of a body is taken or refused, its text is kept on one line, and the fold does not care for the order.
pub(super) fn run(data: &[u8]) {
    for format in [BodyFormat::Json, BodyFormat::Ndjson, BodyFormat::Unknown] {
        let Ok(parsed) = parse(data, format) else { continue };
        assert_eq!(parsed.events.len() + parsed.invalid.len(), parsed.total, "an event was passed over");
        for (_, incoming) in &parsed.events {
            assert!(!incoming.json.contains(['\n', '\r']), "{}", incoming.json);
            let again = Event::from_json(incoming.json.as_bytes()).unwrap();
            // Only line breaks between tokens became spaces.
            let said = incoming.event.to_json().replace(['\n', '\r'], " ");
            assert_eq!(again.to_json(), said, "the text that is kept says something else");
        }
        // Two events of one id are one: the log takes the first of them.
        let mut ids = BTreeSet::new();
        let events = parsed.events.iter().map(|(_, incoming)| &incoming.event);
        let events: Vec<&Event> = events.filter(|event| ids.insert(event.event_id.as_str())).collect();
        let forward = fold(events.iter().copied());
        let backward = fold(events.iter().rev().copied());
        assert_eq!(forward, backward, "the fold depends on the order");
        assert_eq!(forward.execution_row(), backward.execution_row());
        assert_eq!(forward.task_execution_rows(), backward.task_execution_rows());
        assert_eq!(forward.graph(), backward.graph());
        assert_eq!(findings(&forward), findings(&backward));
    }
}

/// All events as those of one execution: that of the state is not looked at.
fn fold<'a>(events: impl Iterator<Item = &'a Event>) -> ExecutionState {
    let mut state = ExecutionState::new(ExecutionId::from("x"));
    for event in events {
        state.apply(event);
    }
    state
}
