//! The two threads of an open store, and what they share with its callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use graflow_lineage::store::{AppendError, Receipt};
use graflow_model::{Clock, ExecutionId, ProducerId, Project, Seq};

use super::applier::Applier;
use super::open::TRANSACTION_EVENTS;
use super::progress::Progress;
use crate::append::{
    self, AppendCounters, Committer, DurableRecord, PushError, Queue, QueueLimits, Queued, Request, Stored,
    StoredError, Work,
};
use crate::dedupe::{Dedupe, SeqIntervals};
use crate::log::LogWriter;
use crate::sqlite::{self, Readers};

/// Between two tries to write tables that cannot be written.
const TABLES_RETRY: Duration = Duration::from_secs(1);

/// After this long it is worth trying an append again that was answered "overloaded".
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// What may wait to be written.
const APPEND_LIMITS: QueueLimits =
    QueueLimits { items: 100_000, bytes: 128 << 20, group_items: 50_000, group_bytes: 8 << 20 };

/// What is on disk and waits for the tables is bounded by the lag that appends are measured against.
const TABLES_LIMITS: QueueLimits = QueueLimits {
    items: usize::MAX,
    bytes: usize::MAX,
    group_items: TRANSACTION_EVENTS,
    group_bytes: 64 << 20,
};

/// What the threads and the callers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) appends: Queue<Request>,
    pub(super) durable: Queue<DurableRecord>,
    pub(super) progress: Progress,
    pub(super) readers: Arc<Readers>,
    pub(super) counters: AppendCounters,
    pub(super) most_lag: u64,
    pub(super) closing: AtomicBool,
    /// More comes in than retention can delete.
    pub(super) is_outgrown: AtomicBool,
}

/// What the threads begin with.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) log: LogWriter,
    pub(super) dedupe: Dedupe,
    pub(super) applier: Applier,
    pub(super) applied: Seq,
    pub(super) readers: Arc<Readers>,
    pub(super) most_lag: u64,
}

/// Starts the threads. They end once the queue of appends is closed and everything in it is done.
pub(super) fn start(
    start: Start,
    clock: Arc<dyn Clock>,
) -> std::io::Result<(Arc<Shared>, Vec<JoinHandle<()>>)> {
    let Start { log, dedupe, applier, applied, readers, most_lag } = start;
    let shared = Arc::new(Shared::new(readers, applied, most_lag));
    let for_tables = Arc::clone(&shared);
    let tables = spawn("graflow-tables", move || write_tables(&for_tables, applier))?;
    let mut committer = Committer::new(log, dedupe, StoredInTables(Arc::clone(&shared)));
    let for_log = Arc::clone(&shared);
    let log = spawn("graflow-log", move || write_log(&for_log, &mut committer, &*clock))
        .inspect_err(|_| shared.durable.close())?;
    Ok((shared, vec![log, tables]))
}

/// What a store without threads shares: nothing can be appended.
pub(super) fn none(readers: Arc<Readers>, applied: Seq) -> Arc<Shared> {
    let shared = Shared::new(readers, applied, u64::MAX);
    shared.appends.close();
    Arc::new(shared)
}

impl Shared {
    /// Puts work in front of the log's thread.
    pub(super) fn push(&self, work: Work) -> Receipt {
        let (acknowledge, receipt) = Receipt::pending();
        match self.appends.push(Request { work, acknowledge }) {
            Ok(()) => receipt,
            Err((_, PushError::Closed)) => Receipt::ready(Err(AppendError::Closed)),
            Err((_, PushError::Full)) => Receipt::ready(Err(self.overloaded())),
        }
    }

    /// The answer to what cannot be taken now.
    pub(super) fn overloaded(&self) -> AppendError {
        self.counters.overloaded.fetch_add(1, Ordering::Relaxed);
        AppendError::Overloaded { retry_after: RETRY_AFTER }
    }

    fn new(readers: Arc<Readers>, applied: Seq, most_lag: u64) -> Self {
        let progress = Progress::default();
        progress.set(applied);
        Self {
            appends: Queue::new(APPEND_LIMITS),
            durable: Queue::new(TABLES_LIMITS),
            progress,
            readers,
            counters: AppendCounters::default(),
            most_lag,
            closing: AtomicBool::new(false),
            is_outgrown: AtomicBool::new(false),
        }
    }
}

/// What the committer asks about the past, answered by the tables.
#[derive(Debug)]
struct StoredInTables(Arc<Shared>);

impl Stored for StoredInTables {
    fn producer(&self, project: &Project, producer: &ProducerId) -> Result<SeqIntervals, StoredError> {
        let answer =
            self.0.readers.take().and_then(|connection| sqlite::producer(&connection, project, producer));
        answer.map_err(|error| StoredError(error.to_string()))
    }

    fn is_deleted(&self, project: &Project, execution: &ExecutionId) -> Result<bool, StoredError> {
        let answer =
            self.0.readers.take().and_then(|connection| sqlite::is_deleted(&connection, project, execution));
        answer.map_err(|error| StoredError(error.to_string()))
    }

    fn applied(&self) -> Seq {
        self.0.progress.get()
    }
}

impl Queued for DurableRecord {
    fn items(&self) -> usize {
        match self {
            Self::Events { events, .. } => events.len(),
            Self::Tombstone { executions, .. } => executions.len(),
            Self::Tidy { .. } => 1,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Events { events, .. } => events.iter().map(|stored| stored.json.len()).sum(),
            Self::Tombstone { .. } | Self::Tidy { .. } => 0,
        }
    }
}

pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// The log's thread.
fn write_log(shared: &Shared, committer: &mut Committer<StoredInTables>, clock: &dyn Clock) {
    append::run(&shared.appends, committer, &shared.counters, clock, |records| {
        for record in records {
            // Only this thread closes that queue, below.
            let _ = shared.durable.push(record);
        }
    });
    shared.closing.store(true, Ordering::Relaxed);
    shared.durable.close();
}

/// The tables' thread.
fn write_tables(shared: &Shared, mut applier: Applier) {
    while let Some(group) = shared.durable.take_group() {
        for record in group {
            let alone = Applier::stands_alone(&record);
            if alone && !flush(shared, &mut applier) {
                return;
            }
            if let Err(error) = applier.take(record) {
                tracing::error!(
                    "the tables cannot be read; what comes in is only in the log until the next start: {error}"
                );
                return;
            }
            if alone && !flush(shared, &mut applier) {
                return;
            }
        }
        if !flush(shared, &mut applier) {
            return;
        }
    }
    if let Err(error) = applier.close() {
        tracing::warn!("the tables were not closed in full, the next start does it: {error}");
    }
}

/// Flushes until it succeeds; false when the store is closed first. The log has everything, so the next start goes
/// on from there.
fn flush(shared: &Shared, applier: &mut Applier) -> bool {
    loop {
        match applier.flush() {
            Ok(up_to) => {
                if let Some(seq) = up_to {
                    shared.progress.set(seq);
                }
                return true;
            }
            Err(error) => {
                let full = error.is_full();
                tracing::error!(full, "the tables cannot be written, trying again: {error}");
                if shared.closing.load(Ordering::Relaxed) {
                    return false;
                }
                std::thread::sleep(TABLES_RETRY);
            }
        }
    }
}
