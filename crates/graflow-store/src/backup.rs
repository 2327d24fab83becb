//! A copy of a store that goes on being written, and a store from such a copy.
//!
//! A backup is a folder with `lineage.db`, `log/`, `spool/` and `backup.json`, which names every file with its length and
//! hash. The tables are copied before the log, so that the log always goes at least as far as they do: what the backup
//! holds is everything up to one moment. It gets its name when it is whole; a restore puts the log in its place first, from
//! which everything else can be derived.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use graflow_model::{Seq, Timestamp};
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};

use crate::files::DiskFiles;
use crate::log::{LogError, LogReader};

const MANIFEST: &str = "backup.json";
const TABLES: &str = "lineage.db";
/// Raised with every change that an older release could not restore.
const FORMAT: u32 = 1;
/// Copied between two reports.
const PIECE_BYTES: usize = 1 << 20;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// How it is laid out.
    pub format: u32,
    /// The release that made it.
    pub release: String,
    /// When it was begun.
    pub created: Timestamp,
    /// The last event in it.
    pub last_seq: Seq,
    /// Its files.
    pub files: Vec<ManifestFile>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its place, below the backup.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// The BLAKE3 hash of its content.
    pub hash: String,
}

/// Why a backup was not made, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something in the place.
    #[error("`{}` is not empty\nhint: name a folder that does not exist yet", .0.display())]
    Taken(PathBuf),
    /// There is nothing to copy.
    #[error("there is no log in `{}`\nhint: --data-dir names the folder that is copied", .0.display())]
    Nothing(PathBuf),
    /// It is no backup, or one that was not finished.
    #[error("`{}` is no backup that was finished\nhint: it has a `{MANIFEST}` when it is whole", .0.display())]
    Unfinished(PathBuf),
    /// A newer release made it.
    #[error(
        "the backup was made by graflow {release} (format {found}), this release restores up to {FORMAT}\nhint: restore it with graflow {release}"
    )]
    Newer {
        /// The release that made it.
        release: String,
        /// Its format.
        found: u32,
    },
    /// A file is not what was written.
    #[error("`{}` is not what was backed up\nhint: use another backup, or copy this one again from where it was kept", .0.display())]
    Changed(PathBuf),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The tables cannot be copied.
    #[error("the tables cannot be copied")]
    Tables(#[from] rusqlite::Error),
    /// The operating system said no.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { action, path, source }
}

/// Copies the store in `folder` to `to`, also while its owner writes on. `told` hears of every piece: bytes done, bytes in
/// all.
///
/// # Errors
/// When something cannot be read or written; then there is nothing called `to`.
pub fn back_up(
    folder: &Path,
    to: &Path,
    now: Timestamp,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, BackupError> {
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) || to.is_file() {
        return Err(BackupError::Taken(to.to_owned()));
    }
    if !folder.join("log").is_dir() {
        return Err(BackupError::Nothing(folder.to_owned()));
    }
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(format!(".unfinished-{}", std::process::id()));
    let place = to.with_file_name(name);
    let made = copy_all(folder, &place, now, told).and_then(|manifest| {
        if to.is_dir() {
            fs::remove_dir(to).map_err(failed("replace", to))?;
        }
        fs::rename(&place, to).map_err(failed("rename", &place))?;
        sync_folder(to.parent())?;
        Ok(manifest)
    });
    if made.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_dir_all(&place);
    }
    made
}

