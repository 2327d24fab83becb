//! What a spool asks of a file system: small enough to be played through with faults in tests.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A folder of spool files.
pub trait Files: Debug + Send {
    /// Names of the files that are there, in any order.
    fn names(&self) -> io::Result<Vec<String>>;
    /// Makes a new, empty file and holds its lock; it is an error when there is one of that name.
    fn create(&self, name: &str) -> io::Result<Box<dyn SpoolFile>>;
    /// Opens a file if nobody else holds its lock, and holds it from then on.
    fn open_unheld(&self, name: &str) -> io::Result<Option<Box<dyn SpoolFile>>>;
    /// Bytes in a file; an error of kind `NotFound` when it is gone.
    fn length(&self, name: &str) -> io::Result<u64>;
    /// Takes a file away.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Gives a file another name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
}

/// An open file whose lock is held until it is dropped.
pub trait SpoolFile: Debug + Send {
    /// Bytes in it.
    fn length(&self) -> io::Result<u64>;
    /// Writes at `offset`, all or an error; after an error any part may have been written.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Reads up to `limit` bytes from `offset` to the end of `out`.
    fn read_at(&mut self, offset: u64, limit: u64, out: &mut Vec<u8>) -> io::Result<()>;
    /// Cuts the file to `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// A folder on disk, made when first written to.
#[derive(Debug, Clone)]
pub struct DiskFiles {
    folder: PathBuf,
}

impl DiskFiles {
    /// The folder at that path.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The path of the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Files for DiskFiles {
    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn SpoolFile>> {
        let path = self.folder.join(name);
        let options = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options
        };
        let file = match options().open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_private_folder(&self.folder)?;
                options().open(&path)?
            }
            other => other?,
        };
        file.try_lock()?;
        Ok(Box::new(DiskFile(file)))
    }

    fn open_unheld(&self, name: &str) -> io::Result<Option<Box<dyn SpoolFile>>> {
        let file = match OpenOptions::new().read(true).write(true).open(self.folder.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(DiskFile(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.folder.join(name))?.len())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }
}

/// Makes a folder, and what it stands in, that only its owner can look into: events may carry values.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[derive(Debug)]
struct DiskFile(File);

impl SpoolFile for DiskFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(offset))?;
        self.0.write_all(bytes)
    }

    fn read_at(&mut self, offset: u64, limit: u64, out: &mut Vec<u8>) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(offset))?;
        (&mut self.0).take(limit).read_to_end(out)?;
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
}
