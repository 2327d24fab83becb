//! The ends of a workflow other than the last task: failure, termination, cancellation, `max_steps`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use graflow::prelude::*;
use graflow::{Execute, ExecutionStatus};
use tokio_util::sync::CancellationToken;

use crate::script::{run, table, told};

#[test]
fn a_task_may_end_the_workflow() {
    table(&[
        ("a >> b >> c", "b: terminate", "terminated: a b; skipped: c"),
        ("a >> b >> c", "b: cancel", "cancelled: a b; skipped: c; cancelled: b"),
        // Terminating waits for what runs; cancelling does not.
        ("(a | b >> c)", "a: terminate 5; b: sleep 50", "terminated: a b; skipped: c"),
        ("(b >> c | a)", "a: terminate; b: sleep 50", "terminated: b a; skipped: c"),
        ("(b >> c | a)", "a: cancel; b: sleep 50", "cancelled: b a; skipped: c; cancelled: b a"),
        ("(b >> c | a)", "a: fail; b: sleep 50", "failed: b a; skipped: c; failed: a; cancelled: b"),
        ("g{a | b} >> c", "a: cancel 5; b: sleep 50", "cancelled: a b; skipped: c; cancelled: g a b"),
    ]);
}

#[test]
fn max_steps_counts_task_executions() {
    for (text, script, steps, expected) in [
        ("a >> b >> c", "", 2, "max_steps: a b; skipped: c"),
        ("a >> b >> c", "", 3, "completed: a b c"),
        ("a >> b", "a: again, again", 3, "max_steps: a a a; skipped: b"),
        ("a >> b", "a: fail, fail", 2, "max_steps: a a; skipped: b; cancelled: a"),
        ("(a | b | c)", "a: sleep 9", 2, "max_steps: a b; skipped: c"),
        ("a >> g{b | c}", "", 2, "max_steps: a b; skipped: c; cancelled: g"),
    ] {
        let retry = RetryPolicy::new(5);
        let ran = run(text, script, |execute| execute.max_steps(steps).default_retry(retry));
        assert_eq!(told(&ran), expected, "{text}, {script}, {steps} steps");
    }
}

#[test]
fn cancelling_from_outside_reaches_what_runs() {
    let cancel = |execute: Execute| execute.cancel_on(tokio::time::sleep(Duration::from_millis(20)));
    let ran = run("a >> (b | c) >> d", "b: sleep 10; c: sleep 3600000", cancel);
    assert_eq!(told(&ran), "cancelled: a b c; skipped: d; cancelled: c");
    assert_eq!(ran.0.reason(), Some("cancelled from outside"));
}

#[test]
fn a_retry_that_waits_is_cancelled_as_well() {
    let ran = run("a >> b", "a: fail", |execute| {
        let hour = Duration::from_hours(1);
        let retry = RetryPolicy::new(1).backoff(hour, hour);
        execute.default_retry(retry).cancel_on(tokio::time::sleep(Duration::from_millis(20)))
    });
    assert_eq!(told(&ran), "cancelled: a; skipped: b; cancelled: a");
    assert_eq!(ran.0.tasks()[0].error, None);
}

#[test]
fn a_retry_that_waits_ends_with_the_workflow() {
    let hour = Duration::from_hours(1);
    let retry = RetryPolicy::new(1).backoff(hour, hour);
    for (text, script, expected) in [
        ("(a | b)", "a: fail; b: terminate 5", "terminated: a b; cancelled: a"),
        ("(a | b)", "a: fail; b: cancel 5", "cancelled: a b; cancelled: a b"),
        ("(a | b)", "a: fail; b: fatal", "failed: a b; failed: b; cancelled: a"),
        ("g{a | b} >> c", "a: fail; b: fatal", "failed: a b; skipped: c; failed: g b; cancelled: a"),
    ] {
        let ran = run(text, script, |execute| execute.default_retry(retry));
        assert_eq!(told(&ran), expected, "{text} with {script}");
    }
}

struct Flags {
    began: CancellationToken,
    stopped: AtomicBool,
}

