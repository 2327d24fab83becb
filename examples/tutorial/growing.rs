//! Counts a poem with a task for each line, however many there are.

use graflow::prelude::*;
use graflow_local::Lineage;

const POEM: Key<String> = Key::new("poem");

#[task]
fn split(ctx: &TaskContext, poem: &str) -> Result<()> {
    let counts = poem.lines().enumerate().map(|(number, line)| {
        let name = format!("count/{number}");
        count().line(line).named(name)
    });
    ctx.next_task(parallel("counts", counts) >> total())
}

#[task]
fn count(line: &str) -> usize {
    line.split_whitespace().count()
}

#[task]
fn total(counts: Members<usize>) -> usize {
    counts.completed().sum()
}

#[tokio::main]
async fn main() -> Result<()> {
    let text = "The sea is calm tonight.\nThe tide is full, the moon lies fair".to_owned();
    let run = Workflow::new("poem", split())
        .execute()
        .input(POEM, text)
        .sink(Lineage::open_default()?)
        .await?
        .into_result()?;
    println!("{} words in {} steps", run.result(total())?, run.steps());
    Ok(())
}
