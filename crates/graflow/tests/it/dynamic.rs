//! Tasks added by running tasks.

use graflow::prelude::*;

use crate::script::{check, run, table};

#[test]
fn added_tasks_run_beside_the_successors() {
    table(&[
        ("a >> b", "a: add x", "completed: a x b"),
        ("a >> b", "a: add x >> y", "completed: a x b y"),
        ("a", "a: add x >> g{y | z} >> w", "completed: a x y z w"),
        ("a >> b", "a: again; b: add x", "completed: a a b x"),
        // A task that was added adds another.
        ("a", "a: add x; x: add y", "completed: a x y"),
    ]);
}

#[test]
fn tasks_added_by_an_attempt_that_fails_are_withdrawn() {
    assert_eq!(check("a >> b", "a: add_and_fail x"), "failed: a; skipped: b; failed: a");
    let retry = |execute: graflow::Execute| execute.default_retry(RetryPolicy::new(1));
    let ran = run("a >> b", "a: add_and_fail x, done", retry);
    assert_eq!(crate::script::told(&ran), "completed: a a b");
    // The second attempt adds them as if it were the first.
    let ran = run("a >> b", "a: add_and_fail x, add x", retry);
    assert_eq!(crate::script::told(&ran), "completed: a a x b");
}

#[test]
fn what_cannot_be_added_fails_the_task_that_adds_it() {
    let (run, _) = run("a >> b", "a: add b", |execute| execute);
    let error = run.error().unwrap().to_string();
    assert!(
        error.contains("cannot add tasks: task `b`: it exists already; go there with ctx.jump(…)"),
        "{error}"
    );
}

#[test]
fn what_was_refused_takes_no_name_away() {
    let (run, script) = run("g/best_effort{a} >> b >> c", "a: add b{x}; b: add p{y} >> q", |execute| execute);
    let error = run.tasks().iter().find(|task| &*task.task_id == "a").unwrap().error.clone().unwrap();
    assert_eq!(&*error, "cannot add tasks: task `b`: there is a task or group of that name already");
    assert_eq!(script.trace().join(" "), "a b c y q");
    assert_eq!(run.task("b").unwrap().status, TaskStatus::Completed);
    assert_eq!(run.result(crate::script::step().named("b")).unwrap(), &0);
}

#[task]
async fn keeps(ctx: &TaskContext, kept: Res<std::sync::Mutex<Option<TaskContext>>>) {
    *kept.lock().unwrap() = Some(ctx.clone());
}

#[tokio::test]
async fn a_context_that_was_kept_adds_nothing() -> Result<()> {
    let kept = std::sync::Arc::new(std::sync::Mutex::new(None::<TaskContext>));
    let run = Workflow::new("keeps", keeps()).execute().shared_resource(std::sync::Arc::clone(&kept)).await?;
    let error = kept.lock().unwrap().as_ref().unwrap().next_task(double()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot add tasks: this attempt of `keeps` has ended; add them before it returns"
    );
    assert_eq!(run.tasks().len(), 1);
    Ok(())
}

const NOTHING_THERE: Key<u32> = Key::new("nothing_there");

#[task]
async fn double(input: u32) -> u32 {
    input * 2
}

#[task]
async fn report(double: u32, nothing_there: u32) -> u32 {
    double + nothing_there
}

#[task]
async fn adds(ctx: &TaskContext) -> Result<()> {
    ctx.next_task(double().input(21) >> report())
}

#[tokio::test]
async fn their_parameters_are_checked_when_they_are_added() -> Result<()> {
    let run = Workflow::new("dynamic", adds()).execute().await?;
    let error = run.error().unwrap().to_string();
    assert!(
        error.contains("task `report`, parameter `nothing_there: u32`: nothing of that name is there"),
        "{error}"
    );
    assert_eq!(run.tasks().len(), 1, "nothing is left of what was withdrawn");
    let run = Workflow::new("dynamic", adds()).execute().input(NOTHING_THERE, 1).await?;
    assert_eq!(run.result(report())?, &43);
    Ok(())
}
