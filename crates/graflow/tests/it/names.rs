//! Names that cannot be recorded are refused where they are given: no event is lost for one.

use graflow::prelude::*;
use graflow::{Execute, ExecutionContext, Problem, WorkflowError};
use graflow_model::limits::{ID_BYTES, NAME_BYTES};

use crate::recording::events;
use crate::script::{Script, flow, step};

/// What is reported of a workflow.
fn told(workflow: &Workflow, set_up: impl FnOnce(Execute) -> Execute) -> String {
    match set_up(workflow.execute().resource(Script::default())).execute_blocking() {
        Err(WorkflowError::Invalid(report)) => {
            report.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
        other => panic!("it is invalid: {other:?}"),
    }
}

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[test]
fn what_is_empty_or_too_long_is_said_before_the_first_task() {
    let task = |name: &str| Workflow::new("w", step().named(name));
    let plain = |execute: Execute| execute;
    assert_eq!(
        told(&task(""), plain),
        "the name of a task or group, ``: it is empty; give it at least one character"
    );
    assert!(told(&task(&long(NAME_BYTES)), plain).ends_with("16373 are the most; shorten it"));
    assert!(told(&Workflow::new("w", parallel("", [flow("a")])), plain).contains("it is empty"));
    assert!(told(&Workflow::new("", flow("a")), plain).starts_with("the name of a workflow, ``"));
    assert!(told(&Workflow::new(long(NAME_BYTES + 1), flow("a")), plain).contains("16385 bytes"));
    let a = Workflow::new("w", flow("a"));
    assert!(told(&a, |execute| execute.execution_id("")).starts_with("the id of an execution"));
    assert!(told(&a, |execute| execute.execution_id(long(ID_BYTES - 10))).contains("117 are the most"));
    assert!(told(&a, |execute| execute.execution_id("a\nb")).contains("a control character"));
    assert!(told(&a, |execute| execute.label("", "x")).starts_with("the key of a label"));
    assert!(told(&a, |execute| execute.label("x", long(300_000))).contains("262144 are the most"));
    assert!(Workflow::empty("w").add_node(step().named("")).is_err());
    // All at once.
    let all = told(&Workflow::new("", step().named("")), |execute| execute.label("", ""));
    assert_eq!(all.matches("is empty").count(), 3, "{all}");
}

#[test]
fn the_longest_names_are_recorded() {
    let name = long(NAME_BYTES - 11);
    let recorded = events(step().named(name), graflow::sink::ValuePolicy::Metadata, |execute| {
        execute.resource(Script::default()).label("x", long(200_000))
    });
    for event in recorded {
        event.check().unwrap();
    }
}

#[test]
fn a_running_task_hears_of_it_at_the_call() {
    #[task]
    async fn adds(ctx: &TaskContext) -> String {
        ctx.next_task(step().named("fine") >> (step().named("") | step())).unwrap_err().to_string()
    }
    let run = Workflow::new("w", adds()).execute().resource(Script::default()).execute_blocking().unwrap();
    assert!(run.result(adds()).unwrap().starts_with("the name of a task or group, ``: it is empty"));
    assert_eq!(run.tasks().len(), 1);
}

#[test]
fn so_does_a_program_of_its_own() {
    let sink = graflow::sink::NullSink;
    assert!(matches!(
        ExecutionContext::start_workflow_tracking("", sink),
        Err(Problem::Name { what: "the name of a workflow", .. })
    ));
    let tracking = ExecutionContext::start_workflow_tracking("own", sink).unwrap();
    assert!(tracking.executing_task("").is_err());
    assert!(tracking.add_edge("a", &long(NAME_BYTES)).is_err());
}

#[test]
#[should_panic(expected = "the name of a key cannot be empty")]
fn a_key_that_is_no_constant_panics() {
    let _ = Key::<u32>::new("");
}

#[test]
fn more_edges_than_a_graph_may_have() {
    let side = |prefix: &str| {
        (0..1_001).map(|number| flow(&format!("{prefix}{number}"))).reduce(|one, other| one | other)
    };
    let workflow = Workflow::new("w", side("a").unwrap() >> side("b").unwrap());
    assert_eq!(
        told(&workflow, |execute| execute),
        "1001 tasks >> 1001 tasks: with an edge from each to each, the workflow has more than 1000000 edges; \
         put a task between them, or make one side a group with parallel(…)"
    );
}
