//! A long run that is told to stop: with Ctrl-C, or after some seconds.
//!
//! Cancelling reaches what runs. An async task is dropped where it waits; a blocking task cannot be stopped from
//! outside, it looks at `ctx.is_cancelled()` now and then and comes to an end. Run it with
//! `cargo run -p graflow-examples --bin long_running -- --seconds 10`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use graflow::prelude::*;
use graflow_local::Lineage;

/// Looks for the number below a million million whose Collatz chain is longest, until it is stopped.
#[derive(Debug, Parser)]
struct Arguments {
    /// Stop after so many seconds.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

/// The best number so far, and how long its chain is.
const BEST: Key<(u64, u32)> = Key::serializable("best");
/// How many numbers have been looked at.
const LOOKED_AT: Key<u64> = Key::serializable("looked_at");

/// What the program keeps to see that an async task was dropped, not forgotten.
struct Watched {
    is_over: Arc<AtomicBool>,
}

/// Blocking: it would run for days.
#[task]
fn search(ctx: &TaskContext) -> u64 {
    const STRIDE: u64 = 100_000;
    let (mut start, mut longest) = (1, 0);
    while start < 1_000_000_000_000 {
        for number in start..start + STRIDE {
            let length = chain_length(number);
            if length > longest {
                longest = length;
                ctx.channel().set(BEST, (number, length));
            }
        }
        start += STRIDE;
        ctx.channel().set(LOOKED_AT, start - 1);
        if ctx.is_cancelled() {
            // What it has by now is its result.
            break;
        }
    }
    start - 1
}

/// Async: it waits most of the time, and is dropped there.
#[task]
async fn show_progress(ctx: &TaskContext, watched: Res<Watched>) {
    let _over = Over(Arc::clone(&watched.is_over));
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    loop {
        ticks.tick().await;
        if let (Some(looked_at), Some(best)) = (ctx.channel().get(LOOKED_AT), ctx.channel().get(BEST)) {
            println!("  {looked_at:>12} numbers, {} has a chain of {}", best.0, best.1);
        }
    }
}

/// Never runs: nothing starts in a run that was cancelled.
#[task]
async fn celebrate(search: u64) {
    println!("all {search} numbers have been looked at");
}

#[tokio::main]
async fn main() -> Result<()> {
    let seconds = Duration::try_from_secs_f64(Arguments::parse().seconds)?;
    println!("searching for {} s; Ctrl-C stops earlier", seconds.as_secs_f64());

    let is_over = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let run = Workflow::new("collatz", (search() >> celebrate()) | show_progress())
        .execute()
        .resource(Watched { is_over: Arc::clone(&is_over) })
        .sink(Lineage::open_default()?)
        .cancel_on(tokio::signal::ctrl_c())
        .cancel_on(tokio::time::sleep(seconds))
        .await?;

    println!("{}: {}", run.status(), run.reason().unwrap_or("no reason given"));
    for task in run.tasks() {
        println!("  {:<14}{}", task.task_id, task.status);
    }
    println!("looked at {} numbers in {:.1} s", run.result(search())?, begun.elapsed().as_secs_f64());

    let status = |id| run.task(id).map(|task| task.status);
    assert_eq!(run.status(), ExecutionStatus::Cancelled);
    assert_eq!(status("show_progress"), Some(TaskStatus::Cancelled));
    assert!(is_over.load(Ordering::Relaxed), "the task was dropped");
    assert_eq!(status("celebrate"), Some(TaskStatus::Skipped));
    Ok(())
}

/// Says that the task which holds it is gone.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The steps from a number down to 1: half of an even number, 3n + 1 of an odd one.
fn chain_length(number: u64) -> u32 {
    let (mut number, mut length) = (u128::from(number), 0);
    while number > 1 {
        number = if number % 2 == 0 { number / 2 } else { 3 * number + 1 };
        length += 1;
    }
    length
}
