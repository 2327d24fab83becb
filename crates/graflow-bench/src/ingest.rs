//! `graflow-bench ingest`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::events::{EVENTS, TASKS};
use crate::figures::{grouped, per_second, percentile_ms};
use crate::load::{self, Loaded, Shape};
use crate::program::Program;

/// How much, how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Seconds of load on the server.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seconds of load on the reference.
    #[arg(long, default_value_t = 10)]
    reference_seconds: u64,
    /// Connections that send at once.
    #[arg(long, default_value_t = 16)]
    connections: u64,
    /// Events in a request.
    #[arg(long, default_value_t = 100)]
    events: usize,
    /// Distinct names of tasks.
    #[arg(long, default_value_t = 1_000)]
    names: u64,
    /// The program that is measured; the `graflow` beside this one when not said.
    #[arg(long)]
    program: Option<PathBuf>,
}

/// How far the tables were behind the log, sampled while events came in.
#[derive(Debug, Default)]
struct Lag {
    most: u64,
    sum: u64,
    samples: u64,
}

/// Measures the reference, then the server.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let Options { connections, events, names, .. } = *options;
    let shape = Shape { connections, events_a_request: events, names };
    println!("{connections} connections, {events} events a request, {names} names of tasks");

    let bare = Program::bare()?;
    let reference = load::send(bare.address, shape, Duration::from_secs(options.reference_seconds)).await?;
    drop(bare);
    tell("reference, parsed and dropped", &reference);

    let folder = tempfile::tempdir_in(".").context("failed to make a folder on the disk that is measured")?;
    let server = Program::lineage(options.program.as_deref(), folder.path())?;
    let mut lag = Lag::default();
    let loaded = tokio::select! {
        loaded = load::send(server.address, shape, Duration::from_secs(options.seconds)) => loaded?,
        failed = lag.watch(server.address) => return failed,
    };
    tell("acknowledged", &loaded);
    let began = Instant::now();
    while behind(server.address).await? > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let drained = began.elapsed();

    let queryable = per_second(loaded.events, loaded.took + drained);
    println!(
        "durable and queryable: {} events/s, {:.1} % of the reference",
        grouped(queryable),
        100.0 * queryable / reference.rate()
    );
    println!(
        "behind the log: mean {:.2} s, most {:.2} s, drained in {:.2} s",
        per_second(lag.sum, Duration::from_secs(lag.samples.max(1))) / loaded.rate(),
        per_second(lag.most, Duration::from_secs(1)) / loaded.rate(),
        drained.as_secs_f64()
    );
    costs(&server, loaded.events, folder.path())
}

impl Lag {
    /// Asks ten times a second, for ever.
    async fn watch(&mut self, server: SocketAddr) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let behind = behind(server).await?;
            self.most = self.most.max(behind);
            self.sum += behind;
            self.samples += 1;
        }
    }
}

/// Events that are on disk and cannot be asked for yet.
async fn behind(server: SocketAddr) -> anyhow::Result<u64> {
    let metrics = load::get(server, "/metrics").await?;
    let line = metrics.lines().find_map(|line| line.strip_prefix("graflow_apply_lag_events "));
    Ok(line.context("the server does not say how far its tables are behind")?.trim().parse()?)
}

fn tell(what: &str, loaded: &Loaded) {
    println!(
        "{what}: {} events/s; a request p50 {:.1} ms, p99 {:.1} ms; {} told to come again",
        grouped(loaded.rate()),
        percentile_ms(&loaded.latencies, 50),
        percentile_ms(&loaded.latencies, 99),
        loaded.overloaded
    );
}

/// What the server used for each task execution.
fn costs(server: &Program, events: u64, folder: &Path) -> anyhow::Result<()> {
    let runs = per_second(events, Duration::from_secs(EVENTS));
    let tasks = runs * per_second(TASKS, Duration::from_secs(1));
    let disk: u64 = files(folder)?;
    println!(
        "a task execution: {:.1} µs of the server's processor time, {:.0} bytes on disk; {:.0} MiB resident",
        server.processor_time()?.as_secs_f64() * 1e6 / tasks,
        per_second(disk, Duration::from_secs(1)) / tasks,
        per_second(server.resident_bytes()?, Duration::from_secs(1 << 20))
    );
    Ok(())
}

/// Bytes of the files in a folder and those under it.
fn files(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { files(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
