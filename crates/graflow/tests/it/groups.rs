//! Parallel groups: their policies, their members' results, and what a failure inside of them does.

use graflow::prelude::*;
use graflow::{Problem, TaskErrorKind, WorkflowError};

use crate::script::{check, run, table};

#[test]
fn policies() {
    table(&[
        ("s >> g{a | b} >> e", "", "completed: s a b e"),
        // Strict: the first failure cancels what runs.
        ("g{a | b} >> e", "a: fail 5; b: sleep 50", "failed: a b; skipped: e; failed: g a; cancelled: b"),
        (
            "g{a >> x | b >> y} >> e",
            "b: fail; a: sleep 1",
            "failed: a b; skipped: x y e; failed: g b; cancelled: a",
        ),
        // What has not begun is skipped.
        ("g{a | b} >> e", "a: fail", "failed: a; skipped: b e; failed: g a"),
        // Best effort: what fails is no matter.
        ("g/best_effort{a | b} >> e", "a: fail; b: sleep 50", "completed: a b e; failed: a"),
        ("g/best_effort{a | b} >> e", "a: fail; b: fail", "completed: a b e; failed: a b"),
        ("g/best_effort{a >> x | b} >> e", "a: panic", "completed: a b e; skipped: x; failed: a"),
        // At least so many.
        ("g/at_least=1{a | b} >> e", "a: fail", "completed: a b e; failed: a"),
        ("g/at_least=2{a | b | c} >> e", "a: fail; c: sleep 9", "completed: a b c e; failed: a"),
        ("g/at_least=2{a | b | c} >> e", "a: fail; c: fail", "failed: a b c; skipped: e; failed: g a c"),
        // Critical members.
        ("g/critical=a{a | b} >> e", "b: fail", "completed: a b e; failed: b"),
        ("g/critical=a{a | b} >> e", "a: fail", "failed: a b; skipped: e; failed: g a"),
        // Nobody to wait for.
        ("s >> g{} >> e", "", "completed: s e"),
        // Groups in groups: the outer one decides over the inner one.
        ("g/best_effort{h{a | b} | c} >> e", "a: fail", "completed: c a e; skipped: b; failed: h a"),
        ("g{h/best_effort{a | b} | c} >> e", "a: fail", "completed: c a b e; failed: a"),
        (
            "g{h{a | b} | c} >> e",
            "c: fail 5; a: sleep 9; b: sleep 9",
            "failed: c a b; skipped: e; failed: g c; cancelled: h a b",
        ),
    ]);
}

#[test]
fn members_may_loop_and_groups_may_be_looped_over() {
    table(&[
        ("g{a | b} >> e", "a: again, again", "completed: a a a b e"),
        ("s >> g/best_effort{a | b} >> e", "a: fail, done; e: jump s", "completed: s a b e s a b e"),
        ("s >> g{a | b} >> e", "e: jump g", "completed: s a b e a b e"),
    ]);
    let ran = run("s >> g{a | b} >> (s | e)", "", |execute| execute.default_max_cycles(2));
    assert_eq!(crate::script::told(&ran), "completed: s a b s a b e");
}

#[test]
fn a_jump_stays_inside_of_its_member() {
    table(&[
        ("g{a >> b >> c | d}", "a: jump c", "completed: a d c; skipped: b"),
        ("g{a >> b | d} >> e", "a: jump e", "failed: a; skipped: b d e; failed: g a"),
        ("g{a | b}", "a: jump b", "failed: a; skipped: b; failed: g a"),
        ("a >> g{b | c}", "a: jump b", "failed: a; skipped: g b c; failed: a"),
    ]);
}

#[test]
fn what_a_member_adds_belongs_to_it() {
    table(&[
        ("g{a | b} >> e", "a: add x >> y", "completed: a b x y e"),
        ("g/best_effort{a | b} >> e", "a: add x; x: fail", "completed: a b x e; failed: x"),
        (
            "g{a | b} >> e",
            "a: add x; x: fail; b: sleep 9",
            "failed: a b x; skipped: e; failed: g x; cancelled: b",
        ),
    ]);
}

#[task]
async fn number(value: u32) -> Result<u32> {
    if value == 13 { Err(TaskError::new("unlucky")) } else { Ok(value) }
}

#[task]
async fn sum(numbers: Members<u32>) -> String {
    let completed: Vec<u32> = numbers.completed().copied().collect();
    let failed: Vec<(&str, &str)> = numbers.failed().collect();
    format!("{} of {}: {completed:?} {failed:?}", completed.len(), numbers.len())
}

