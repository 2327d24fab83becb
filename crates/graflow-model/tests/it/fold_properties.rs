//! The fold under permutation, duplication and splitting, over streams that make sense and streams that do not.

use std::collections::BTreeMap;

use graflow_model::row::ChangedRows;
use graflow_model::{Event, ExecutionState};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{event, fold, task};

/// Any event, over few enough names that events meet: well-formed one by one, together often nonsense.
fn any_event() -> impl Strategy<Value = Event> {
    let subject = (0..4_u8, 0..3_u8, 1..3_u8)
        .prop_map(|(name, iteration, attempt)| format!("{}#{iteration}.{attempt}", char::from(b'a' + name)));
    let other =
        (0..4_u8, 0..3_u8).prop_map(|(name, iteration)| format!("{}#{iteration}.1", char::from(b'a' + name)));
    let kind = prop::sample::select(vec!["successor", "dynamic", "iteration", "jump", "retry", "member"]);
    let group = prop::option::of(prop::sample::select(vec!["g", "h", "a"]));
    (0..20_u8, 0..12_u8, subject, other, kind, group, any::<u8>()).prop_map(
        |(what, time, subject, other, kind, group, salt)| {
            let time = f64::from(time);
            let name = subject.split('#').next().unwrap_or_default().to_owned();
            let cause = json!([{"kind": kind, "task_execution_id": other}]);
            let mut made = match what {
                0 => event("workflow_started", time, "", json!({"labels": {"salt": salt.to_string()}})),
                1 => event(
                    "workflow_completed",
                    time,
                    "",
                    json!({"reason": (salt % 2 == 0).then_some("max_steps")}),
                ),
                2 => event("workflow_failed", time, "", json!({})),
                3 => task("task_queued", time, &subject, json!({"group": group})),
                4..=7 => task("task_started", time, &subject, json!({"group": group, "causes": cause})),
                8 | 9 => task("task_completed", time, &subject, json!({"result_size": salt})),
                10 => task("task_failed", time, &subject, json!({"error": {"type": "E", "message": kind}})),
                11 => task("task_retried", time, &subject, json!({})),
                12 => task("task_skipped", time, &subject, json!({})),
                13 => task("task_cancelled", time, &subject, json!({})),
                14 => {
                    let nodes = json!([{"id": name, "kind": "static", "group": group, "family": kind}]);
                    event(
                        "graph_changed",
                        time,
                        &subject,
                        json!({"nodes": nodes, "edges":
                        [{"source": name, "target": "b", "kind": "static"}]}),
                    )
                }
                15 => {
                    let (id, group) = if salt % 2 == 0 { ("g", "h") } else { ("h", "g") };
                    let nodes = json!([{"id": id, "kind": "group", "group": group}]);
                    event("graph_changed", time, id, json!({"nodes": nodes}))
                }
                16 => task(
                    "data_written",
                    time,
                    &subject,
                    json!({"channel": "c", "key": kind, "hash": salt % 2}),
                ),
                17 => task("data_read", time, &subject, json!({"channel": "c", "key": kind})),
                18 => task("waiting", time, &subject, json!({"feedback_id": kind})),
                _ => task("llm_called", time, &subject, json!({"input_tokens": salt, "cost_usd": 0.1})),
            };
            if what == 18 && salt % 2 == 0 {
                made = task("waiting_ended", time, &subject, json!({"feedback_id": kind}));
            }
            if what == 18 && salt % 5 == 0 {
                made = event("workflow_resumed", time, &subject, json!({"resumed_by": kind}));
            }
            // One id a content, as producers must have it.
            made.event_id =
                format!("{}-{salt}-{kind}-{other}-{group:?}-{subject}-{time}", made.event_type).into();
            made
        },
    )
}

/// What a viewer has that only upserts rows.
#[derive(Default, Debug, PartialEq)]
struct Viewer {
    execution: Option<graflow_model::row::ExecutionRow>,
    task_executions: BTreeMap<String, graflow_model::row::TaskExecutionRow>,
    nodes: BTreeMap<String, graflow_model::row::NodeRow>,
    edges: BTreeMap<(String, String), graflow_model::row::EdgeRow>,
}

impl Viewer {
    fn upsert(&mut self, rows: ChangedRows) {
        self.execution = rows.execution.or(self.execution.take());
        self.task_executions
            .extend(rows.task_executions.into_iter().map(|row| (row.task_execution_id.to_string(), row)));
        self.nodes.extend(rows.nodes.into_iter().map(|row| (row.id.to_string(), row)));
        for node in rows.removed_nodes {
            self.nodes.remove(node.as_str());
        }
        for (source, target) in rows.removed_edges {
            self.edges.remove(&(source.to_string(), target.to_string()));
        }
        self.edges.extend(
            rows.edges.into_iter().map(|row| ((row.source.to_string(), row.target.to_string()), row)),
        );
    }

    fn snapshot(state: &ExecutionState) -> Self {
        let graph = state.graph();
        let mut viewer = Self::default();
        viewer.upsert(ChangedRows {
            execution: Some(state.execution_row()),
            task_executions: state.task_execution_rows(),
            nodes: graph.nodes,
            edges: graph.edges,
            ..ChangedRows::default()
        });
        viewer
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_repetition_give_the_same_state(
        (events, shuffled) in prop::collection::vec(any_event(), 0..40).prop_flat_map(|events| {
            let twice: Vec<_> = events.iter().chain(&events).cloned().collect();
            (Just(events), Just(twice).prop_shuffle())
        })
    ) {
        let (one, other) = (fold(&events), fold(&shuffled));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(Viewer::snapshot(&one), Viewer::snapshot(&other));
        prop_assert_eq!(one.data_flow(), other.data_flow());
        prop_assert_eq!((one.conflicts(), one.skews(), one.missing()), (other.conflicts(), other.skews(), other.missing()));
    }

    #[test]
    fn a_viewer_that_only_upserts_changed_rows_has_what_a_fresh_snapshot_has(
        events in prop::collection::vec(any_event(), 0..40)
    ) {
        let mut state = ExecutionState::new("x".into());
        let mut viewer = Viewer { execution: Some(state.execution_row()), ..Viewer::default() };
        for event in &events {
            let touched = state.apply(event);
            viewer.upsert(state.rows(&touched));
        }
        prop_assert_eq!(viewer, Viewer::snapshot(&state));
    }

    #[test]
    fn totals_are_the_sums_of_the_rows(events in prop::collection::vec(any_event(), 0..40)) {
        let state = fold(&events);
        let (row, tasks) = (state.execution_row(), state.task_execution_rows());
        let count = |status: &str| tasks.iter().filter(|task| !task.will_retry && task.status.as_str() == status).count() as u64;
        prop_assert_eq!(row.total_tasks, tasks.iter().filter(|task| !task.will_retry).count() as u64);
        prop_assert_eq!(row.completed_tasks, count("completed"));
        prop_assert_eq!(row.failed_tasks, count("failed"));
        prop_assert_eq!(row.running_tasks, count("running"));
        prop_assert_eq!(row.retried_tasks, tasks.iter().filter(|task| task.will_retry).count() as u64);
        let graph = state.graph();
        for edge in &graph.edges {
            prop_assert!(edge.count >= edge.taken.successor + edge.taken.dynamic + edge.taken.iteration + edge.taken.jump);
        }
        let executions: u64 = graph.nodes.iter().map(|node| node.executions).sum();
        prop_assert_eq!(executions, tasks.len() as u64);
    }
}
