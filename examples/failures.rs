//! Failures: what is tried again, what is not, how much of a group may fail, and how errors read.
//!
//! Run it with `cargo run -p graflow-examples --bin failures`.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use graflow::prelude::*;
use graflow_local::Lineage;

#[tokio::main]
async fn main() -> Result<()> {
    let lineage = Lineage::open_default()?;
    patience(&lineage).await?;
    no_use_in_trying_again(&lineage).await?;
    how_much_may_fail(&lineage).await?;
    too_slow_and_broken(&lineage).await?;
    wrong_before_it_starts(&lineage).await
}

// 1. A parcel that is not there yet: the task fails, waits, and tries again.

/// Where the parcel will be.
const PARCEL: Key<PathBuf> = Key::new("parcel");
/// How often somebody looked in vain.
const IN_VAIN: Key<u32> = Key::serializable("in_vain");

#[derive(Debug, thiserror::Error)]
enum ParcelError {
    #[error("nobody has brought it yet")]
    NotThere(#[source] io::Error),
    #[error("cannot read it")]
    Unreadable(#[source] io::Error),
}

impl ParcelError {
    /// Waiting helps against an absent courier, and against nothing else.
    fn may_pass(&self) -> bool {
        matches!(self, Self::NotThere(_))
    }
}

#[task(max_retries = 9, backoff = "20ms..200ms", retry_if = ParcelError::may_pass)]
fn receive(ctx: &TaskContext, parcel: PathBuf) -> Result<String, ParcelError> {
    std::fs::read_to_string(parcel).map_err(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            return ParcelError::Unreadable(error);
        }
        ctx.channel().atomic_add(IN_VAIN, 1);
        println!("  attempt {}: {error}", ctx.attempt());
        ParcelError::NotThere(error)
    })
}

/// The courier comes when somebody has looked twice.
#[task]
fn deliver(ctx: &TaskContext, parcel: PathBuf) -> Result<()> {
    while ctx.channel().get(IN_VAIN).is_none_or(|times| *times < 2) && !ctx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Whole or not at all: nobody reads half a parcel.
    let unfinished = parcel.with_extension("unfinished");
    std::fs::write(&unfinished, "a book")?;
    Ok(std::fs::rename(unfinished, parcel)?)
}

async fn patience(lineage: &Lineage) -> Result<()> {
    println!("1. a parcel that is not there yet");
    let parcel = std::env::temp_dir().join(format!("graflow-parcel-{}", std::process::id()));
    let run = Workflow::new("parcel", receive() | deliver())
        .execute()
        .sink(lineage.clone())
        .input(PARCEL, parcel.clone())
        .await?;
    std::fs::remove_file(parcel)?;

    let attempts = run.task("receive").map_or(0, |task| task.executions);
    println!("  attempt {attempts}: {}\n", run.result(receive())?);
    assert!(attempts >= 3, "two in vain, then at least one more: {run:?}");
    assert!(run.duration() >= Duration::from_millis(20 + 40), "it waited in between");
    Ok(())
}

// 2. What will not get better is not tried again.

#[task(max_retries = 9, backoff = "1s..1m")]
fn weigh(text: &str) -> Result<u32> {
    text.parse().map_err(TaskError::permanent)
}

async fn no_use_in_trying_again(lineage: &Lineage) -> Result<()> {
    println!("2. a weight that is no number, and never will be");
    let run = Workflow::new("scales", weigh().text("seven")).execute().sink(lineage.clone()).await?;
    println!("  {}\n", said(&run));
    assert_eq!(said(&run), "failed: task `weigh` failed: invalid digit found in string");
    assert_eq!(run.task("weigh").map(|task| task.executions), Some(1));
    Ok(())
}

// 3. How much of a group may fail is the group's policy.

#[task]
async fn sum(weights: Members<u32>) -> u32 {
    for (task, error) in weights.failed() {
        println!("  without {task}: {error}");
    }
    weights.completed().sum()
}

async fn how_much_may_fail(lineage: &Lineage) -> Result<()> {
    println!("3. three weights, one of them no number");
    let group = || {
        let texts = ["12", "seven", "30"];
        parallel("weights", texts.map(|text| weigh().text(text).named(format!("weigh/{text}"))))
    };
    let flows = [
        ("strict", group() >> sum(), None),
        ("best effort", group().policy(BestEffort) >> sum(), Some(42)),
        ("at least 2", group().policy(AtLeast(2)) >> sum(), Some(42)),
        ("at least 3", group().policy(AtLeast(3)) >> sum(), None),
        ("12 is critical", group().policy(Critical::new(["weigh/12"])) >> sum(), Some(42)),
        ("seven is critical", group().policy(Critical::new(["weigh/seven"])) >> sum(), None),
    ];
    for (policy, flow, expected) in flows {
        let run = Workflow::new("weights", flow).execute().sink(lineage.clone()).await?;
        let sum = run.result(sum()).ok().copied();
        println!("  {policy}: {}", sum.map_or_else(|| said(&run), |sum| format!("the sum is {sum}")));
        assert_eq!(sum, expected, "{policy}: {run:?}");
    }
    println!();
    Ok(())
}

// 4. A task that takes too long, and one with a bug: both fail, neither takes the program with it.

#[task(timeout = "50ms")]
async fn wait_for_godot() {
    std::future::pending::<()>().await;
}

#[task]
async fn first_of(numbers: Vec<u32>) -> u32 {
    numbers[0]
}

async fn too_slow_and_broken(lineage: &Lineage) -> Result<()> {
    println!("4. one that takes too long, and one with a bug (Rust itself reports the panic, too)");
    let begun = Instant::now();
    let run = Workflow::new("slow", wait_for_godot()).execute().sink(lineage.clone()).await?;
    println!("  {}", said(&run));
    assert_eq!(run.task("wait_for_godot").map(|task| task.status), Some(TaskStatus::Failed));
    assert!(begun.elapsed() < Duration::from_secs(10), "nobody waited for longer");

    let run = Workflow::new("broken", first_of().numbers(Vec::new())).execute().sink(lineage.clone()).await?;
    println!("  {}\n", said(&run));
    assert!(run.error().is_some_and(|failure| failure.error.type_name() == "Panic"), "{run:?}");
    Ok(())
}

// 5. A workflow that cannot work does not start. Everything that is wrong with it is said at once.

#[task]
async fn parcels() -> u32 {
    3
}

#[task]
async fn postage(parcel: &str, weight: f64) -> f64 {
    weight + f64::from(u8::from(parcel.is_empty()))
}

async fn wrong_before_it_starts(lineage: &Lineage) -> Result<()> {
    println!("5. a task whose parameters nobody fills");
    match Workflow::new("postage", parcels() >> postage()).execute().sink(lineage.clone()).await {
        Ok(run) => Err(TaskError::new(format!("it should not have started: {run:?}"))),
        Err(error) => {
            println!("{error}");
            let text = error.to_string();
            assert!(text.contains("2 problems") && text.contains("`weight: f64`"), "both are named: {text}");
            Ok(())
        }
    }
}

fn said(run: &graflow::Run) -> String {
    let words = run.error().map_or_else(String::new, |failure| format!(": {failure}"));
    format!("{}{words}", run.status())
}
