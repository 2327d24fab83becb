//! One folder has one owner: taking a folder, asking for it, and handing it over.
//!
//! The lock on `owner.lock` is the ownership, and nothing else is: it is free as soon as its holder is dead, however
//! it died. Whoever wants a folder that a program holds (which hands over, unlike a server) locks `wanted.lock` while
//! it waits; the program looks at that now and then. A lock has no stale state, so there is nothing to clean up.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use graflow_client::spool::create_private_folder;

use crate::folder::DataFolder;
use crate::owner_file::Owner;

/// How often somebody who waits looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// An owner that has a file without an address, or none yet, is waited for at least this long: it may be starting.
const STARTING: Duration = Duration::from_millis(500);

/// The folder is this process' until this is dropped.
#[derive(Debug)]
pub struct Ownership {
    folder: DataFolder,
    announced: Option<Owner>,
    // Closed last, and with it unlocked.
    _lock: File,
}

/// Why a folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum OwnershipError {
    /// Somebody else owns it, and does not hand it over.
    #[error("{} is owned by {}", path.display(), owner_words(owner.as_ref()))]
    Owned {
        /// The folder.
        path: std::path::PathBuf,
        /// Who, where that is known.
        owner: Option<Owner>,
    },
    /// The folder cannot be made or written.
    #[error("{} cannot be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl OwnershipError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Owned { owner: Some(Owner { url: Some(_), .. }), .. } => {
                "use that server, stop it, or choose another folder with --data-dir"
            }
            Self::Owned { .. } => "stop that process, or choose another folder with --data-dir",
            Self::Folder { .. } => "choose a folder that you may write, with --data-dir",
        }
    }
}

fn owner_words(owner: Option<&Owner>) -> String {
    match owner {
        Some(Owner { pid, url: Some(url), .. }) => format!("the server at {url} (process {pid})"),
        Some(Owner { pid, url: None, .. }) => format!("a program that does not hand it over (process {pid})"),
        None => "another process".into(),
    }
}

impl Ownership {
    /// Takes the folder if nobody owns it, making it if need be.
    pub fn try_take(folder: &DataFolder) -> Result<Option<Self>, OwnershipError> {
        let failed = |source| OwnershipError::Folder { path: folder.path().to_owned(), source };
        if folder.path().exists() && !folder.path().is_dir() {
            return Err(failed(io::Error::new(io::ErrorKind::NotADirectory, "it is a file, and no folder")));
        }
        create_private_folder(folder.path()).map_err(failed)?;
        let lock = open(&folder.owner_lock()).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { folder: folder.clone(), announced: None, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Takes the folder; a program that keeps its lineage there is asked to hand over, and waited for. Blocks.
    pub fn take(folder: &DataFolder, patience: Duration) -> Result<Self, OwnershipError> {
        let began = Instant::now();
        let mut wanted: Option<File> = None;
        loop {
            if let Some(ownership) = Self::try_take(folder)? {
                return Ok(ownership);
            }
            let owner = owner(folder);
            // A server stays. Its file may be of an owner before the present one, so it is believed only after a while.
            let is_server = owner.as_ref().is_some_and(|owner| owner.url.is_some());
            let patience = if is_server { patience.min(STARTING) } else { patience };
            if began.elapsed() >= patience {
                return Err(OwnershipError::Owned { path: folder.path().to_owned(), owner });
            }
            if wanted.is_none() {
                wanted = want(folder);
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// The folder.
    pub fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Says in `server.json` who owns the folder now.
    pub fn announce(&mut self, owner: Owner) -> io::Result<()> {
        owner.write(&self.folder.owner_file())?;
        self.announced = Some(owner);
        Ok(())
    }

    /// Whether somebody waits for the folder.
    pub fn is_wanted(&self) -> bool {
        is_wanted(&self.folder)
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        let path = self.folder.owner_file();
        // While the lock is held nobody else writes it; only what this owner wrote is taken away.
        if self.announced.is_some() && Owner::read(&path) == self.announced {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Who owns the folder, by what stands in `server.json`. It may be out of date: [`discover`](crate::discover()) asks.
pub fn owner(folder: &DataFolder) -> Option<Owner> {
    Owner::read(&folder.owner_file())
}

pub(crate) fn is_wanted(folder: &DataFolder) -> bool {
    let Ok(file) = OpenOptions::new().read(true).open(folder.wanted_lock()) else { return false };
    // Shared, so that two who look at once do not take each other for somebody who waits.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Only one waits at a time; the others look again when it has gone.
fn want(folder: &DataFolder) -> Option<File> {
    let file = open(&folder.wanted_lock()).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use graflow_model::Timestamp;

    use super::*;

    fn owner_at(url: Option<&str>) -> Owner {
        Owner {
            pid: 42,
            url: url.map(str::to_owned),
            version: "0".into(),
            instance_id: "i".into(),
            started_time: Timestamp::default(),
        }
    }

    #[test]
    fn one_owner_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(place.path().join("new/data"));
        let mut first = Ownership::try_take(&folder).unwrap().unwrap();
        assert!(Ownership::try_take(&folder).unwrap().is_none());
        first.announce(owner_at(Some("http://h:1"))).unwrap();
        assert_eq!(owner(&folder), Some(owner_at(Some("http://h:1"))));
        let error = Ownership::take(&folder, Duration::ZERO).unwrap_err();
        assert!(error.to_string().ends_with("is owned by the server at http://h:1 (process 42)"), "{error}");
        drop(first);
        assert_eq!(owner(&folder), None);
        assert!(Ownership::try_take(&folder).unwrap().is_some());
    }

    #[test]
    fn an_owner_leaves_the_file_of_another_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(place.path());
        owner_at(Some("http://stale")).write(&folder.owner_file()).unwrap();
        drop(Ownership::try_take(&folder).unwrap());
        assert_eq!(owner(&folder), Some(owner_at(Some("http://stale"))));
    }

    #[test]
    fn whoever_waits_is_seen_and_gets_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(place.path());
        let mut first = Ownership::try_take(&folder).unwrap().unwrap();
        first.announce(owner_at(None)).unwrap();
        assert!(!first.is_wanted());
        let waiting = {
            let folder = folder.clone();
            thread::spawn(move || Ownership::take(&folder, Duration::from_secs(20)))
        };
        while !first.is_wanted() {
            thread::sleep(Duration::from_millis(1));
        }
        drop(first);
        let second = waiting.join().unwrap().unwrap();
        assert!(!second.is_wanted());
    }

    #[test]
    fn a_program_that_does_not_hand_over_is_named() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(place.path());
        let mut first = Ownership::try_take(&folder).unwrap().unwrap();
        first.announce(owner_at(None)).unwrap();
        let error = Ownership::take(&folder, Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().ends_with("(process 42)"), "{error}");
        assert!(!is_wanted(&folder), "nobody waits any more");
    }

    #[test]
    #[cfg(unix)]
    fn other_users_cannot_look_in() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(place.path().join("data"));
        let _ownership = Ownership::try_take(&folder).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&folder.owner_lock())), (0o700, 0o600));
    }
}
