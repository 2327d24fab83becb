//! What stands in a data folder, read without changing a byte of it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use graflow_client::spool::SUFFIX;
use graflow_lineage::materialise::Observer;
use graflow_model::Clock;
use graflow_store::files::{DiskFiles, OverlayFiles};
use graflow_store::log::LogError;
use graflow_store::{EmbeddedOptions, EmbeddedStore, OpenError, ReadOnlyOptions};

use crate::folder::DataFolder;
use crate::intake::SpoolIntake;

/// So often a folder is opened whose owner begins a segment at the same moment.
const MOST_TRIES: usize = 5;

/// A data folder that was opened for reading.
///
/// Where tables and log agree, they are read where they lie. What a crash left, and what other processes left in the
/// spool, is brought together in a copy of the tables elsewhere, over the log as it stands; nothing in the folder
/// changes. While somebody owns the folder, their tables are read, which may be a moment behind.
#[derive(Debug)]
pub struct FolderView {
    // In the order in which they go: the store before what it stands on.
    store: Arc<EmbeddedStore>,
    _copy: Option<tempfile::TempDir>,
    /// Keeps owners away while files are read that they would write.
    _lock: Option<File>,
}

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// Log or tables are not sound.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What has to be brought together could not be copied.
    #[error("failed to copy `{}` to a folder for temporary files\nhint: it must be readable, and TMPDIR must have room for the tables", path.display())]
    Copy {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ViewError {
    /// Whether an owner began a segment where we saw that there is none.
    fn is_overtaken(&self) -> bool {
        matches!(self, Self::Open(OpenError::Log(LogError::Io { source, .. })) if source.kind() == io::ErrorKind::AlreadyExists)
    }
}

impl FolderView {
    /// Opens the folder. Blocks. `observer` is told of what has to be brought together.
    ///
    /// # Errors
    /// When log or tables cannot be read.
    pub fn open(
        folder: &DataFolder,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ViewError> {
        let open = move || Self::try_open(folder, &clock, &observer);
        for _ in 1..MOST_TRIES {
            match open() {
                Err(error) if error.is_overtaken() => {}
                outcome => return outcome,
            }
        }
        open()
    }

    fn try_open(
        folder: &DataFolder,
        clock: &Arc<dyn Clock>,
        observer: &Arc<dyn Observer>,
    ) -> Result<Self, ViewError> {
        let lock = look(&folder.owner_lock());
        let is_owned = matches!(lock, Look::Owned);
        // The owner takes the spool in; where there is none, nobody but us does.
        if is_owned || spool_files(folder).is_empty() {
            let options =
                ReadOnlyOptions { is_owned, ..ReadOnlyOptions::new(folder.path(), Arc::clone(clock)) };
            if let Some(store) = EmbeddedStore::open_read_only(options)? {
                return Ok(Self { store: Arc::new(store), _copy: None, _lock: lock.held() });
            }
        }
        let (store, copy) = copied(folder, is_owned, Arc::clone(clock), Arc::clone(observer))?;
        // From here on only the log is read, which an owner only adds to: the folder is free again.
        Ok(Self { store, _copy: Some(copy), _lock: None })
    }

    /// The store. It takes nothing in.
    pub fn store(&self) -> &Arc<EmbeddedStore> {
        &self.store
    }
}

/// Who has the folder.
enum Look {
    Owned,
    /// Nobody, and nobody can while this is held.
    Free(File),
    /// Nobody ever had it, or that cannot be said.
    Unknown,
}

impl Look {
    fn held(self) -> Option<File> {
        match self {
            Self::Free(lock) => Some(lock),
            Self::Owned | Self::Unknown => None,
        }
    }
}

fn look(owner_lock: &Path) -> Look {
    let Ok(file) = File::open(owner_lock) else { return Look::Unknown };
    match file.try_lock_shared() {
        Ok(()) => Look::Free(file),
        Err(TryLockError::WouldBlock) => Look::Owned,
        Err(TryLockError::Error(_)) => Look::Unknown,
    }
}

fn spool_files(folder: &DataFolder) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder.spool()) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| path.to_string_lossy().ends_with(SUFFIX)).collect()
}

/// A copy of everything but the log, with the log below it.
fn copied(
    folder: &DataFolder,
    is_owned: bool,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<(Arc<EmbeddedStore>, tempfile::TempDir), ViewError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ViewError::Copy { path, source }
    };
    let place = tempfile::Builder::new().prefix("graflow-view-").tempdir();
    let place = place.map_err(failed(folder.path()))?;
    let view = DataFolder::at(place.path());
    // Tables that somebody writes cannot be copied file by file: then all is told by the log.
    let tables: &[&str] = if is_owned { &[] } else { &["lineage.db", "lineage.db-wal"] };
    for name in tables {
        copy(&folder.path().join(name), &view.path().join(name))?;
    }
    let log = view.path().join("log");
    for new in [view.spool(), log.clone()] {
        fs::create_dir(&new).map_err(failed(&new))?;
    }
    let mut options = EmbeddedOptions::new(view.path(), Arc::clone(&clock));
    options.log_files = Some(Arc::new(OverlayFiles::new(
        Arc::new(DiskFiles::existing(folder.path().join("log"))),
        Arc::new(DiskFiles::existing(log)),
    )));
    options.observer = observer;
    let store = Arc::new(EmbeddedStore::open(options)?);
    for file in spool_files(folder) {
        if let Some(name) = file.file_name() {
            copy(&file, &view.spool().join(name))?;
        }
    }
    let intake = SpoolIntake::new(&view, Arc::clone(&store) as _, clock);
    if let Err(error) = intake.take_in() {
        tracing::warn!("what other processes left in the spool is not shown in full: {error}");
    }
    Ok((store, place))
}

/// Copies a file, if it is there: a spool file may have been delivered meanwhile.
fn copy(from: &Path, to: &Path) -> Result<(), ViewError> {
    match fs::copy(from, to) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(ViewError::Copy { path: from.to_owned(), source }),
    }
    // A file that nobody may write is copied as one, and this one is ours.
    let writable = |path: &Path| {
        let mut permissions = fs::metadata(path)?.permissions();
        #[cfg(unix)]
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
        #[cfg(not(unix))]
        permissions.set_readonly(false);
        fs::set_permissions(path, permissions)
    };
    writable(to).map_err(|source| ViewError::Copy { path: from.to_owned(), source })
}