#[task]
fn until_cancelled(ctx: &TaskContext, flags: Res<Flags>) {
    flags.began.cancel();
    while !ctx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    flags.stopped.store(true, Ordering::Release);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_task_is_asked_and_waited_for() -> Result<()> {
    let flags = Arc::new(Flags { began: CancellationToken::new(), stopped: AtomicBool::new(false) });
    let began = flags.began.clone();
    let run = Workflow::new("threads", until_cancelled())
        .execute()
        .shared_resource(Arc::clone(&flags))
        .cancel_on(async move { began.cancelled().await })
        .await?;
    assert_eq!(run.status(), ExecutionStatus::Cancelled);
    assert!(flags.stopped.load(Ordering::Acquire), "the run ended before its task did");
    Ok(())
}

#[task]
fn gives_up_when_cancelled(ctx: &TaskContext, flags: Res<Flags>) -> Result<()> {
    flags.began.cancel();
    while !ctx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(TaskError::new("interrupted"))
}

#[tokio::test]
async fn a_blocking_task_that_stops_with_an_error_is_cancelled() -> Result<()> {
    let flags = Arc::new(Flags { began: CancellationToken::new(), stopped: AtomicBool::new(false) });
    let began = flags.began.clone();
    let run = Workflow::new("threads", gives_up_when_cancelled())
        .execute()
        .shared_resource(Arc::clone(&flags))
        .cancel_on(async move { began.cancelled().await })
        .await?;
    let task = run.task("gives_up_when_cancelled").unwrap();
    assert_eq!(
        (run.status(), task.status, &task.error),
        (ExecutionStatus::Cancelled, TaskStatus::Cancelled, &None)
    );
    Ok(())
}

#[task]
fn deaf(flags: Res<Flags>) {
    flags.began.cancel();
    while !flags.stopped.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn a_task_that_does_not_listen_is_left_behind() -> Result<()> {
    let flags = Arc::new(Flags { began: CancellationToken::new(), stopped: AtomicBool::new(false) });
    let began = flags.began.clone();
    let run = Workflow::new("threads", deaf())
        .execute()
        .shared_resource(Arc::clone(&flags))
        .cancel_grace(Duration::from_millis(30))
        .cancel_on(async move { began.cancelled().await })
        .await?;
    assert_eq!(run.task("deaf").unwrap().status, TaskStatus::Cancelled);
    flags.stopped.store(true, Ordering::Release);
    Ok(())
}

#[task]
async fn nests(script: Res<crate::script::Script>) -> Result<()> {
    let inner = Workflow::new("inner", crate::script::flow("i >> j")).execute().await?;
    assert!(script.trace().contains(&"i".to_owned()), "the inner run has the outer one's resources");
    inner.into_result().map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_nested_run_fails_and_is_cancelled_with_its_task() -> Result<()> {
    let script = crate::script::Script::parse("i: fail");
    let run = Workflow::new("outer", nests()).execute().resource(script).await?;
    let expected = "task `nests` failed: workflow `inner` failed: task `i` failed: as told";
    assert_eq!(run.error().unwrap().to_string(), expected);

    let script = crate::script::Script::parse("i: sleep 3600000");
    let cancel = tokio::time::sleep(Duration::from_millis(5));
    let run = Workflow::new("outer", nests()).execute().resource(script.clone()).cancel_on(cancel).await?;
    assert_eq!(run.status(), ExecutionStatus::Cancelled);
    assert_eq!(script.trace(), ["i"]);
    Ok(())
}

/// Says when it is dropped.
struct Guard(Arc<Flags>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Release);
    }
}

#[task]
async fn for_ever(flags: Res<Flags>) {
    let _guard = Guard(flags.clone().into());
    flags.began.cancel();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_run_cancels_its_tasks() {
    let flags = Arc::new(Flags { began: CancellationToken::new(), stopped: AtomicBool::new(false) });
    let workflow = Workflow::new("dropped", for_ever());
    let run = workflow.execute().shared_resource(Arc::clone(&flags)).into_future();
    tokio::select! {
        _ = run => panic!("it never ends"),
        () = flags.began.cancelled() => {}
    }
    for _ in 0..1000 {
        if flags.stopped.load(Ordering::Acquire) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the task was not dropped");
}
