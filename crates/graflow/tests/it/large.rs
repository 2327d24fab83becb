//! Large graphs: no event outgrows what is taken, and the edges are counted right.

use graflow::prelude::*;
use graflow::sink::ValuePolicy;
use graflow_model::limits::EVENT_BYTES;
use graflow_model::{Event, ExecutionState};

use crate::recording::events;
use crate::script::{Script, flow, step};

/// So many tasks called `{prefix}0`, `{prefix}1`, …
fn steps(prefix: &str, count: usize) -> impl Iterator<Item = Flow> {
    (0..count).map(move |number| graflow::IntoFlow::into_flow(step().named(format!("{prefix}{number}"))))
}

fn branches(prefix: &str, count: usize) -> Flow {
    steps(prefix, count).reduce(|one, other| one | other).unwrap()
}

fn recorded(flow: Flow) -> Vec<Event> {
    events(flow, ValuePolicy::Off, |execute| execute.resource(Script::default()).max_steps(100_000))
}

/// The state that the events fold to; every one of them has to be one that is taken.
fn folded(events: &[Event]) -> ExecutionState {
    let mut state = ExecutionState::new("x".into());
    for event in events {
        event.check().unwrap();
        let bytes = event.to_json().len();
        assert!(bytes <= EVENT_BYTES, "a {} of {bytes} bytes", event.event_type);
        state.apply(event);
    }
    state
}

fn count(state: &ExecutionState, source: &str, target: &str) -> Option<u64> {
    state.edge_row(&source.into(), &target.into()).map(|edge| edge.count)
}

#[test]
fn a_group_is_one_cause_however_many_members_it_has() {
    let state = folded(&recorded(parallel("g", steps("m", 13_000)) >> step().named("z")));
    assert_eq!(count(&state, "g", "z"), Some(1));
    assert_eq!(count(&state, "g", "m12999"), Some(1));
    assert_eq!(state.graph().edges.len(), 13_001);
    let join = state.task_execution_rows().into_iter().find(|row| row.task_id.as_str() == "z").unwrap();
    assert_eq!(join.causes.len(), 1);
}

#[test]
fn a_join_of_many_branches_names_them_all() {
    let state = folded(&recorded(branches("b", 13_000) >> step().named("z")));
    assert_eq!(count(&state, "b12999", "z"), Some(1));
    assert_eq!(state.execution_row().total_tasks, 13_001);
    let join = state.task_execution_rows().into_iter().find(|row| row.task_id.as_str() == "z").unwrap();
    assert_eq!(join.causes.len(), 13_000);
}

#[test]
fn a_graph_with_long_names_is_declared_in_parts_and_in_order() {
    let name = |number: usize| format!("{number:05}{}", "\"".repeat(2_000));
    let flow = chain((0..3_000).map(|number| step().named(name(2_999 - number))));
    let state = folded(&recorded(flow));
    let declared: Vec<String> = state.graph().nodes.into_iter().map(|node| node.id.to_string()).collect();
    let expected: Vec<String> = (0..3_000).map(|number| name(2_999 - number)).collect();
    assert!(declared == expected, "the order of declaration is kept");
}

#[test]
fn a_flow_may_be_nested_deeper_than_a_stack() {
    let mut nested = flow("t");
    for number in 0..10_000 {
        nested = (nested | step().named(format!("a{number}"))) >> step().named(format!("b{number}"));
    }
    let workflow = Workflow::new("nested", nested);
    assert!(
        workflow.info().starts_with("workflow nested: tasks 20001, groups 0, edges 20000, back edges 0\n")
    );
}

/// Flow, script, and what edges were taken how often, those between a group and its members as `group:member`.
#[test]
fn only_declared_edges_are_taken() {
    for (text, script, expected) in [
        ("s >> g{a | b} >> z", "", "g:a 1, g:b 1, g>z 1, s>g 1"),
        ("s >> g/best_effort{a | b} >> z", "a: fail; b: fail", "g:a 1, g:b 1, g>z 1, s>g 1"),
        ("g{a | b} >> h{c | d} >> z", "", "g:a 1, g:b 1, g>h 1, h:c 1, h:d 1, h>z 1"),
        ("s >> g{h{a | b} >> c | d} >> z", "", "g:c 0, g:d 1, g:h 1, g>z 1, h:a 1, h:b 1, h>c 1, s>g 1"),
        ("g{h{a | b} | c >> d} >> z", "", "c>d 1, g:c 1, g:d 0, g:h 1, g>z 1, h:a 1, h:b 1"),
        ("g{a | b}", "a: fail", "g:a 1, g:b 0"),
        ("g{a >> h{b}} >> z", "", "a>h 1, g:a 1, g:h 0, g>z 1, h:b 1"),
        ("s >> g{a | b} >> z", "z: jump g", "g:a 2, g:b 2, g>z 2, s>g 1, z>g 1"),
        ("s >> g{a | b} >> (s | z)", "", "g:a 2, g:b 2, g>s 1, g>z 1, s>g 2"),
    ] {
        let recorded = events(flow(text), ValuePolicy::Off, |execute| {
            execute.resource(Script::parse(script)).default_max_cycles(2)
        });
        let edges = folded(&recorded).graph().edges;
        let drawn = edges.iter().map(|edge| {
            let arrow = if edge.kind == graflow_model::EdgeKind::GroupMember { ':' } else { '>' };
            format!("{}{arrow}{} {}", edge.source, edge.target, edge.count)
        });
        assert_eq!(drawn.collect::<Vec<_>>().join(", "), expected, "{text} with {script}");
    }
}
