//! `spec/vectors/*.json`: streams of events, the rows that each event changes, and the state they add up to.
//!
//! Every language tests itself against them: Rust folds the events, viewers upsert `deltas` and must end with
//! `state`, producers encode events as these are. `UPDATE_SPEC=1 cargo test -p graflow-wire` writes `deltas` and
//! `state` anew; read the difference before it is committed.

use std::path::PathBuf;

use graflow_model::{Event, ExecutionState, row};
use graflow_wire::{Edge, Execution, Node, TaskExecution, ValueRead, ValueWrite};
use serde_json::{Value, json};

fn files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 7, "the vectors are there");
    files
}

fn wire<R, W: From<R>>(rows: Vec<R>) -> Vec<W> {
    rows.into_iter().map(W::from).collect()
}

fn delta(rows: row::ChangedRows) -> Value {
    json!({
        "execution": rows.execution.map(Execution::from),
        "task_executions": wire::<_, TaskExecution>(rows.task_executions),
        "nodes": wire::<_, Node>(rows.nodes),
        "edges": wire::<_, Edge>(rows.edges),
        "removed_nodes": rows.removed_nodes,
        "removed_edges": rows.removed_edges,
    })
}

fn snapshot(state: &ExecutionState) -> Value {
    let (graph, flow) = (state.graph(), state.data_flow());
    json!({
        "execution": Execution::from(state.execution_row()),
        "task_executions": wire::<_, TaskExecution>(state.task_execution_rows()),
        "nodes": wire::<_, Node>(graph.nodes),
        "edges": wire::<_, Edge>(graph.edges),
        "writes": wire::<_, ValueWrite>(flow.writes),
        "reads": wire::<_, ValueRead>(flow.reads),
    })
}

fn events(vector: &Value) -> Vec<Event> {
    let events = vector["events"].as_array().unwrap();
    events.iter().map(|event| Event::from_json(event.to_string().as_bytes()).unwrap()).collect()
}

#[test]
fn events_add_up_to_what_the_vectors_say() {
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut vector: Value = serde_json::from_str(&text).unwrap();
        let events = events(&vector);
        let mut state = ExecutionState::new(events[0].execution_id.clone().unwrap());
        let deltas: Vec<_> = events
            .iter()
            .map(|event| {
                let touched = state.apply(event);
                delta(state.rows(&touched))
            })
            .collect();
        vector["deltas"] = deltas.into();
        vector["state"] = snapshot(&state);
        let told = format!("{}\n", serde_json::to_string_pretty(&vector).unwrap());
        if std::env::var_os("UPDATE_SPEC").is_some() {
            std::fs::write(&file, &told).unwrap();
        } else {
            assert!(told == text, "{} is stale: UPDATE_SPEC=1 cargo test -p graflow-wire", file.display());
        }
    }
}

#[test]
fn the_order_of_a_vector_does_not_matter() {
    for file in files() {
        let vector: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mut events = events(&vector);
        events.reverse();
        let mut state = ExecutionState::new(events[0].execution_id.clone().unwrap());
        for event in events.iter().chain(&events) {
            state.apply(event);
        }
        assert_eq!(snapshot(&state), vector["state"], "{}", file.display());
    }
}
