//! Opens a folder: log, tables, what the tables lack, threads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use graflow_lineage::materialise::{Materialiser, NoObserver, Observer, States};
use graflow_lineage::retention::RetentionLimits;
use graflow_lineage::store::StoreError;
use graflow_model::{Clock, ExecutionId, Project, Seq, Timestamp};

use super::applier::{Applier, Watching};
use super::events::stored_event;
use crate::append::DurableRecord;
use crate::files::{DiskFiles, Files};
use crate::log::{self, LogError, LogOptions, LogReader, LogWriter, Position, Record, Recovery};
use crate::sqlite::{MigrateError, Readers, TableError, Tables};

/// Events taken into the tables in one transaction, at the most.
pub(crate) const TRANSACTION_EVENTS: usize = 20_000;

/// While the tables catch up, a step is committed after this time: whoever is ended in the middle has come so far, and
/// the next one goes on from there.
const STEP_US: i64 = 250_000;

/// How a store is opened.
pub struct EmbeddedOptions {
    /// The folder. It is created where it is missing; whoever opens the store owns it, alone.
    pub directory: PathBuf,
    /// Where times come from.
    pub clock: Arc<dyn Clock>,
    /// Who is told what each event changed.
    pub observer: Arc<dyn Observer>,
    /// Where the log's segments stand: `log/` in the folder, unless a test puts a failing disk in its place.
    pub log_files: Option<Arc<dyn Files>>,
    /// How the log is written.
    pub log: LogOptions,
    /// What is kept at the most; none = everything, and nothing is written again.
    pub retention: Option<RetentionLimits>,
    /// Whether an execution reads as lost: one that does, and has for long, is taken to have ended.
    pub is_lost: IsLost,
    /// Throws the tables away and builds them again from the log.
    pub rebuild: bool,
    /// Task executions, nodes and values that folds in memory may hold together, about 1 KiB each.
    pub most_weight: usize,
    /// Events that may be on disk and not in the tables yet; beyond it appends are answered "overloaded".
    pub most_lag: u64,
    /// How long a read waits for what was acknowledged before it.
    pub read_patience: Duration,
    /// Called now and then while the tables catch up with the log.
    pub progress: Box<dyn FnMut(Opening) + Send>,
}

/// Says whether an execution reads as lost now.
pub type IsLost = Arc<dyn Fn(&Project, &ExecutionId) -> bool + Send + Sync>;

/// How far opening is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Events taken into the tables so far.
    pub events: u64,
    /// Events to take in.
    pub of: u64,
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be used.
    #[error("failed to use the data folder `{}`\nhint: it must be a folder that this user can read and write", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The log is damaged, or of a newer release.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The tables are of a newer release, or something else.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The tables could not catch up with the log.
    #[error("the tables cannot be brought up to the log\nhint: `graflow lineage rebuild` builds them again")]
    CatchUp(#[source] StoreError),
}

impl std::fmt::Debug for EmbeddedOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EmbeddedOptions").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl EmbeddedOptions {
    /// Everything as usual, and nobody watching.
    pub fn new(directory: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory: directory.into(),
            clock,
            observer: Arc::new(NoObserver),
            log_files: None,
            log: LogOptions::default(),
            retention: None,
            is_lost: Arc::new(|_, _| false),
            rebuild: false,
            most_weight: 100_000,
            most_lag: 50_000,
            read_patience: Duration::from_millis(200),
            progress: Box::new(|_| {}),
        }
    }
}

/// What the threads of an open store work with.
pub(crate) struct Opened {
    pub(crate) log: LogWriter,
    pub(crate) recovery: Recovery,
    pub(crate) readers: Arc<Readers>,
    pub(crate) applier: Applier,
    pub(crate) applied: Seq,
    pub(crate) states: Arc<States>,
}

