//! The program of README.md; `cargo xtask tidy` compares the two.

use graflow::prelude::*;
use graflow_local::Lineage;

#[task]
fn numbers() -> Vec<u64> {
    (1..=10).collect()
}

#[task]
fn sum(numbers: &[u64]) -> u64 {
    numbers.iter().sum()
}

#[task]
fn product(numbers: &[u64]) -> u64 {
    numbers.iter().product()
}

#[task]
fn report(sum: u64, product: u64) -> String {
    format!("sum {sum}, product {product}")
}

#[tokio::main]
async fn main() -> Result<()> {
    let workflow = Workflow::new("arithmetic", numbers() >> (sum() | product()) >> report());
    let run = workflow.execute().sink(Lineage::open_default()?).await?;
    println!("{}", run.result(report())?);
    Ok(())
}
