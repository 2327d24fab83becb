//! What the engine itself costs, in microseconds a task: empty tasks on a runtime of one thread, without a sink, with
//! one that keeps nothing, and with one whose thread translates every record (values off); beside the crate `dagx` on
//! the same shapes; blocking tasks apart.
//!
//! `cargo bench -p graflow --bench engine`, or `… -- --quick` for fewer rounds. The time of a shape is that which the
//! workflow's own thread spends in `execute()` alone, the checks before the first task included; building the flow is reported apart.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

// What dagx's macro writes names it.
use futures as _;
use graflow::Value;
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

/// Keeps records for a thread that looks every millisecond and translates them: what recording costs the workflow's
/// own thread. Waking the other thread for each record would cost more than the record.
#[derive(Clone, Default)]
struct Translated {
    records: Arc<Mutex<Vec<Record>>>,
    is_over: Arc<AtomicBool>,
}

impl Translated {
    fn start(&self) -> JoinHandle<usize> {
        let this = self.clone();
        std::thread::spawn(move || {
            let mut translator = Translator::new(ValuePolicy::Off);
            let mut events = Vec::new();
            let mut count = 0;
            loop {
                let is_over = this.is_over.load(Ordering::Acquire);
                let records = std::mem::take(&mut *this.records.lock().unwrap());
                for record in records {
                    translator.translate(record, &mut events);
                    count += events.len();
                    events.clear();
                }
                if is_over {
                    return count;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        })
    }
}

impl Sink for Translated {
    fn record(&self, record: Record) {
        self.records.lock().unwrap().push(record);
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

/// Time that the thread itself spent, so that what else the machine does is not counted.
struct Spent(Duration);

impl Spent {
    fn now() -> Self {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Self(Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap()))
    }

    fn elapsed(&self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

/// Of so many rounds, the median and the best.
struct Measured {
    median: f64,
    best: f64,
}

fn main() {
    let said = |word: &str| std::env::args().any(|argument| argument == word);
    // `cargo bench` says `--bench`; a test of the benchmarks only wants to see that they run.
    let rounds = match (said("--bench"), said("--quick")) {
        (false, _) => 1,
        (true, true) => 5,
        (true, false) => 31,
    };
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
        let started = Spent::now();
        black_box(Workflow::new("chain", chain()));
        started.elapsed()
    });
    println!("\n{:<22} {:>15}", "building the chain", text(&build));

    for bytes in [64, 1024, 32 * 1024] {
        let value = Value::serializable("x".repeat(bytes));
        let started = Spent::now();
        for _ in 0..TASKS {
            black_box(value.describe(ValuePolicy::Metadata));
        }
        let micros = started.elapsed().as_secs_f64() * 1e6 / f64::from(TASKS);
        println!("hashing {bytes:>5} bytes of text, by the sink's thread: {micros:.2}");
    }

    // Its tasks run on other threads: this is what the workflow's own spends on handing them over.
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
    let sink = Translated::default();
    let mut thread = None;
    let took = one_thread().block_on(async {
        let mut execute = workflow.execute().max_steps(u64::from(TASKS));
        match to {
            To::Nothing => {}
            To::Null => execute = execute.sink(NullSink),
            To::Translator => {
                thread = Some(sink.start());
                execute = execute.sink(sink.clone());
            }
        }
        let started = Spent::now();
        let run = execute.await.unwrap();
        let took = started.elapsed();
        assert_eq!((run.status(), run.steps()), (ExecutionStatus::Completed, u64::from(TASKS)));
        took
    });
    if let Some(thread) = thread {
        sink.is_over.store(true, Ordering::Release);
        let events = thread.join().unwrap();
        assert!(events > 3 * TASKS as usize, "queued, started and completed of every task");
    }
    took
}

/// The same shapes on `dagx`. Its macro names its trait without a path, so it has a module of its own.
#[expect(clippy::unused_async, reason = "its tasks are async")]
mod other {
    use std::time::Duration;

    use dagx::{DagRunner, Task, TaskHandle};

    use super::{Spent, TASKS, one_thread};

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
        let started = Spent::now();
        let spawn = |future| drop(tokio::spawn(future));
        dag.run(spawn).await.unwrap();
        started.elapsed()
    }
}
