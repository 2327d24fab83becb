//! Reads a poem that may not be there yet.

use graflow::prelude::*;

#[task(max_retries = 2, backoff = "100ms..1s")]
fn read() -> Result<String, std::io::Error> {
    println!("looking for poem.txt");
    std::fs::read_to_string("poem.txt")
}

#[task]
async fn count(read: &str) -> usize {
    read.split_whitespace().count()
}

#[tokio::main]
async fn main() -> Result<()> {
    let run = Workflow::new("poem", read() >> count()).execute().await?;
    for task in run.tasks() {
        println!("{}: {}, {} attempts", task.task_id, task.status, task.executions);
    }
    match run.error() {
        Some(failure) => println!("{}: {failure}", run.status()),
        None => println!("{} words", run.result(count())?),
    }
    Ok(())
}
