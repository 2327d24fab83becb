//! Sinks, runtimes and futures of the program that misbehave: the run comes to its end all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use graflow::prelude::*;
use graflow::sink::{Record, Sink};
use graflow::{ExecutionId, WorkflowError};

use crate::script::{run, told};

/// Panics whenever it is called.
#[derive(Clone, Default)]
struct Panics(Arc<AtomicUsize>);

impl Sink for Panics {
    fn record(&self, _: Record) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("the sink is broken");
    }
    fn url(&self, _: &ExecutionId) -> Option<String> {
        panic!("no address")
    }
}

#[test]
fn a_sink_that_panics_harms_nobody_and_is_asked_once() {
    let sink = Panics::default();
    let ran = run("a >> (b | c) >> d", "c: fail", |execute| {
        execute.sink(sink.clone()).default_retry(RetryPolicy::new(1))
    });
    assert_eq!(told(&ran), "completed: a b c c d");
    assert_eq!(ran.0.url().as_str(), None);
    assert_eq!(sink.0.load(Ordering::Relaxed), 1);
}

#[task]
async fn for_ever() {
    std::future::pending::<()>().await;
}

#[test]
fn a_run_may_be_dropped_after_its_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut run = Workflow::new("dropped", for_ever()).execute().sink(Panics::default()).into_future();
    let polled = runtime.block_on(async { run.as_mut().poll(&mut Context::from_waker(Waker::noop())) });
    assert!(matches!(polled, Poll::Pending));
    drop(runtime);
    drop(run);
}

#[test]
fn a_panic_in_cancel_on_cancels_the_run() {
    let ran = run("a >> b", "a: sleep 60000", |execute| {
        execute.cancel_on(async {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            panic!("as told");
        })
    });
    assert_eq!(told(&ran), "cancelled: a; skipped: b; cancelled: a");
    assert_eq!(ran.0.reason(), Some("the future given to cancel_on panicked: as told"));
}

#[test]
fn a_runtime_without_a_timer_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let refused = runtime.block_on(async { Workflow::new("no timer", for_ever()).execute().await });
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the async runtime has no timer; build it with `.enable_all()`"
    );
}

#[task]
fn runs_another_and_waits() -> Result<u32> {
    let run = Workflow::new("inner", twice()).execute().input(NUMBER, 21).execute_blocking()?;
    Ok(*run.result(twice())?)
}

const NUMBER: Key<u32> = Key::new("number");

#[task]
async fn twice(number: u32) -> u32 {
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    number * 2
}

#[task]
async fn runs_another_where_it_must_not_wait() -> Result<(), WorkflowError> {
    twice_blocking().map(drop)
}

fn twice_blocking() -> Result<graflow::Run, WorkflowError> {
    Workflow::new("inner", twice()).execute().input(NUMBER, 1).execute_blocking()
}

#[tokio::test]
async fn a_blocking_task_may_run_a_workflow_and_wait_for_it() -> Result<()> {
    let run = Workflow::new("outer", runs_another_and_waits()).execute().await?;
    assert_eq!(run.result(runs_another_and_waits())?, &42);
    let run = Workflow::new("outer", runs_another_where_it_must_not_wait()).execute().await?;
    let error = run.error().unwrap().to_string();
    assert!(error.ends_with("or call it from a task that is no `async fn`"), "{error}");
    Ok(())
}
