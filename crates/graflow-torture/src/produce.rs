//! A producer in a process of its own, which is there to be killed: it says on standard output what it was told is safe.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use graflow_client::{Outcome, Producer, Settings, SystemClock};
use graflow_local::{DataFolder, FolderTransport};
use graflow_model::{Clock as _, Event, EventType};

/// What it produces, and where to.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The data folder.
    #[arg(long)]
    folder: PathBuf,
    /// The execution that its events belong to.
    #[arg(long)]
    execution: String,
    /// How many events; it ends when they are delivered. None = for ever.
    #[arg(long)]
    events: Option<u64>,
    /// Pause between two groups of ten, in milliseconds.
    #[arg(long, default_value_t = 0)]
    pause_ms: u64,
    /// Most bytes in the spool.
    #[arg(long)]
    spool_bytes: Option<u64>,
    /// Longest time that a request may take, in milliseconds.
    #[arg(long, default_value_t = 5_000)]
    request_ms: u64,
}

/// Produces until it is done or killed. `safe N` says that events up to N are delivered or in the spool; the last line is what
/// the producer counted and the longest time that handing in one event took.
///
/// # Errors
/// When an event is neither delivered nor in the spool in time.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let folder = DataFolder::at(&options.folder);
    let request_timeout = Duration::from_millis(options.request_ms);
    let mut settings = Settings {
        spool: Some(folder.spool()),
        request_timeout,
        retry_longest: Duration::from_millis(500),
        ..Settings::default()
    };
    settings.spool_bytes = options.spool_bytes.unwrap_or(settings.spool_bytes);
    let transport = move || Box::new(FolderTransport::new(folder.clone(), false, request_timeout)) as Box<_>;
    let producer = Producer::new(settings, Arc::new(transport));
    let mut slowest = Duration::ZERO;
    for number in 1..=options.events.unwrap_or(u64::MAX) {
        let event = event(&options.execution, number);
        let began = Instant::now();
        producer.send(event);
        slowest = slowest.max(began.elapsed());
        if number % 10 == 0 {
            if options.spool_bytes.is_none() {
                let outcome = producer.flush(Duration::from_secs(20));
                ensure!(outcome != Outcome::Incomplete, "event {number} is nowhere after 20 s");
                writeln!(std::io::stdout(), "safe {number}")?;
            }
            std::thread::sleep(Duration::from_millis(options.pause_ms));
        }
    }
    // Where the spool is full on purpose, waiting is in vain.
    producer.flush(Duration::from_secs(if options.spool_bytes.is_some() { 1 } else { 20 }));
    let statistics = producer.statistics();
    let (delivered, dropped) = (statistics.delivered, statistics.dropped);
    writeln!(
        std::io::stdout(),
        "done delivered={delivered} dropped={dropped} slowest_us={}",
        slowest.as_micros()
    )?;
    Ok(())
}

fn event(execution: &str, number: u64) -> Event {
    let kind = if number % 2 == 1 { EventType::TaskStarted } else { EventType::TaskCompleted };
    let mut event = Event::new(format!("{execution}/{number}").into(), kind, SystemClock.now());
    event.execution_id = Some(execution.into());
    event.workflow_name = Some("torture".into());
    event.task_id = Some(format!("t{}", number.div_ceil(2) % 5).into());
    event.task_execution_id = Some(format!("{execution}/t{}", number.div_ceil(2)).into());
    event
}
