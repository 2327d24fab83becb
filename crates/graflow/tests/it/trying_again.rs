//! Retries, timeouts and panics.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use graflow::prelude::*;
use graflow::{ExecutionStatus, TaskErrorKind};
use tokio::time::Instant;

use crate::script::{run, told};

#[test]
fn as_often_as_it_may() {
    for (script, retries, expected) in [
        ("a: fail", 1, "completed: a a b"),
        ("a: fail, fail", 1, "failed: a a; skipped: b; failed: a"),
        ("a: fail, fail", 2, "completed: a a a b"),
        ("a: panic", 1, "completed: a a b"),
        ("a: panic", 0, "failed: a; skipped: b; failed: a"),
        ("a: fatal", 5, "failed: a; skipped: b; failed: a"),
        ("a: fail; b: fail", 1, "completed: a a b b"),
    ] {
        let ran = run("a >> b", script, |execute| execute.default_retry(RetryPolicy::new(retries)));
        assert_eq!(told(&ran), expected, "{script} with {retries} retries");
    }
}

#[test]
fn a_member_that_is_tried_again_has_not_failed() {
    let ran = run("g{a | b} >> c", "a: fail 5", |execute| execute.default_retry(RetryPolicy::new(1)));
    assert_eq!(told(&ran), "completed: a b a c");
}

#[task(max_retries = 3, backoff = "100ms..250ms")]
async fn late(calls: Res<AtomicU32>) -> Result<u32, String> {
    match calls.fetch_add(1, Ordering::Relaxed) {
        3 => Ok(3),
        call => Err(format!("call {call}")),
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_doubles_up_to_its_end() -> Result<()> {
    let begun = Instant::now();
    let run = Workflow::new("late", late()).execute().resource(AtomicU32::new(0)).await?;
    assert_eq!(run.result(late())?, &3);
    assert_eq!(begun.elapsed().as_millis() / 10, (100 + 200 + 250) / 10);
    Ok(())
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

impl Refused {
    fn is_transient(&self) -> bool {
        self.0 == "come back later"
    }
}

#[task(max_retries = 5, retry_if = Refused::is_transient)]
async fn picky(ctx: &TaskContext) -> Result<u8, Refused> {
    Err(Refused(if ctx.attempt() < 3 { "come back later" } else { "never come back" }.to_owned()))
}

#[tokio::test]
async fn retry_if_is_asked() -> Result<()> {
    let run = Workflow::new("picky", picky()).execute().await?;
    assert_eq!((run.status(), run.steps()), (ExecutionStatus::Failed, 3));
    let error = &run.error().unwrap().error;
    assert!(error.is_permanent());
    assert_eq!(error.type_name(), "it::trying_again::Refused");
    assert!(error.downcast_ref::<Refused>().is_some());
    Ok(())
}

#[task(timeout = "50ms", max_retries = 1)]
async fn slow(calls: Res<AtomicU32>) {
    if calls.fetch_add(1, Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}

#[task(timeout = "50ms")]
fn slow_on_a_thread(ctx: &TaskContext, calls: Res<AtomicU32>) {
    while !ctx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    calls.fetch_add(1, Ordering::Relaxed);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_a_failed_attempt() -> Result<()> {
    let run = Workflow::new("slow", slow()).execute().resource(AtomicU32::new(0)).await?;
    assert_eq!((run.status(), run.steps()), (ExecutionStatus::Completed, 2));
    Ok(())
}

#[tokio::test]
async fn a_blocking_task_is_told_of_its_timeout() -> Result<()> {
    let calls = std::sync::Arc::new(AtomicU32::new(0));
    let workflow = Workflow::new("slow", slow_on_a_thread());
    let run = workflow.execute().shared_resource(std::sync::Arc::clone(&calls)).await?;
    let failure = run.error().unwrap();
    assert_eq!(failure.error.kind(), TaskErrorKind::TimedOut);
    assert_eq!(
        failure.to_string(),
        "task `slow_on_a_thread` failed: the attempt took longer than its timeout of 50ms"
    );
    for _ in 0..1000 {
        if calls.load(Ordering::Relaxed) == 1 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the thread never saw that it was cancelled");
}

#[task(timeout = "2s")]
fn waits_for_a_thread() {
    std::thread::sleep(Duration::from_millis(800));
}

#[test]
fn the_time_that_a_task_waits_for_a_thread_is_not_its_own() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(1).build().unwrap();
    let tasks = ["a", "b", "c", "d"].map(|name| waits_for_a_thread().named(name));
    let workflow = Workflow::new("queue", parallel("g", tasks));
    let run = runtime.block_on(async { workflow.execute().await }).unwrap();
    assert_eq!(run.status(), ExecutionStatus::Completed, "{run:?}");
}

#[test]
fn a_wait_may_be_as_long_as_can_be_said() {
    let retry = RetryPolicy::new(1).backoff(Duration::MAX, Duration::MAX).jitter();
    let ran = run("a", "a: fail", |execute| {
        execute.default_retry(retry).cancel_on(tokio::time::sleep(Duration::from_secs(1)))
    });
    assert_eq!(told(&ran), "cancelled: a; cancelled: a");
}

#[derive(Debug)]
struct Speechless;

impl std::fmt::Display for Speechless {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("no words")
    }
}

impl std::error::Error for Speechless {}

#[task]
async fn speechless() -> Result<(), Speechless> {
    Err(Speechless)
}

#[tokio::test]
async fn an_error_that_panics_when_it_is_shown_is_a_failed_task() -> Result<()> {
    let run = Workflow::new("speechless", speechless()).execute().await?;
    let expected = "task `speechless` failed: an error that panicked when it was to be shown";
    assert_eq!(run.error().unwrap().to_string(), expected);
    Ok(())
}

#[task]
fn panics_on_a_thread() {
    panic!("on {}", "purpose");
}

#[tokio::test]
async fn a_panic_is_a_failed_task() -> Result<()> {
    let run = Workflow::new("panic", panics_on_a_thread()).execute().await?;
    let failure = run.error().unwrap();
    assert_eq!(
        (failure.error.kind(), failure.error.to_string().as_str()),
        (TaskErrorKind::Panicked, "on purpose")
    );
    Ok(())
}
