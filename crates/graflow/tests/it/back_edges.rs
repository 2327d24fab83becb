//! A back edge is one whose target already reaches its source when it is declared. It never waits; taking it starts
//! a new pass, as often as `max_cycles` of its target allows.

use graflow::{Problem, Workflow, WorkflowError};

use crate::script::{flow, run, told};

/// (flow, passes of a loop, what comes of it)
fn with_cycles(rows: &[(&str, u32, &str)]) {
    for (text, cycles, expected) in rows {
        let found = told(&run(text, "", |execute| execute.default_max_cycles(*cycles)));
        assert_eq!(&found, expected, "{text} with {cycles} cycles");
    }
}

#[test]
fn a_loop_runs_as_often_as_it_may_and_then_goes_on() {
    with_cycles(&[
        ("a >> b >> a", 1, "completed: a b"),
        ("a >> b >> a", 3, "completed: a b a b a b"),
        // What comes after the loop waits for the last pass.
        ("a >> b >> (a | c)", 3, "completed: a b a b a b c"),
        // A join inside of the loop runs once a pass, also when one of its ways comes from outside.
        ("s >> a >> (b | c) >> d >> (a | e)", 2, "completed: s a b c d a b c d e"),
        ("(x | a) >> b >> (a | c)", 2, "completed: x a b a b c"),
        // The inner loop begins anew with every pass of the outer one.
        ("(a >> b >> x >> b | x >> y >> (a | c))", 2, "completed: a b x b x y a b x b x y c"),
    ]);
}

#[test]
fn a_jump_leaves_the_loop() {
    let ran = run("a >> b >> (a | c)", "b: done, jump c", |execute| execute.default_max_cycles(100));
    assert_eq!(told(&ran), "completed: a b a b c");
}

#[test]
fn a_task_cannot_follow_itself() {
    for (text, task) in [("a >> a", "a"), ("a >> (a | b)", "a"), ("(a | b) >> (b | c)", "b")] {
        let Err(WorkflowError::Invalid(report)) = Workflow::new("test", flow(text)).execute_blocking() else {
            panic!("{text} is valid")
        };
        let problem = Problem::FollowsItself { task: task.to_owned() };
        assert!(report.problems().contains(&problem), "{text}: {report}");
    }
    let mut workflow = Workflow::new("test", flow("a"));
    let told = workflow.add_edge("a", "a").unwrap_err().to_string();
    assert!(
        told.starts_with("task `a` would follow itself; for a loop, return ctx.next_iteration(…)"),
        "{told}"
    );
}

#[test]
fn which_edges_are_back_edges() {
    for (text, expected) in [
        ("a >> b >> c", ""),
        ("a >> b >> a", "b a"),
        ("a >> (b | c) >> a", "b a, c a"),
        ("(a >> b | b >> a)", "b a"),
        ("a >> b >> c >> (a | b)", "c a, c b"),
        ("a >> (b >> c | c >> d)", ""),
    ] {
        let workflow = Workflow::new("test", flow(text));
        let info = workflow.info();
        let lines = info.lines().skip(1);
        let mut back: Vec<String> = Vec::new();
        for line in lines {
            let Some((source, targets)) = line.trim().split_once(" >> ") else { continue };
            let targets = targets.split(", ").filter_map(|target| target.strip_suffix(" (back)"));
            back.extend(targets.map(|target| format!("{source} {target}")));
        }
        assert_eq!(back.join(", "), expected, "{text}");
    }
}
