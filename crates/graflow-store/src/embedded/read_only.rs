//! A folder read where it lies, without a byte of it changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use graflow_lineage::materialise::States;
use graflow_lineage::store::StoreError;
use graflow_model::{Clock, Seq};

use super::OpenError;
use crate::files::{DiskFiles, Files};
use crate::log::LogReader;
use crate::sqlite::{self, MigrateError, Readers, TableError};

/// How a store is opened for reading alone.
pub struct ReadOnlyOptions {
    /// The folder.
    pub directory: PathBuf,
    /// Where times come from.
    pub clock: Arc<dyn Clock>,
    /// Somebody else owns the folder and writes: then the tables may be behind the log, and every answer says how
    /// far they are. Else nobody may begin to write while the store is open.
    pub is_owned: bool,
    /// Task executions, nodes and values that folds in memory may hold together, about 1 KiB each.
    pub most_weight: usize,
}

impl ReadOnlyOptions {
    /// A folder that nobody writes.
    pub fn new(directory: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { directory: directory.into(), clock, is_owned: false, most_weight: 100_000 }
    }
}

impl std::fmt::Debug for ReadOnlyOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ReadOnlyOptions").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// What a store that only reads works with.
pub(crate) struct OpenedReadOnly {
    pub(crate) log: LogReader,
    pub(crate) readers: Arc<Readers>,
    pub(crate) applied: Seq,
    pub(crate) states: Arc<States>,
}

/// Opens log and tables; none when the tables cannot be read as they lie: they are missing, of another release, behind
/// the log with nobody to bring them up, or a crash left part of them in the write-ahead file.
pub(crate) fn open(options: &ReadOnlyOptions) -> Result<Option<OpenedReadOnly>, OpenError> {
    let database = options.directory.join("lineage.db");
    if !database.is_file() || !options.is_owned && has_write_ahead(&database) {
        return Ok(None);
    }
    let readers = if options.is_owned { Readers::new(&database) } else { Readers::immutable(&database) };
    let failed = |error| OpenError::CatchUp(StoreError::from(error));
    let applied = {
        let connection = match readers.take() {
            Ok(connection) => connection,
            Err(TableError::Sqlite(source)) => match MigrateError::of(&database, source) {
                MigrateError::Sqlite { .. } => return Ok(None),
                error => return Err(error.into()),
            },
            Err(error) => return Err(failed(error)),
        };
        if !sqlite::migrate::is_current(&connection, &database)? {
            return Ok(None);
        }
        sqlite::applied(&connection).map_err(failed)?
    };
    let files: Arc<dyn Files> = Arc::new(DiskFiles::existing(options.directory.join("log")));
    let log = LogReader::open_read_only(files)?;
    let next_seq = applied.map_or(Seq(1), |applied| applied.next_seq);
    if !options.is_owned && next_seq != log.next_seq() {
        return Ok(None);
    }
    Ok(Some(OpenedReadOnly {
        log,
        readers: Arc::new(readers),
        applied: Seq(next_seq.0.saturating_sub(1)),
        states: Arc::new(States::new(options.most_weight)),
    }))
}

fn has_write_ahead(database: &Path) -> bool {
    let mut wal = database.as_os_str().to_owned();
    wal.push("-wal");
    std::fs::metadata(wal).is_ok_and(|wal| wal.len() > 0)
}
