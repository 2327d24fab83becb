//! A folder in memory, with the faults of real ones.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Files, SpoolFile};

#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryFolder(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<String, Content>,
    /// Bytes that fit; none = any number.
    room: Option<usize>,
    /// Whether a write may be done in part before it fails.
    tears: bool,
    read_only: bool,
    /// Handles opened before a crash can no longer write or hold locks.
    boot: u64,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    held: bool,
}

#[derive(Debug)]
struct Handle {
    folder: MemoryFolder,
    name: String,
    boot: u64,
}

impl MemoryFolder {
    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.lock().room = room;
    }

    pub(crate) fn set_tears(&self, tears: bool) {
        self.lock().tears = tears;
    }

    pub(crate) fn set_read_only(&self, read_only: bool) {
        self.lock().read_only = read_only;
    }

    /// All processes die; their locks are free.
    pub(crate) fn crash(&self) {
        let mut inner = self.lock();
        inner.boot += 1;
        for content in inner.files.values_mut() {
            content.held = false;
        }
    }

    /// Names and whether somebody holds them.
    pub(crate) fn held(&self) -> Vec<(String, bool)> {
        self.lock().files.iter().map(|(name, content)| (name.clone(), content.held)).collect()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.lock().files.get(name).map(|content| content.bytes.clone()).unwrap_or_default()
    }

    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        self.lock().files.insert(name.into(), Content { bytes, held: false });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

impl Inner {
    fn used(&self) -> usize {
        self.files.values().map(|content| content.bytes.len()).sum()
    }
}

impl Files for MemoryFolder {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().files.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn SpoolFile>> {
        let mut inner = self.lock();
        if inner.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        if inner.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        inner.files.insert(name.into(), Content { bytes: Vec::new(), held: true });
        Ok(Box::new(Handle { folder: self.clone(), name: name.into(), boot: inner.boot }))
    }

    fn open_unheld(&self, name: &str) -> io::Result<Option<Box<dyn SpoolFile>>> {
        let mut inner = self.lock();
        let boot = inner.boot;
        match inner.files.get_mut(name) {
            Some(content) if !content.held => {
                content.held = true;
                Ok(Some(Box::new(Handle { folder: self.clone(), name: name.into(), boot })))
            }
            _ => Ok(None),
        }
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        let inner = self.lock();
        let content = inner.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(content.bytes.len() as u64)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.lock().files.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let content = inner.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        inner.files.insert(to.into(), content);
        Ok(())
    }
}

impl SpoolFile for Handle {
    fn length(&self) -> io::Result<u64> {
        self.folder.length(&self.name)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.folder.lock();
        assert_eq!(inner.boot, self.boot, "a dead process writes");
        let room = inner.room.map_or(usize::MAX, |room| room.saturating_sub(inner.used()));
        let (tears, offset) = (inner.tears, usize::try_from(offset).unwrap());
        let content = inner.files.get_mut(&self.name).ok_or(io::ErrorKind::NotFound)?;
        let more = (offset + bytes.len()).saturating_sub(content.bytes.len());
        let fits = more <= room;
        let written = if fits { bytes.len() } else { bytes.len() - (more - room) };
        if fits || tears {
            let end = (offset + written).max(content.bytes.len());
            content.bytes.resize(end, 0);
            content.bytes[offset..offset + written].copy_from_slice(&bytes[..written]);
        }
        if fits { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn read_at(&mut self, offset: u64, limit: u64, out: &mut Vec<u8>) -> io::Result<()> {
        let inner = self.folder.lock();
        let content = inner.files.get(&self.name).ok_or(io::ErrorKind::NotFound)?;
        let start = usize::try_from(offset).unwrap().min(content.bytes.len());
        let end = (start + usize::try_from(limit).unwrap()).min(content.bytes.len());
        out.extend_from_slice(&content.bytes[start..end]);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut inner = self.folder.lock();
        let content = inner.files.get_mut(&self.name).ok_or(io::ErrorKind::NotFound)?;
        content.bytes.resize(usize::try_from(length).unwrap(), 0);
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut inner = self.folder.lock();
        if inner.boot == self.boot
            && let Some(content) = inner.files.get_mut(&self.name)
        {
            content.held = false;
        }
    }
}