#[tokio::test]
async fn the_results_of_members_come_in_order_failures_included() -> Result<()> {
    let members = [5, 13, 2].map(|value| number().value(value).named(format!("n{value}")));
    let flow = parallel("numbers", members).policy(BestEffort) >> sum();
    let run = Workflow::new("sum", flow).execute().await?;
    assert_eq!(run.result(sum())?, r#"2 of 3: [5, 2] [("n13", "unlucky")]"#);
    Ok(())
}

#[tokio::test]
async fn a_closure_is_a_policy() -> Result<()> {
    let members = [1, 13].map(|value| number().value(value).named(format!("n{value}")));
    let group = parallel("numbers", members).policy(|members: &[MemberOutcome]| {
        if members[1].error.as_deref() == Some("unlucky") { Err("no luck".to_owned()) } else { Ok(()) }
    });
    let run = Workflow::new("sum", group).execute().await?;
    let failure = run.error().unwrap();
    assert_eq!(failure.to_string(), "task `numbers` failed: group `numbers` (custom) failed: no luck");
    assert_eq!(failure.error.kind(), TaskErrorKind::Group);
    Ok(())
}

#[tokio::test]
async fn a_policy_that_panics_fails_the_group() -> Result<()> {
    let group = parallel("g", [number().value(1)])
        .policy(|_: &[MemberOutcome]| -> Result<(), String> { panic!("no idea") });
    let run = Workflow::new("panics", group).execute().await?;
    assert!(run.error().unwrap().to_string().ends_with("failed: its policy panicked: no idea"));
    let run = Workflow::new("panics", parallel("g", [number().value(13)]).policy(Careless)).execute().await?;
    let error = run.error().unwrap().to_string();
    assert!(error.ends_with("group `g` (custom) failed: its policy panicked: no verdict"), "{error}");
    let checked = parallel("g", [number().value(1), number().value(2).named("b")]).policy(Careless);
    let error = Workflow::new("panics", checked).execute().await.unwrap_err().to_string();
    assert!(error.ends_with("group `g`: its policy panicked: no check"), "{error}");
    Ok(())
}

/// Panics in everything that it is asked, but lets one member pass.
struct Careless;

impl GroupPolicy for Careless {
    fn name(&self) -> String {
        panic!("no name")
    }
    fn evaluate(&self, _: &[MemberOutcome]) -> Result<(), String> {
        panic!("no verdict")
    }
    fn stops_at_first_failure(&self) -> bool {
        panic!("no answer")
    }
    fn check(&self, members: &[&str]) -> Result<(), String> {
        if members.len() == 1 { Ok(()) } else { panic!("no check") }
    }
}

#[tokio::test]
async fn a_policy_sees_where_every_member_stands() -> Result<()> {
    struct Strictly;
    impl GroupPolicy for Strictly {
        fn name(&self) -> String {
            "strictly".to_owned()
        }
        fn evaluate(&self, members: &[MemberOutcome]) -> Result<(), String> {
            let told = members.iter().map(|member| format!("{} {}", member.task_id, member.status));
            Err(told.collect::<Vec<_>>().join(", "))
        }
        fn stops_at_first_failure(&self) -> bool {
            true
        }
    }
    let flow = parallel(
        "g",
        [crate::script::flow("h{a | b}"), crate::script::flow("c"), crate::script::flow("d >> e")],
    );
    let script = crate::script::Script::parse("a: sleep 60000; c: fail 5");
    let run = Workflow::new("strictly", flow.policy(Strictly)).execute().resource(script).await?;
    let error = run.error().unwrap().to_string();
    assert!(error.ends_with("failed: h cancelled, c failed, e completed"), "{error}");
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_group_is_found_before_it_runs() {
    let group = (number().value(1) | number().value(2).named("two")).policy(AtLeast(3)) >> sum();
    let WorkflowError::Invalid(report) = Workflow::new("sum", group).execute().await.unwrap_err() else {
        panic!("it is invalid")
    };
    assert!(
        matches!(&report.problems()[0], Problem::Group { group, .. } if group == "parallel_1"),
        "{report}"
    );
    assert!(
        matches!(&report.problems()[1], Problem::UnresolvedParameter { parameter, .. } if parameter == "numbers")
    );
}

#[tokio::test]
async fn a_run_starts_with_a_group_as_a_whole() {
    let workflow = Workflow::new("starts", crate::script::flow("s >> g{a | b} >> e"));
    let script = crate::script::Script::default();
    let refused = workflow.execute().start("a").resource(script.clone()).await.unwrap_err().to_string();
    assert!(
        refused.ends_with(
            "group `g`: a run cannot start with its member `a` alone; start it with the group as a whole"
        ),
        "{refused}"
    );
    let run = workflow.execute().start("g").resource(script.clone()).await.unwrap();
    assert_eq!((run.status(), script.trace().join(" ").as_str()), (ExecutionStatus::Completed, "a b e"));
}

#[test]
fn bare_branches_are_no_group_and_the_first_failure_ends_the_workflow() {
    assert_eq!(
        check("(a | b) >> c", "a: fail 5; b: sleep 50"),
        "failed: a b; skipped: c; failed: a; cancelled: b"
    );
}
