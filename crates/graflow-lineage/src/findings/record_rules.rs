//! Findings about the record itself.

use graflow_model::fold::{Conflict, Skew};
use serde_json::json;

use super::{Finding, FindingCode, Run};

/// How many ids of evidence are named; the count says how many there are.
const MOST_NAMED: usize = 20;

pub(super) fn conflicting_terminal(run: &Run<'_>) -> Vec<Finding> {
    let describe = |conflict: Conflict| {
        let Conflict { task, event_id, told, counts } = conflict;
        let what = task.as_ref().map_or_else(|| "the run".into(), |(task_id, _)| format!("`{task_id}`"));
        Finding {
            code: FindingCode::ConflictingTerminal,
            message: if told == counts {
                format!("{what} was told to be {told} more than once")
            } else {
                format!("{what} was told to be {told} as well as {counts}; {counts} counts")
            },
            evidence: json!({"task_id": task.as_ref().map(|task| &task.0),
                "task_execution_id": task.as_ref().map(|task| &task.1), "event_id": event_id}),
        }
    };
    run.state.conflicts().into_iter().map(describe).collect()
}

pub(super) fn events_missing(run: &Run<'_>) -> Vec<Finding> {
    let missing = run.state.missing();
    let (count, dropped) = (missing.len(), run.state.dropped_events());
    let mut holes = Vec::new();
    if count > 0 {
        let executions = if count == 1 { "task execution" } else { "task executions" };
        holes.push(format!("the start or the end of {count} {executions} was never told"));
    }
    if dropped > 0 {
        let events = if dropped == 1 { "event" } else { "events" };
        holes.push(format!("a producer had no room left and dropped {dropped} {events}"));
    }
    if holes.is_empty() {
        return Vec::new();
    }
    vec![Finding {
        code: FindingCode::EventsMissing,
        message: format!("the record has holes: {}", holes.join("; ")),
        evidence: json!({"count": count, "dropped": dropped,
            "task_execution_ids": missing.iter().take(MOST_NAMED).collect::<Vec<_>>()}),
    }]
}

/// One line for the worst of them: clocks that disagree do so for every task.
pub(super) fn clock_skew(run: &Run<'_>) -> Vec<Finding> {
    let skews = run.state.skews();
    let Some(Skew { task, micros }) = skews.iter().max_by_key(|skew| skew.micros) else { return Vec::new() };
    let what = task.as_ref().map_or_else(|| "the run".into(), |(task_id, _)| format!("`{task_id}`"));
    // Milliseconds for people; the evidence has them exact.
    let millis = micros / 1_000;
    vec![Finding {
        code: FindingCode::ClockSkew,
        message: format!("clocks disagree by {millis} ms at least: {what} comes before what led to it"),
        evidence: json!({"count": skews.len(), "micros": micros,
            "task_execution_id": task.as_ref().map(|task| &task.1)}),
    }]
}

pub(super) fn unreadable_event(run: &Run<'_>) -> Vec<Finding> {
    let unreadable: Vec<_> = run.state.unreadable().collect();
    if unreadable.is_empty() {
        return Vec::new();
    }
    vec![Finding {
        code: FindingCode::UnreadableEvent,
        message: format!("{} events say what this version cannot read; they are kept", unreadable.len()),
        evidence: json!({"count": unreadable.len(), "event_ids": unreadable.iter().take(MOST_NAMED).collect::<Vec<_>>()}),
    }]
}