fn copy_all(
    folder: &Path,
    place: &Path,
    now: Timestamp,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, BackupError> {
    for new in [place.to_owned(), place.join("log"), place.join("spool")] {
        fs::create_dir_all(&new).map_err(failed("create", &new))?;
    }
    let mut copy = Copying { from: folder, to: place, done: 0, of: size_of(folder), told, files: Vec::new() };
    // What is taken in from the spool meanwhile is in both, and is taken once.
    for name in names(&folder.join("spool"))? {
        copy.file(&format!("spool/{name}"), None)?;
    }
    if folder.join(TABLES).is_file() {
        copy_tables(&folder.join(TABLES), &place.join(TABLES))?;
        copy.note(TABLES)?;
    }
    let log = LogReader::open_read_only(Arc::new(DiskFiles::existing(folder.join("log"))))?;
    let end = log.end();
    for segment in log.closed_segments() {
        // One that is gone held nothing that is kept.
        copy.file(&format!("log/{segment}"), None)?;
    }
    let is_open = log.segment_is_open(end.segment)?;
    copy.file(&format!("log/{}", end.segment), is_open.then_some(end.offset))?;
    let files = copy.files;
    let release = env!("CARGO_PKG_VERSION").to_owned();
    let manifest = Manifest { format: FORMAT, release, created: now, last_seq: log.last_seq(), files };
    let path = place.join(MANIFEST);
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    File::create_new(&path)
        .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
        .map_err(failed("write", &path))?;
    for folder in [place.join("log"), place.join("spool"), place.to_owned()] {
        sync_folder(Some(&folder))?;
    }
    Ok(manifest)
}

/// Everything in one read transaction, written without the room that is free in it; its owner writes on.
fn copy_tables(from: &Path, to: &Path) -> Result<(), BackupError> {
    let connection = Connection::open_with_flags(
        from,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    let path = to.to_str().ok_or_else(|| failed("write", to)(io::ErrorKind::InvalidFilename.into()))?;
    connection.execute("VACUUM INTO ?", (path,))?;
    File::open(to).and_then(|file| file.sync_all()).map_err(failed("sync", to))
}

/// Reads what a backup says of itself.
///
/// # Errors
/// When it is none, or of a newer release.
pub fn read_manifest(backup: &Path) -> Result<Manifest, BackupError> {
    let unfinished = || BackupError::Unfinished(backup.to_owned());
    let text = fs::read(backup.join(MANIFEST)).map_err(|_| unfinished())?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| unfinished())?;
    if manifest.format > FORMAT {
        return Err(BackupError::Newer { release: manifest.release, found: manifest.format });
    }
    let is_below = |file: &ManifestFile| {
        let parts: Vec<_> = Path::new(&file.path).components().collect();
        !parts.is_empty() && parts.iter().all(|part| matches!(part, std::path::Component::Normal(_)))
    };
    if manifest.files.iter().all(is_below) { Ok(manifest) } else { Err(unfinished()) }
}

/// Puts a backup into `folder`, which the caller owns and in which there is no store. Every byte is checked. One that is
/// ended in the middle can be begun again.
///
/// # Errors
/// When something cannot be read or written, or is not what was backed up; then there is no store in the folder.
pub fn restore(
    backup: &Path,
    folder: &Path,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, BackupError> {
    let manifest = read_manifest(backup)?;
    if folder.join(TABLES).exists() || !names(&folder.join("log"))?.is_empty() {
        return Err(BackupError::Taken(folder.to_owned()));
    }
    let place = folder.join("restoring");
    if place.exists() {
        fs::remove_dir_all(&place).map_err(failed("remove", &place))?;
    }
    for new in [place.join("log"), place.join("spool"), folder.join("spool")] {
        fs::create_dir_all(&new).map_err(failed("create", &new))?;
    }
    let of = manifest.files.iter().map(|file| file.bytes).sum();
    let mut copy = Copying { from: backup, to: &place, done: 0, of, told, files: Vec::new() };
    for file in &manifest.files {
        copy.file(&file.path, None)?;
        if copy.files.last() != Some(file) {
            return Err(BackupError::Changed(backup.join(&file.path)));
        }
    }
    for name in names(&place.join("spool"))? {
        let (from, to) = (place.join("spool").join(&name), folder.join("spool").join(&name));
        fs::rename(&from, &to).map_err(failed("rename", &from))?;
    }
    let log = folder.join("log");
    if log.is_dir() {
        fs::remove_dir(&log).map_err(failed("replace", &log))?;
    }
    for part in ["log", TABLES] {
        let from = place.join(part);
        if from.exists() {
            sync_folder(from.is_dir().then_some(from.as_path()))?;
            fs::rename(&from, folder.join(part)).map_err(failed("rename", &from))?;
        }
    }
    sync_folder(Some(folder))?;
    fs::remove_dir_all(&place).map_err(failed("remove", &place))?;
    Ok(manifest)
}

/// Copies file after file, and notes what it copied.
struct Copying<'a> {
    from: &'a Path,
    to: &'a Path,
    done: u64,
    of: u64,
    told: &'a mut dyn FnMut(u64, u64),
    files: Vec<ManifestFile>,
}

impl Copying<'_> {
    /// Copies a file, or its first bytes. One that is not there any more is left out.
    fn file(&mut self, path: &str, most: Option<u64>) -> Result<(), BackupError> {
        let (from, to) = (self.from.join(path), self.to.join(path));
        let source = match File::open(&from) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("read", &from)(error)),
        };
        let mut source = source.take(most.unwrap_or(u64::MAX));
        let mut target = File::create_new(&to).map_err(failed("create", &to))?;
        let mut hasher = blake3::Hasher::new();
        let mut piece = vec![0; PIECE_BYTES];
        let mut bytes = 0;
        loop {
            let read = source.read(&mut piece).map_err(failed("read", &from))?;
            let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
            hasher.update(read);
            target.write_all(read).map_err(failed("write", &to))?;
            bytes += read.len() as u64;
            self.done += read.len() as u64;
            (self.told)(self.done, self.of.max(self.done));
        }
        target.sync_all().map_err(failed("sync", &to))?;
        let hash = hasher.finalize().to_hex().to_string();
        self.files.push(ManifestFile { path: path.to_owned(), bytes, hash });
        Ok(())
    }

    /// Notes a file that is in its place already.
    fn note(&mut self, path: &str) -> Result<(), BackupError> {
        let place = self.to.join(path);
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(&place).map_err(failed("read", &place))?;
        let bytes = io::copy(&mut file, &mut hasher).map_err(failed("read", &place))?;
        self.done += bytes;
        (self.told)(self.done, self.of.max(self.done));
        let hash = hasher.finalize().to_hex().to_string();
        self.files.push(ManifestFile { path: path.to_owned(), bytes, hash });
        Ok(())
    }
}

/// Names of the files in a folder; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("list", folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("list", folder))?;
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            names.extend(entry.file_name().into_string().ok());
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn size_of(folder: &Path) -> u64 {
    let files = |folder: &Path| -> u64 {
        let Ok(entries) = fs::read_dir(folder) else { return 0 };
        entries
            .flatten()
            .filter_map(|entry| entry.metadata().ok())
            .filter(fs::Metadata::is_file)
            .map(|file| file.len())
            .sum()
    };
    files(folder) + files(&folder.join("log")) + files(&folder.join("spool"))
}

fn sync_folder(folder: Option<&Path>) -> Result<(), BackupError> {
    let Some(folder) = folder.filter(|_| cfg!(unix)) else { return Ok(()) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|file| file.sync_all()).map_err(failed("sync", folder))
}
