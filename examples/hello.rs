//! Hello: two tasks, one after the other.
//!
//! Run it with `cargo run -p graflow-examples --bin hello`.

use graflow::prelude::*;

/// A task is a function. A plain `fn` runs on a thread of its own, where it may block.
#[task]
fn greet() -> String {
    "hello, graflow".to_owned()
}

/// A parameter is filled by its name: `greet` is the result of the task `greet`. It is borrowed, not copied.
#[task]
async fn shout(greet: &str) -> String {
    format!("{}!", greet.to_uppercase())
}

#[tokio::main]
async fn main() -> Result<()> {
    // `>>` says what comes after what. Nothing runs yet.
    let workflow = Workflow::new("hello", greet() >> shout());
    workflow.show_info();

    // A workflow is checked as a whole before its first task runs; then it runs to its end.
    let run = workflow.execute().await?;
    println!("\nthe run is {} after {} task executions", run.status(), run.steps());

    // The handle of a task is also the name of its result, and knows its type.
    println!("it says: {}", run.result(shout())?);

    assert_eq!(run.status(), ExecutionStatus::Completed);
    assert_eq!(run.result(shout())?, "HELLO, GRAFLOW!");
    Ok(())
}
