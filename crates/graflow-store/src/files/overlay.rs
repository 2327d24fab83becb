//! A directory that can be written without being changed.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Files, StoredFile};

/// What is copied at once.
const PIECE_BYTES: usize = 1 << 20;

/// Files of one directory as they stand, and above them another that takes every change: a file is copied when it is
/// first opened for writing. The lower directory may be missing, and is never written.
#[derive(Debug)]
pub struct OverlayFiles {
    lower: Arc<dyn Files>,
    upper: Arc<dyn Files>,
    /// Files of the lower directory that were removed.
    removed: Mutex<BTreeSet<String>>,
}

impl OverlayFiles {
    /// `upper` over `lower`.
    pub fn new(lower: Arc<dyn Files>, upper: Arc<dyn Files>) -> Self {
        Self { lower, upper, removed: Mutex::default() }
    }

    fn removed(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy_up(&self, name: &str) -> io::Result<Box<dyn StoredFile>> {
        let lower = self.lower.open_read_only(name)?;
        let upper = self.upper.create(name)?;
        let mut piece = vec![0; PIECE_BYTES];
        let mut offset = 0;
        loop {
            let read = lower.read_full_at(&mut piece, offset)?;
            if read == 0 {
                return Ok(upper);
            }
            upper.write_all_at(piece.get(..read).unwrap_or_default(), offset)?;
            offset += read as u64;
        }
    }
}

impl Files for OverlayFiles {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names: BTreeSet<String> = self.upper.list()?.into_iter().collect();
        match self.lower.list() {
            Ok(lower) => {
                let removed = self.removed();
                names.extend(lower.into_iter().filter(|name| !removed.contains(name)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(names.into_iter().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StoredFile>> {
        if self.list()?.iter().any(|known| known == name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.upper.create(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StoredFile>> {
        match self.upper.open(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.removed().contains(name) => {
                self.copy_up(name)
            }
            opened => opened,
        }
    }

    fn open_read_only(&self, name: &str) -> io::Result<Box<dyn StoredFile>> {
        match self.upper.open_read_only(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.removed().contains(name) => {
                self.lower.open_read_only(name)
            }
            opened => opened,
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match self.upper.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.removed().insert(name.to_owned());
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if self.upper.open_read_only(from).is_err() {
            self.open(from)?;
        }
        self.upper.rename(from, to)?;
        self.removed().insert(from.to_owned());
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.upper.sync_directory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::SimulatedFiles;

    fn text(files: &dyn Files, name: &str) -> String {
        let file = files.open_read_only(name).unwrap();
        let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
        file.read_full_at(&mut bytes, 0).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn changes_stay_above() {
        let (lower, upper) = (Arc::new(SimulatedFiles::new()), Arc::new(SimulatedFiles::new()));
        for name in ["a", "b"] {
            lower.create(name).unwrap().write_all_at(b"below", 0).unwrap();
        }
        let files = OverlayFiles::new(lower.clone(), upper);
        files.open("a").unwrap().write_all_at(b"ABOVE", 0).unwrap();
        files.create("c").unwrap().write_all_at(b"new", 0).unwrap();
        assert_eq!(["a", "b", "c"].map(|name| text(&files, name)), ["ABOVE", "below", "new"]);
        assert_eq!(files.create("b").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        files.remove("b").unwrap();
        files.remove("a").unwrap();
        assert_eq!(files.list().unwrap(), ["c"]);
        assert_eq!(files.open("b").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(files.open_read_only("a").unwrap_err().kind(), io::ErrorKind::NotFound);
        let mut below = lower.list().unwrap();
        below.sort();
        assert_eq!(below, ["a", "b"]);
        assert_eq!(["a", "b"].map(|name| text(&*lower, name)), ["below"; 2]);
    }
}
