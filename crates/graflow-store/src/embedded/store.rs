//! The store: two threads, and the port's questions.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use graflow_lineage::materialise::States;
use graflow_lineage::store::{
    AppendError, Appended, AsOf, Batch, Deleted, EventQuery, ExecutionFilter, ExecutionQuery, Found, Metrics,
    MetricsQuery, NameQuery, Page, Receipt, SearchQuery, SeriesPoint, SeriesQuery, SharedState, Statistics,
    Store, StoreError, StoredEvent, TaskExecutionQuery, WorkflowRow,
};
use graflow_model::row::{ExecutionRow, TaskExecutionRow};
use graflow_model::{Clock, ExecutionId, Project, Seq, TaskExecutionId};
use rusqlite::Connection;

use super::events;
use super::open::{EmbeddedOptions, OpenError, Opened};
use super::read_only::ReadOnlyOptions;
use super::retention::Retention;
use super::threads::{self, Shared, Start};
use crate::append::Work;
use crate::dedupe::Dedupe;
use crate::log::{LogReader, Recovery};
use crate::sqlite::{self, TableError};

/// A deletion waits this long for its rows to be gone.
const DELETE_PATIENCE: Duration = Duration::from_mins(1);
/// Bytes of events that may be on disk and wait for the tables; beyond it appends are answered "overloaded".
const MOST_LAG_BYTES: usize = 128 << 20;
/// Executions that one tombstone names at the most.
const DELETED_TOGETHER: usize = 1_000;

