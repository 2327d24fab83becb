//! What lineage costs the workflow's own thread: CPU time a task on a chain and a loop of 10,000 empty async tasks, on
//! a runtime of one thread, with no sink, a sink that keeps nothing, and [`Lineage`] in a folder of its own. Prints
//! figures; nothing is asserted.
//!
//! `cargo bench -p graflow-local`

#![expect(clippy::unwrap_used, reason = "a set-up that fails ends the benchmark")]

use std::time::Duration;

use graflow::IntoFlow;
use graflow::prelude::*;
use graflow::sink::NullSink;
use graflow_local::Lineage;
use graflow_model::value::ValuePolicy;

const TASKS: u32 = 10_000;

#[task]
async fn empty() {}

#[task(max_cycles = TASKS)]
async fn pass(ctx: &TaskContext) -> Next<()> {
    if ctx.can_iterate() { ctx.next_iteration(()) } else { Next::Done(()) }
}

fn chain_of_tasks() -> Workflow {
    let tasks = (0..TASKS).map(|n| empty().named(format!("t{n}")).into_flow());
    Workflow::new("chain", chain(tasks))
}

/// CPU time of this thread, whatever else runs on the machine.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

enum To {
    Nothing,
    Null,
    Lineage(ValuePolicy),
}

fn measure(shape: &str, name: &str, workflow: &Workflow, to: &To) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut times: Vec<Duration> = Vec::new();
    let mut statistics = None;
    // `cargo bench` says `--bench`; a test of the benchmarks only wants to see that they run.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 7 } else { 1 };
    for _ in 0..rounds {
        let execution = workflow.execute().max_steps(u64::from(TASKS) * 2);
        let lineage = match to {
            To::Lineage(policy) => Some(Lineage::open(folder.path()).with_values(*policy)),
            _ => None,
        };
        let execution = match (to, &lineage) {
            (To::Null, _) => execution.sink(NullSink),
            (_, Some(lineage)) => execution.sink(lineage.clone()),
            _ => execution,
        };
        let began = thread_time();
        let run = runtime.block_on(async { execution.await.unwrap() });
        times.push(thread_time().saturating_sub(began));
        assert!(run.is_success());
        if let Some(lineage) = lineage {
            lineage.flush(Duration::from_mins(1));
            statistics = Some(lineage.statistics());
        }
    }
    times.sort_unstable();
    let per_task = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(TASKS);
    let delivered = statistics.map(|s| format!("{} events delivered, {} dropped", s.delivered, s.dropped));
    println!(
        "{shape:<6} {name:<24} best {:>5.2} µs/task   median {:>5.2} µs/task   {}",
        per_task(times[0]),
        per_task(times[rounds / 2]),
        delivered.unwrap_or_default(),
    );
}

fn main() {
    for (shape, workflow) in [("chain", chain_of_tasks()), ("loop", Workflow::new("loop", pass()))] {
        measure(shape, "no sink", &workflow, &To::Nothing);
        measure(shape, "null sink", &workflow, &To::Null);
        measure(shape, "lineage, values off", &workflow, &To::Lineage(ValuePolicy::Off));
        measure(shape, "lineage, metadata", &workflow, &To::Lineage(ValuePolicy::Metadata));
        measure(shape, "lineage, preview", &workflow, &To::Lineage(ValuePolicy::Preview));
    }
}
