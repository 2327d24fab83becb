//! What the engine itself costs, in microseconds a task: empty tasks on a runtime of one thread, without a sink, with
//! one that keeps nothing, and with one whose thread translates every record (values off); beside the crate `dagx` on
//! the same shapes; blocking tasks apart.
//!
//! `cargo bench -p graflow --bench engine`, or `… -- --quick` for fewer rounds. The time of a shape is that of
//! `execute()` alone, the checks before the first task included; building the flow is reported apart.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

use std::hint::black_box;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use graflow::prelude::*;
use graflow::sink::translate::Translator;
use graflow::sink::{NullSink, Record, Sink, ValuePolicy};

const TASKS: u32 = 10_000;

#[task]
async fn empty() {}

#[task]
fn blocking() {}

#[task(max_cycles = TASKS)]
async fn pass(ctx: &TaskContext) -> Next<()> {
    if ctx.can_iterate() { ctx.next_iteration(()) } else { Next::Done(()) }
}

/// Hands records to a thread that translates them, without a bound: what it costs the workflow's own thread.
struct Translated(mpsc::Sender<Record>);

impl Translated {
    fn start() -> (Self, JoinHandle<usize>) {
        let (sender, records) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut translator = Translator::new(ValuePolicy::Off);
            let mut events = Vec::new();
            let mut count = 0;
            for record in records {
                translator.translate(record, &mut events);
                count += events.len();
                events.clear();
            }
            count
        });
        (Self(sender), thread)
    }
}

impl Sink for Translated {
    fn record(&self, record: Record) {
        let _ = self.0.send(record);
    }
    fn value_policy(&self) -> ValuePolicy {
        ValuePolicy::Off
    }
}

/// What a run records to.
#[derive(Clone, Copy)]
enum To {
    Nothing,
    Null,
    Translator,
}

/// Of so many rounds, the median and the best.
struct Measured {
    median: f64,
    best: f64,
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 5 } else { 31 };
    println!("{TASKS} tasks, {rounds} rounds; microseconds a task: median (best)\n");
    println!(
        "{:<20} {:>14} {:>14} {:>14} {:>14} {:>7}",
        "shape", "no sink", "null sink", "translated", "dagx 0.3", "ratio"
    );

    let chain = || graflow::chain((0..TASKS).map(|number| empty().named(format!("t{number}"))));
    let fan_out = || {
        let members = (0..TASKS - 1).map(|number| empty().named(format!("t{number}")));
        empty() >> members.map(Flow::from).reduce(|flow, member| flow | member).unwrap()
    };
    row("chain", rounds, || Workflow::new("chain", chain()), &other::chain);
    row("fan-out", rounds, || Workflow::new("fan-out", fan_out()), &other::fan_out);
    // A loop is no shape of dagx, whose graphs have no cycle: its chain stands beside it.
    row("loop (dagx: chain)", rounds, || Workflow::new("loop", pass()), &other::chain);

    let build = measure(rounds, || {
        let started = Instant::now();
        black_box(Workflow::new("chain", chain()));
        started.elapsed()
    });
    println!("\n{:<22} {:>15}", "building the chain", text(&build));

    let threads = measure(rounds.min(5), || {
        let flow = graflow::chain((0..TASKS).map(|number| blocking().named(format!("t{number}"))));
        run(&Workflow::new("blocking", flow), To::Nothing)
    });
    println!("{:<22} {:>15}", "blocking chain", text(&threads));
}

fn row(name: &str, rounds: usize, workflow: impl Fn() -> Workflow, dagx: &dyn Fn() -> Duration) {
    let workflow = workflow();
    let [none, null, translated] =
        [To::Nothing, To::Null, To::Translator].map(|to| measure(rounds, || run(&workflow, to)));
    let other = measure(rounds, dagx);
    let ratio = none.median / other.median;
    let [none, null, translated, other] = [none, null, translated, other].map(|measured| text(&measured));
    println!("{name:<20} {none:>14} {null:>14} {translated:>14} {other:>14} {ratio:>7.2}");
}

fn text(measured: &Measured) -> String {
    format!("{:.2} ({:.2})", measured.median, measured.best)
}

fn measure(rounds: usize, mut round: impl FnMut() -> Duration) -> Measured {
    round();
    let mut micros: Vec<f64> = (0..rounds).map(|_| round().as_secs_f64() * 1e6 / f64::from(TASKS)).collect();
    micros.sort_by(f64::total_cmp);
    Measured { median: micros[micros.len() / 2], best: micros[0] }
}

fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn run(workflow: &Workflow, to: To) -> Duration {
    let mut thread = None;
    let took = one_thread().block_on(async {
        let mut execute = workflow.execute().max_steps(u64::from(TASKS));
        match to {
            To::Nothing => {}
            To::Null => execute = execute.sink(NullSink),
            To::Translator => {
                let (sink, joined) = Translated::start();
                thread = Some(joined);
                execute = execute.sink(sink);
            }
        }
        let started = Instant::now();
        let run = execute.await.unwrap();
        let took = started.elapsed();
        assert_eq!((run.status(), run.steps()), (ExecutionStatus::Completed, u64::from(TASKS)));
        took
    });
    if let Some(thread) = thread {
        let events = thread.join().unwrap();
        assert!(events > 3 * TASKS as usize, "queued, started and completed of every task");
    }
    took
}

/// The same shapes on `dagx`. Its macro names its trait without a path, so it has a module of its own.
#[expect(clippy::unused_async, reason = "its tasks are async")]
mod other {
    use std::time::{Duration, Instant};

    use dagx::{DagRunner, Task, TaskHandle};

    use super::{TASKS, one_thread};

    struct First;

    #[dagx::task]
    impl First {
        async fn run(&self) -> u8 {
            0
        }
    }

    struct After;

    #[dagx::task]
    impl After {
        async fn run(before: &u8) -> u8 {
            *before
        }
    }

    pub(super) fn chain() -> Duration {
        one_thread().block_on(async {
            let dag = DagRunner::new();
            let mut last: TaskHandle<u8> = dag.add_task(First).into();
            for _ in 1..TASKS {
                last = dag.add_task(After).depends_on(last);
            }
            run_dagx(&dag).await
        })
    }

    pub(super) fn fan_out() -> Duration {
        one_thread().block_on(async {
            let dag = DagRunner::new();
            let first: TaskHandle<u8> = dag.add_task(First).into();
            for _ in 1..TASKS {
                let _: TaskHandle<u8> = dag.add_task(After).depends_on(first);
            }
            run_dagx(&dag).await
        })
    }

    async fn run_dagx(dag: &DagRunner) -> Duration {
        let started = Instant::now();
        let spawn = |future| drop(tokio::spawn(future));
        dag.run(spawn).await.unwrap();
        started.elapsed()
    }
}
