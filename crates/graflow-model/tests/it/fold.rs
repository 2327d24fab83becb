//! What the fold says of streams that a person would expect something of.

use graflow_model::row::{EdgeRow, Graph};
use graflow_model::{Event, ExecutionStatus, TaskStatus};
use serde_json::json;

use crate::support::{START, completed, event, failed, fold, started, task};

fn workflow(seconds: f64, what: &str) -> Event {
    event(&format!("workflow_{what}"), seconds, "", json!({}))
}

fn declare(nodes: &[&str], edges: &[(&str, &str)]) -> Event {
    let nodes: Vec<_> = nodes
        .iter()
        .map(|node| match node.split_once('/') {
            Some((group, member)) => json!({"id": member, "kind": "static", "group": group}),
            None => json!({"id": node, "kind": if node.starts_with("group") { "group" } else { "static" }}),
        })
        .collect();
    let edges: Vec<_> = edges
        .iter()
        .map(|(source, target)| json!({"source": source, "target": target, "kind": "static"}))
        .collect();
    event("graph_changed", 0.0, "", json!({"nodes": nodes, "edges": edges}))
}

/// Edges as `source>target kind ×count`, nodes as `id status`.
fn drawn(graph: &Graph) -> String {
    let nodes = graph.nodes.iter().map(|node| format!("{} {}", node.id, node.status));
    let edge = |edge: &EdgeRow| format!("{}>{} {} ×{}", edge.source, edge.target, edge.kind, edge.count);
    nodes.chain(graph.edges.iter().map(edge)).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_run_from_start_to_end() {
    let state = fold(&[
        workflow(0.0, "started"),
        declare(&["a", "b"], &[("a", "b")]),
        started(1.0, "a", &[]),
        completed(2.5, "a"),
        started(3.0, "b", &["successor:a"]),
        completed(4.0, "b"),
        workflow(5.0, "completed"),
    ]);
    let row = state.execution_row();
    assert_eq!((row.status, row.total_tasks, row.completed_tasks), (ExecutionStatus::Completed, 2, 2));
    assert_eq!(row.start_time.as_micros(), START);
    assert_eq!(row.duration.map(|span| span.micros), Some(5_000_000));
    assert_eq!(drawn(&state.graph()), "a completed, b completed, a>b static ×1");
    assert!(state.conflicts().is_empty() && state.skews().is_empty() && state.missing().is_empty());
}

#[test]
fn ends_that_conflict() {
    // (ends in the order they come, the one that counts)
    let table = [
        (vec!["completed", "failed"], ExecutionStatus::Failed),
        (vec!["failed", "completed"], ExecutionStatus::Failed),
        (vec!["completed", "cancelled"], ExecutionStatus::Cancelled),
        (vec!["cancelled", "failed", "completed"], ExecutionStatus::Failed),
        (vec!["terminated", "completed"], ExecutionStatus::Terminated),
        (vec!["terminated", "cancelled"], ExecutionStatus::Cancelled),
    ];
    for (ends, expected) in table {
        let events: Vec<_> = ends.iter().map(|end| workflow(9.0, end)).collect();
        let state = fold(&events);
        assert_eq!(state.status(), expected, "{ends:?}");
        assert_eq!(state.conflicts().len(), ends.len() - 1, "{ends:?}");
    }
    let task_ends = [
        (vec!["task_completed", "task_failed"], TaskStatus::Failed),
        (vec!["task_cancelled", "task_completed"], TaskStatus::Cancelled),
        (vec!["task_skipped", "task_completed"], TaskStatus::Completed),
    ];
    for (ends, expected) in task_ends {
        let error = json!({"error": {"type": "E", "message": "m"}});
        let events: Vec<_> = ends.iter().map(|end| task(end, 2.0, "a", error.clone())).collect();
        assert_eq!(fold(&events).task_execution_rows()[0].status, expected, "{ends:?}");
        assert_eq!(fold(&events).conflicts().len(), 1, "{ends:?}");
    }
}

#[test]
fn a_retry_marks_its_attempt_and_is_no_state() {
    let state = fold(&[
        started(0.0, "a#0.1", &[]),
        failed(1.0, "a#0.1", "flaky"),
        task("task_retried", 1.0, "a#0.1", json!({"delay_us": 200_000})),
        started(2.0, "a#0.2", &["retry:a#0.1"]),
        completed(3.0, "a#0.2"),
    ]);
    let row = state.execution_row();
    assert_eq!((row.total_tasks, row.failed_tasks, row.retried_tasks), (1, 0, 1));
    let node = &state.graph().nodes[0];
    assert_eq!((node.status, node.executions, node.retried), (TaskStatus::Completed, 2, 1));
    assert_eq!(state.graph().edges, [], "a retry stays on its node");
}

#[test]
fn a_loop_is_a_self_edge_and_iterations() {
    let mut events = vec![started(0.0, "a", &[]), completed(1.0, "a")];
    events.push(started(2.0, "fit#0", &["successor:a"]));
    events.push(completed(3.0, "fit#0"));
    for pass in 1..4 {
        let at = f64::from(pass) * 2.0 + 2.0;
        events.push(started(at, &format!("fit#{pass}"), &[&format!("iteration:fit#{}", pass - 1)]));
        events.push(completed(at + 1.0, &format!("fit#{pass}")));
    }
    events.push(started(20.0, "z", &["successor:fit#3"]));
    let state = fold(&events);
    assert_eq!(
        drawn(&state.graph()),
        "a completed, fit completed, z running, a>fit static ×1, fit>fit iteration ×3, fit>z static ×1"
    );
    assert_eq!(state.graph().nodes[1].iterations, 4);
}

#[test]
fn a_group_stands_between_its_predecessor_and_its_successor() {
    let member = |seconds, subject: &str| {
        task(
            "task_started",
            seconds,
            subject,
            json!({"group": "group", "causes":
            [{"kind": "member", "task_execution_id": "a"}]}),
        )
    };
    let mut events = vec![
        declare(&["a", "group", "group/b", "group/c", "z"], &[("a", "group"), ("group", "z")]),
        started(0.0, "a", &[]),
        completed(1.0, "a"),
        member(2.0, "b"),
        member(2.0, "c"),
        completed(3.0, "b"),
    ];
    assert_eq!(
        drawn(&fold(&events).graph()),
        "a completed, group running, b completed, c running, z pending, \
         a>group static ×1, group>b group_member ×1, group>c group_member ×1, group>z static ×0"
    );
    events.push(failed(4.0, "c", "no"));
    events.push(started(5.0, "z", &["successor:b", "successor:c"]));
    let state = fold(&events);
    assert_eq!(
        drawn(&state.graph()),
        "a completed, group failed, b completed, c failed, z running, \
         a>group static ×1, group>b group_member ×1, group>c group_member ×1, group>z static ×1"
    );
    let group = state.node_row(&"group".into()).unwrap();
    assert_eq!(group.members, ["b".into(), "c".into()]);
}

#[test]
fn ways_through_groups_in_groups_are_ways_along_declared_edges() {
    let member = |seconds, subject: &str, group: &str, kind: &str, cause: &str| {
        let causes = json!([{"kind": kind, "task_execution_id": cause}]);
        task("task_started", seconds, subject, json!({"group": group, "causes": causes}))
    };
    // s >> group{ group_in{a | b} >> c | d } >> z, and back to s
    let mut events = vec![
        declare(
            &["s", "group", "group/group_in", "group_in/a", "group_in/b", "group/c", "group/d", "z"],
            &[("s", "group"), ("group_in", "c"), ("group", "z"), ("group", "s")],
        ),
        started(0.0, "s#0", &[]),
        member(1.0, "a", "group_in", "member", "s#0"),
        member(1.0, "b", "group_in", "member", "s#0"),
        member(1.0, "d", "group", "member", "s#0"),
        member(2.0, "c", "group", "successor", "b"),
        started(3.0, "s#1", &["iteration:c"]),
        started(4.0, "z", &["successor:c"]),
    ];
    let edges = |events: &[Event]| {
        let drawn = drawn(&fold(events).graph());
        drawn.split(", ").filter(|word| word.contains('>')).collect::<Vec<_>>().join(", ")
    };
    let expected = "group>c group_member ×0, group>d group_member ×1, group>group_in group_member ×1, \
                    group>s static ×1, group>z static ×1, group_in>a group_member ×1, group_in>b group_member ×1, \
                    group_in>c static ×1, s>group static ×1";
    assert_eq!(edges(&events), expected);
    // The declarations may come last.
    events.rotate_left(1);
    assert_eq!(edges(&events), expected);
}

#[test]
fn jumps_and_dynamic_tasks_are_edges_of_their_own_kind() {
    let state = fold(&[
        declare(&["a", "b", "c"], &[("a", "b"), ("b", "c")]),
        started(0.0, "a", &[]),
        completed(1.0, "a"),
        started(2.0, "c", &["jump:a"]),
        started(2.0, "extra", &["dynamic:a"]),
    ]);
    assert_eq!(
        drawn(&state.graph()),
        "a completed, b pending, c running, extra running, \
         a>b static ×0, a>c jump ×1, a>extra dynamic ×1, b>c static ×0"
    );
}

#[test]
fn the_same_task_twice_at_once() {
    let state = fold(&[started(0.0, "a#0", &[]), started(0.5, "a#1", &[]), completed(1.0, "a#1")]);
    let node = &state.graph().nodes[0];
    assert_eq!(node.status, TaskStatus::Running);
    assert_eq!(node.current_execution, Some("a#0".into()));
}

#[test]
fn end_before_start_and_late_events_of_a_closed_run() {
    let state = fold(&[
        workflow(9.0, "completed"),
        completed(3.0, "a"),
        started(1.0, "a", &[]),
        workflow(0.0, "started"),
    ]);
    let row = state.execution_row();
    assert_eq!((row.status, row.completed_tasks), (ExecutionStatus::Completed, 1));
    assert_eq!(state.task_execution_rows()[0].duration.map(|span| span.micros), Some(2_000_000));
}

#[test]
fn durations_come_from_the_monotonic_clock_where_one_machine_told_both_ends() {
    let on = |mut event: Event, producer: &str, mono: i64| {
        event.producer = Some(producer.into());
        event.mono_us = Some(mono);
        event
    };
    // (producer of the end, seconds by the wall clock, expected micros, expected skews)
    let table = [
        ("h/boot/1/n", 9.0, 500, 0),
        ("h/boot/2/m", 0.5, 500, 0),
        ("h2/boot/1/n", 3.0, 2_000_000, 0),
        ("h2/b/1/n", 0.0, 0, 1),
    ];
    for (producer, ends, micros, skews) in table {
        let state = fold(&[
            on(started(1.0, "a", &[]), "h/boot/1/n", 1_000),
            on(completed(ends, "a"), producer, 1_500),
        ]);
        assert_eq!(
            state.task_execution_rows()[0].duration.map(|span| span.micros),
            Some(micros),
            "{producer} {ends}"
        );
        assert_eq!(state.skews().len(), skews, "{producer} {ends}");
    }
}

#[test]
fn a_question_makes_its_task_and_run_wait_until_it_is_answered() {
    let ask = |what, seconds| task(what, seconds, "a", json!({"feedback_id": "q", "prompt": "go on?"}));
    let mut events = vec![started(0.0, "a", &[]), ask("waiting", 1.0)];
    let state = fold(&events);
    assert_eq!(
        (state.status(), state.graph().nodes[0].status),
        (ExecutionStatus::Waiting, TaskStatus::Waiting)
    );
    assert_eq!(state.execution_row().waiting_for.len(), 1);
    events.push(ask("waiting_ended", 2.0));
    let state = fold(&events);
    assert_eq!(
        (state.status(), state.graph().nodes[0].status),
        (ExecutionStatus::Running, TaskStatus::Running)
    );
    assert!(state.execution_row().waiting_for.is_empty());
}

#[test]
fn a_run_that_waited_and_was_resumed_waits_no_longer() {
    let resumed = |by: &str, seconds| event("workflow_resumed", seconds, by, json!({"resumed_by": by}));
    let asked = task("waiting", 1.0, "a", json!({"feedback_id": "q", "prompt": "go on?"}));
    let mut events = vec![event("workflow_started", 0.0, "x", json!({})), started(0.0, "a", &[]), asked];
    events.extend([resumed("second", 9.0), resumed("third", 20.0)]);
    for order in [false, true] {
        if order {
            events.reverse();
        }
        let state = fold(&events);
        let row = state.execution_row();
        assert_eq!((row.status, row.reason.as_deref()), (ExecutionStatus::Terminated, Some("resumed")));
        assert_eq!(row.resumed_by, ["second".into(), "third".into()]);
        assert_eq!(row.duration.map(|span| span.micros), Some(9_000_000));
        assert!(row.waiting_for.is_empty());
        assert_eq!(state.task_execution_rows()[0].status, TaskStatus::Cancelled);
    }
}

#[test]
fn a_run_that_ended_or_still_runs_is_only_linked_to_what_was_resumed_from_it() {
    let resumed = event("workflow_resumed", 5.0, "second", json!({"resumed_by": "second"}));
    let mut events = vec![started(0.0, "a", &[]), resumed];
    assert_eq!(fold(&events).status(), ExecutionStatus::Running);
    events.extend([completed(6.0, "a"), workflow(7.0, "completed")]);
    let row = fold(&events).execution_row();
    assert_eq!((row.status, row.resumed_by), (ExecutionStatus::Completed, vec!["second".into()]));
}

#[test]
fn versions_are_given_in_the_order_of_time_and_reads_find_theirs() {
    let write = |seconds, by: &str, hash: &str| {
        task("data_written", seconds, by, json!({"channel": "main", "key": "k", "hash": hash}))
    };
    let read = |seconds, by: &str, data: serde_json::Value| task("data_read", seconds, by, data);
    let state = fold(&[
        write(3.0, "c", "A"),
        write(1.0, "a", "A"),
        write(2.0, "b", "B"),
        read(2.5, "d", json!({"channel": "main", "key": "k", "hash": "A"})),
        read(4.0, "e", json!({"channel": "main", "key": "k", "write_event_id": "data_written@2/b"})),
        read(5.0, "f", json!({"channel": "main", "key": "k", "hash": "unknown"})),
    ]);
    let flow = state.data_flow();
    let writes: Vec<_> = flow.writes.iter().map(|write| (write.version, write.hash.as_deref())).collect();
    assert_eq!(writes, [(1, Some("A")), (2, Some("B")), (3, Some("A"))]);
    let reads: Vec<_> = flow.reads.iter().map(|read| (read.version, read.inferred)).collect();
    assert_eq!(reads, [(Some(1), true), (Some(2), false), (None, false)]);
}

#[test]
fn values_that_were_not_hashed_are_never_taken_for_each_other() {
    let of_value = |kind, seconds, more: serde_json::Value| {
        let mut data = json!({"channel": "main", "key": "k", "hash": "hash_skipped:too_large"});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task(kind, seconds, "a", data)
    };
    let flow = fold(&[
        of_value("data_written", 1.0, json!({})),
        of_value("data_read", 2.0, json!({})),
        of_value("data_read", 3.0, json!({"write_event_id": "data_written@1/a"})),
    ])
    .data_flow();
    let reads: Vec<_> = flow.reads.iter().map(|read| (read.version, read.inferred)).collect();
    assert_eq!(reads, [(None, false), (Some(1), false)]);
}

#[test]
fn model_calls_add_up() {
    let call = |seconds, by: &str| {
        task(
            "llm_called",
            seconds,
            by,
            json!({"model": "m", "input_tokens": 10, "output_tokens": 2, "cost_usd": 0.1}),
        )
    };
    let state =
        fold(&[started(0.0, "a", &[]), call(1.0, "a"), call(2.0, "a"), call(2.0, "a"), call(3.0, "b")]);
    let totals = state.execution_row().llm;
    assert_eq!((totals.calls, totals.input_tokens), (3, 30));
    assert!((totals.cost_usd - 0.3).abs() < 1e-9);
    assert_eq!(state.task_execution_rows()[0].llm.calls, 2);
    assert_eq!((totals.priced_calls, totals.failed_calls, totals.total_tokens()), (3, 0, 36));
}

#[test]
fn model_calls_are_summed_by_task_iteration_and_model() {
    let failed = json!({"model": "small", "error": {"type": "Timeout", "message": "no answer"}});
    let events = [
        task("llm_called", 1.0, "plan", json!({"model": "large", "output_tokens": 5, "cost_usd": 0.5})),
        task("llm_called", 2.0, "ask#0", json!({"model": "small", "input_tokens": 70, "cost_usd": 0.0})),
        task("llm_called", 3.0, "ask#1", failed),
        task("llm_called", 4.0, "ask#1.2", json!({"model": "small", "input_tokens": 30})),
        event("llm_called", 5.0, "outside", json!({"input_tokens": 1})),
    ];
    let mut backwards = events.to_vec();
    backwards.reverse();
    let found = fold(&events).llm_use();
    assert_eq!(found, fold(&backwards).llm_use());
    assert_eq!((found.total.calls, found.total.failed_calls, found.total.priced_calls), (5, 1, 2));
    let tasks: Vec<_> = found
        .tasks
        .iter()
        .map(|task| {
            let name = task.task_id.as_ref().map(graflow_model::TaskId::as_str);
            let passes: Vec<_> =
                task.iterations.iter().map(|(pass, sum)| (*pass, sum.calls, sum.total_tokens())).collect();
            (name, task.totals.total_tokens(), passes)
        })
        .collect();
    assert_eq!(
        tasks,
        [
            (Some("plan"), 5, vec![(0, 1, 5)]),
            (Some("ask"), 100, vec![(0, 1, 70), (1, 2, 30)]),
            (None, 1, vec![(0, 1, 1)])
        ]
    );
    let models: Vec<_> = found.models.iter().map(|(model, sum)| (model.as_deref(), sum.calls)).collect();
    assert_eq!(models, [(Some("large"), 1), (Some("small"), 3), (None, 1)]);
}

#[test]
fn what_is_missing_is_said() {
    let state = fold(&[
        started(0.0, "b", &["successor:a"]),
        completed(1.0, "c"),
        started(1.0, "d", &[]),
        workflow(2.0, "completed"),
    ]);
    assert_eq!(state.missing(), ["a".into(), "b".into(), "c".into(), "d".into()]);
}
