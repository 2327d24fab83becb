//! Dynamic fan-out: how many tasks there are is known only when the workflow runs.
//!
//! `divide` cuts the numbers up to a limit into pieces, as many as this machine has use for, and adds a task for each;
//! `total` gathers what they found. Run it with `cargo run -p graflow-examples --bin dynamic_fan_out`.

use std::ops::Range;

use graflow::prelude::*;
use graflow_local::Lineage;

const LIMIT: Key<u64> = Key::serializable("limit");

/// Adds a group of tasks, and a task after it. They start when `divide` completes; were it to fail, they would be
/// withdrawn.
#[task]
fn divide(ctx: &TaskContext, limit: u64) -> Result<usize> {
    let workers = std::thread::available_parallelism()?.get() as u64;
    // More pieces than workers, since pieces with large numbers take longer.
    let length = limit.div_ceil(workers * 4);
    let pieces: Vec<Range<u64>> = (0..limit)
        .step_by(usize::try_from(length)?)
        .map(|start| start..(start + length).min(limit))
        .collect();
    let count = pieces.len();
    let tasks = pieces.into_iter().map(|piece| {
        // A bound value instead of one that is found by name; and an id of its own for each task.
        let name = format!("count_primes/{}", piece.start);
        count_primes().piece(piece).named(name)
    });
    ctx.next_task(parallel("pieces", tasks) >> total())?;
    Ok(count)
}

#[task]
fn count_primes(piece: Range<u64>) -> usize {
    piece.filter(|number| is_prime(*number)).count()
}

/// `Members<T>` has the group's results in the order of its members.
#[task]
fn total(pieces: Members<usize>) -> usize {
    for piece in pieces.iter() {
        println!("  {:<24}{:>6}", piece.task_id, piece.result.copied().unwrap_or_default());
    }
    pieces.completed().sum()
}

#[tokio::main]
async fn main() -> Result<()> {
    let workflow = Workflow::new("primes", divide());
    println!("declared:\n{}", workflow.info());

    let lineage = Lineage::open_default()?;
    let run = workflow.execute().input(LIMIT, 200_000).sink(lineage).await?.into_result()?;

    let pieces = *run.result(divide())?;
    println!("{} primes below 200,000, counted by {pieces} tasks", run.result(total())?);
    println!("\nthe graph as it was in the end:\n{}", run.mermaid());
    assert_eq!(run.result(total())?, &17_984, "as the tables say");
    assert_eq!(run.steps(), pieces as u64 + 2, "divide, each piece, total");
    Ok(())
}

fn is_prime(number: u64) -> bool {
    number > 1 && (2..=number.isqrt()).all(|divisor| !number.is_multiple_of(divisor))
}
