//! Counts the words of a poem.

use graflow::prelude::*;

#[task]
fn read() -> String {
    "The sea is calm tonight.\nThe tide is full, the moon lies fair".to_owned()
}

#[task]
async fn count(read: &str) -> usize {
    read.split_whitespace().count()
}

#[tokio::main]
async fn main() -> Result<()> {
    let poem = Workflow::new("poem", read() >> count());
    let run = poem.execute().await?;
    println!("{} words", run.result(count())?);
    Ok(())
}
