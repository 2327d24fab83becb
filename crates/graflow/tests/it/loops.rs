//! `next_iteration` holds the successors back until the last pass, and they get its result.

use graflow::prelude::*;

use crate::script::table;

#[test]
fn successors_wait_for_the_last_pass() {
    table(&[
        ("a >> b", "a: again, again", "completed: a a a b"),
        ("a >> (b | c) >> d", "b: again, again", "completed: a b b b c d"),
        ("a >> b >> c", "a: again; b: again", "completed: a a b b c"),
    ]);
}

#[test]
fn beyond_max_cycles_it_fails() {
    let ten = "a: again, again, again, again, again, again, again, again, again, again";
    table(&[("a >> b", ten, "failed: a a a a a a a a a a; skipped: b; failed: a")]);
}

#[task(max_cycles = 4)]
async fn grow(ctx: &TaskContext, #[iteration] grown: Option<Vec<u32>>) -> Next<Vec<u32>> {
    let mut grown = grown.unwrap_or_default();
    grown.push(ctx.cycle_count());
    if ctx.can_iterate() { ctx.next_iteration(grown) } else { Next::Done(grown) }
}

#[task]
async fn after(grow: Vec<u32>) -> Vec<u32> {
    grow
}

#[tokio::test]
async fn each_pass_gets_the_value_of_the_one_before() -> Result<()> {
    let run = Workflow::new("loop", grow() >> after()).execute().await?;
    assert_eq!(run.result(after())?, &[1, 2, 3, 4]);
    assert_eq!(run.task("grow").unwrap().executions, 4);
    let run = Workflow::new("loop", grow().grown(vec![9])).execute().await?;
    assert_eq!(run.result(grow())?, &[9, 1, 2, 3, 4], "the first pass can be given a value");
    Ok(())
}

#[task(max_retries = 1, max_cycles = 3)]
async fn stumble(ctx: &TaskContext, #[iteration] passed: Option<u32>) -> Result<Next<u32>> {
    let passed = passed.unwrap_or(0);
    if ctx.retry_count() == 0 {
        return Err(TaskError::new("the first attempt of every pass fails"));
    }
    assert_eq!((passed, ctx.iteration()), (ctx.iteration(), passed));
    Ok(if ctx.can_iterate() { ctx.next_iteration(passed + 1) } else { Next::Done(passed) })
}

#[tokio::test]
async fn a_retry_gets_the_same_value_again() -> Result<()> {
    let run = Workflow::new("loop", stumble()).execute().await?;
    assert_eq!(run.result(stumble())?, &2);
    assert_eq!(run.steps(), 6);
    Ok(())
}