/// Opens the files and brings the tables up to the log.
pub(crate) fn open(options: &mut EmbeddedOptions) -> Result<Opened, OpenError> {
    let now = options.clock.now();
    let folder = |source| OpenError::Folder { path: options.directory.clone(), source };
    std::fs::create_dir_all(&options.directory).map_err(folder)?;
    let files = match options.log_files.take() {
        Some(files) => files,
        None => Arc::new(DiskFiles::open(options.directory.join("log")).map_err(folder)?),
    };
    let database = options.directory.join("lineage.db");
    if options.rebuild {
        refuse_loss(&files, &database, now)?;
        for suffix in ["", "-wal", "-shm"] {
            let mut path = database.clone().into_os_string();
            path.push(suffix);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(folder(error)),
                _ => {}
            }
        }
    }
    let tables = Tables::open(&database, now)?;
    let checkpoint = tables.applied().map_err(catch_up)?;
    let (log, recovery) = log::open(files, options.log, checkpoint, now)?;
    if recovery.torn_bytes > 0 {
        tracing::warn!(
            torn_bytes = recovery.torn_bytes,
            "the log ended in an unfinished write, which was cut off"
        );
    }
    let states = Arc::new(States::new(options.most_weight));
    let materialiser = Materialiser::new(Arc::clone(&states), Watching(Arc::clone(&options.observer)));
    let mut applier = Applier::new(tables, materialiser, log.reader());
    let from = checkpoint.map(|checkpoint| checkpoint.position);
    let up_to = replay(&mut applier, &log.reader(), from, &*options.clock, &mut options.progress)?
        .or(checkpoint.map(|checkpoint| Seq(checkpoint.next_seq.0.saturating_sub(1))));
    let readers = Arc::new(Readers::new(&database));
    Ok(Opened { log, recovery, readers, applier, applied: up_to.unwrap_or_default(), states })
}

/// Tables are thrown away only when the log can say everything again that they know.
fn refuse_loss(files: &Arc<dyn Files>, database: &Path, now: Timestamp) -> Result<(), OpenError> {
    let log = LogReader::open_read_only(Arc::clone(files))?;
    log.verify()?;
    if !database.exists() {
        return Ok(());
    }
    // A database that cannot be read is what a rebuild is for.
    let applied = Tables::open(database, now).ok().and_then(|tables| tables.applied().ok().flatten());
    match applied {
        Some(applied) if applied.next_seq > log.next_seq() => {
            let Position { segment, offset } = log.end();
            let last = applied.next_seq.0.saturating_sub(1);
            let what = format!("its sound part ends here, but events up to {last} are in the tables");
            Err(LogError::Damaged { segment, offset, what }.into())
        }
        _ => Ok(()),
    }
}

/// Takes every record from a position on into the tables.
fn replay(
    applier: &mut Applier,
    log: &LogReader,
    from: Option<Position>,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(Opening),
) -> Result<Option<Seq>, OpenError> {
    let Some(from) = from.or_else(|| log.start()) else { return Ok(None) };
    let mut replay = log.replay(from);
    let mut first = None;
    let mut up_to = None;
    let mut step_began_us = clock.mono_us();
    while let Some(entry) = replay.next()? {
        let next_seq = entry.head.next_seq();
        let first = *first.get_or_insert(entry.head.first_seq);
        let record = match entry.record {
            Record::Unknown(kind) => {
                tracing::warn!(kind, seq = %entry.head.first_seq, "a record of a kind that this release does not know was passed over");
                applier.pass(entry.end, next_seq);
                continue;
            }
            Record::Tombstone(tombstone) => DurableRecord::Tombstone {
                end: entry.end,
                next_seq,
                received: entry.head.received,
                project: Project::from(tombstone.project),
                executions: tombstone.executions().map(Into::into).collect(),
            },
            Record::Batch(batch) => {
                let project = Project::from(batch.project);
                let mut events = Vec::with_capacity(entry.head.seqs as usize);
                for (seq, raw) in (entry.head.first_seq.0..).map(Seq).zip(batch.events()) {
                    if raw.is_erased() {
                        continue;
                    }
                    match stored_event(&project, &entry, seq, raw) {
                        Ok(stored) => events.push(stored),
                        // It was taken by a release that understood it.
                        Err(error) => {
                            tracing::error!(%seq, "an event of the log was left out of the tables: {error}");
                        }
                    }
                }
                DurableRecord::Events { position: entry.position, end: entry.end, next_seq, events }
            }
        };
        let alone = Applier::stands_alone(&record);
        if alone {
            up_to = applier.flush().map_err(catch_up)?.or(up_to);
        }
        applier.take(record).map_err(catch_up)?;
        let is_late = clock.mono_us().saturating_sub(step_began_us) >= STEP_US;
        if alone || is_late || applier.pending_events() >= TRANSACTION_EVENTS {
            up_to = applier.flush().map_err(catch_up)?.or(up_to);
            let of = log.next_seq().0.saturating_sub(first.0);
            progress(Opening { events: next_seq.0.saturating_sub(first.0), of });
            step_began_us = clock.mono_us();
        }
    }
    Ok(applier.flush().map_err(catch_up)?.or(up_to))
}

fn catch_up(error: TableError) -> OpenError {
    OpenError::CatchUp(error.into())
}