/// The store of one folder. Dropping it closes it: what was acknowledged is in the tables then.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    log: LogReader,
    states: Arc<States>,
    recovery: Recovery,
    clock: Arc<dyn Clock>,
    read_patience: Duration,
    database: PathBuf,
    retention: Option<Arc<Retention>>,
    stop_retention: Mutex<Option<Sender<()>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl EmbeddedStore {
    /// Opens the store of a folder, and creates it where there is none. What a crash left unfinished is cut off, and
    /// the tables catch up with the log before this returns. The caller owns the folder, alone.
    pub fn open(mut options: EmbeddedOptions) -> Result<Self, OpenError> {
        let Opened { log, recovery, readers, applier, applied, states } = super::open::open(&mut options)?;
        let recent =
            readers.take().and_then(|connection| sqlite::recent_ids(&connection, options.clock.now()));
        let dedupe = Dedupe::new(recent.map_err(|error| OpenError::CatchUp(error.into()))?);
        let reader = log.reader();
        let start = Start { log, dedupe, applier, applied, readers, most_lag: options.most_lag };
        let folder = |source| OpenError::Folder { path: options.directory.clone(), source };
        let (shared, threads) = threads::start(start, Arc::clone(&options.clock)).map_err(folder)?;
        let database = options.directory.join("lineage.db");
        let retention = options.retention.map(|limits| {
            Arc::new(Retention {
                shared: Arc::clone(&shared),
                log: reader.clone(),
                clock: Arc::clone(&options.clock),
                database: database.clone(),
                limits,
                is_lost: Arc::clone(&options.is_lost),
                memory: Mutex::default(),
            })
        });
        let (clock, read_patience) = (options.clock, options.read_patience);
        Ok(Self {
            shared,
            log: reader,
            states,
            recovery,
            clock,
            read_patience,
            database,
            retention,
            stop_retention: Mutex::default(),
            threads: Mutex::new(threads),
        })
    }

    /// Keeps the folder within its limits from now on, on a thread of its own, until the store is closed. Without limits
    /// nothing happens.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn keep_within_limits(&self) -> std::io::Result<()> {
        let Some(retention) = self.retention.clone() else { return Ok(()) };
        let (stop, stopped) = std::sync::mpsc::channel();
        let thread = threads::spawn("graflow-retention", move || retention.run(&stopped))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        *self.stop_retention.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop);
        Ok(())
    }

    /// One small step towards the limits; whether there may be more to do at once.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn retention_step(&self) -> Result<bool, StoreError> {
        self.retention.as_ref().map_or(Ok(false), |retention| retention.step())
    }

    /// Opens the store of a folder for reading alone, without a change to a single byte in it. None when the tables
    /// cannot be read as they lie; then [`OverlayFiles`](crate::files::OverlayFiles) over the log and a copy of the
    /// tables make a store that can be brought up.
    ///
    /// # Errors
    /// When the log or the tables cannot be read.
    pub fn open_read_only(options: ReadOnlyOptions) -> Result<Option<Self>, OpenError> {
        let Some(opened) = super::read_only::open(&options)? else { return Ok(None) };
        Ok(Some(Self {
            shared: threads::none(opened.readers, opened.applied),
            log: opened.log,
            states: opened.states,
            recovery: Recovery::default(),
            clock: options.clock,
            // Nobody here brings the tables up: waiting for it is in vain.
            read_patience: Duration::ZERO,
            database: options.directory.join("lineage.db"),
            retention: None,
            stop_retention: Mutex::default(),
            threads: Mutex::default(),
        }))
    }

    /// What opening found and cut off.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// The log, for reading.
    pub fn log(&self) -> &LogReader {
        &self.log
    }

    /// Takes nothing more in, brings everything acknowledged into the tables, and ends the threads.
    pub fn close(&self) {
        drop(self.stop_retention.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.shared.appends.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store ended in a panic");
            }
        }
    }

    /// What is wrong with the tables, by SQLite's own full check; empty when they are sound. Reads everything.
    ///
    /// # Errors
    /// When they cannot be read at all.
    pub fn check_tables(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.read(sqlite::integrity)?.value)
    }

    /// A hash over everything that people can read: equal for stores that say the same, as before and after a
    /// rebuild. Reads everything.
    pub fn canonical_hash(&self) -> Result<AsOf<String>, StoreError> {
        self.read(sqlite::canonical_hash)
    }

    fn read<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, TableError>,
    ) -> Result<AsOf<T>, StoreError> {
        self.read_with(|connection| question(connection).map_err(StoreError::from))
    }

    fn read_with<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<AsOf<T>, StoreError> {
        self.shared.progress.wait_for(self.last_seq(), self.read_patience);
        let connection = self.shared.readers.take()?;
        let as_of_seq = sqlite::applied(&connection)?
            .map_or(Seq::ZERO, |applied| Seq(applied.next_seq.0.saturating_sub(1)));
        Ok(AsOf { value: question(&connection)?, as_of_seq })
    }
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EmbeddedStore").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl Store for EmbeddedStore {
    fn append(&self, batch: Batch) -> Receipt {
        if batch.events.is_empty() {
            return Receipt::ready(Ok(Appended { results: Vec::new(), last_seq: self.last_seq() }));
        }
        match self.has_room() {
            Ok(()) => self.shared.push(Work::Append(batch)),
            Err(error) => Receipt::ready(Err(error)),
        }
    }

    fn has_room(&self) -> Result<(), AppendError> {
        let lag = self.last_seq().0.saturating_sub(self.shared.progress.get().0);
        let is_behind = lag > self.shared.most_lag || self.shared.durable.bytes() > MOST_LAG_BYTES;
        if is_behind || self.shared.is_outgrown.load(Ordering::Relaxed) {
            return Err(self.shared.overloaded());
        }
        Ok(())
    }

    fn last_seq(&self) -> Seq {
        Seq(self.log.next_seq().0.saturating_sub(1))
    }

    fn executions(
        &self,
        project: &Project,
        query: &ExecutionQuery,
    ) -> Result<AsOf<Page<ExecutionRow>>, StoreError> {
        self.read(|connection| sqlite::executions(connection, project, query))
    }

    fn execution(
        &self,
        project: &Project,
        id: &ExecutionId,
    ) -> Result<AsOf<Option<ExecutionRow>>, StoreError> {
        self.read(|connection| sqlite::execution(connection, project, id))
    }

    fn task_executions(
        &self,
        project: &Project,
        query: &TaskExecutionQuery,
    ) -> Result<AsOf<Page<TaskExecutionRow>>, StoreError> {
        self.read(|connection| sqlite::task_executions(connection, project, query))
    }

    fn task_execution(
        &self,
        project: &Project,
        id: &TaskExecutionId,
    ) -> Result<AsOf<Option<TaskExecutionRow>>, StoreError> {
        self.read(|connection| sqlite::task_execution(connection, project, id))
    }

    fn events(&self, project: &Project, query: &EventQuery) -> Result<AsOf<Page<StoredEvent>>, StoreError> {
        self.read_with(|connection| events::events(connection, &self.log, project, query))
    }

    fn replay(&self, project: &Project, after: Seq, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let connection = self.shared.readers.take()?;
        events::replay(&connection, &self.log, project, after, limit)
    }

    fn state(&self, project: &Project, id: &ExecutionId) -> Result<AsOf<Option<SharedState>>, StoreError> {
        // The row decides: an execution that was deleted while somebody loaded its fold has none, and the fold
        // leaves memory some time later. To take it out here would be wrong: the row may be missing because the
        // execution is new, and the tables' thread at work on its fold.
        let AsOf { value: row, as_of_seq } = self.execution(project, id)?;
        if row.is_none() {
            return Ok(AsOf { value: None, as_of_seq });
        }
        let value = self.states.load(project, id, |project, id| {
            let connection = self.shared.readers.take()?;
            events::all_events(&connection, &self.log, project, id)
        })?;
        Ok(AsOf { value, as_of_seq })
    }

    fn open_executions(&self) -> Result<Vec<(Project, ExecutionId)>, StoreError> {
        Ok(self.read(sqlite::open_executions)?.value)
    }

    fn workflows(&self, project: &Project, query: &NameQuery) -> Result<AsOf<Page<WorkflowRow>>, StoreError> {
        self.read(|connection| sqlite::workflows(connection, project, query))
    }

    fn metrics(&self, project: &Project, query: &MetricsQuery) -> Result<AsOf<Metrics>, StoreError> {
        self.read(|connection| sqlite::metrics(connection, project, query))
    }

    fn series(&self, project: &Project, query: &SeriesQuery) -> Result<AsOf<Vec<SeriesPoint>>, StoreError> {
        self.read(|connection| sqlite::series(connection, project, query))
    }

    fn search(&self, project: &Project, query: &SearchQuery) -> Result<AsOf<Vec<Found>>, StoreError> {
        self.read(|connection| sqlite::search(connection, project, query))
    }

    fn delete(
        &self,
        project: &Project,
        filter: &ExecutionFilter,
        dry_run: bool,
    ) -> Result<Deleted, StoreError> {
        let mut deleted = Deleted::default();
        let mut query = ExecutionQuery { filter: filter.clone(), limit: DELETED_TOGETHER, cursor: None };
        loop {
            let page = self.executions(project, &query)?.value;
            let executions: Vec<_> = page.rows.into_iter().map(|row| row.execution_id).collect();
            for execution in &executions {
                let count = self.read(|connection| sqlite::count_of(connection, project, execution))?.value;
                deleted.executions += 1;
                deleted.task_executions += count.task_executions;
                deleted.events += count.events;
                if deleted.execution_ids.len() < DELETED_TOGETHER {
                    deleted.execution_ids.push(execution.clone());
                }
            }
            if !dry_run && !executions.is_empty() {
                let received = self.clock.now();
                let appended = self
                    .shared
                    .push(Work::Delete { project: project.clone(), received, executions })
                    .wait()?;
                self.shared.progress.wait_for(appended.last_seq, DELETE_PATIENCE);
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                return Ok(deleted);
            }
        }
    }

    fn statistics(&self) -> Statistics {
        let counters = &self.shared.counters;
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Statistics {
            accepted: read(&counters.accepted),
            duplicates: read(&counters.duplicates),
            invalid: read(&counters.invalid),
            late_dropped: read(&counters.late_dropped),
            last_seq: self.last_seq().0,
            applied_seq: self.shared.progress.get().0,
            log_bytes: self.log.bytes().unwrap_or_default(),
            derived_bytes: derived_bytes(&self.database),
            flushes: read(&counters.flushes),
            flush_us: read(&counters.flush_us),
            overloaded: read(&counters.overloaded),
            retention: self.retention.as_ref().map(|retention| retention.status()),
        }
    }
}

pub(super) fn derived_bytes(database: &Path) -> u64 {
    let mut wal = database.to_path_buf().into_os_string();
    wal.push("-wal");
    [database.as_os_str(), &wal]
        .into_iter()
        .filter_map(|path| std::fs::metadata(path).ok())
        .map(|file| file.len())
        .sum()
}
