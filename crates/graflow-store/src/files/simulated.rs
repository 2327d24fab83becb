//! A directory in memory whose crashes, full disks and failing devices are ordinary, repeatable inputs.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Files, StoredFile};

/// A disk writes whole sectors: after a crash each sector of an unsynced write is there or not, on its own.
const SECTOR_BYTES: usize = 512;

/// What goes wrong, once, on the next call of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next write stores this many bytes and then fails.
    Write(usize, io::ErrorKind),
    /// The next sync fails; what it should have made durable stays unsynced.
    Sync(io::ErrorKind),
    /// The next change of a length fails.
    SetLength(io::ErrorKind),
    /// The next creation of a file fails.
    Create(io::ErrorKind),
    /// The next read fails.
    Read(io::ErrorKind),
}

/// A directory in memory. Clones share it.
///
/// Everything written is seen at once by every reader, as with a page cache; [`crash`](Self::crash) then keeps
/// what was synced, and of the rest a random choice of sectors, lengths and names.
#[derive(Clone, Debug, Default)]
pub struct SimulatedFiles {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    /// What the running system sees.
    names: BTreeMap<String, usize>,
    /// The names a crash leaves behind for sure.
    durable_names: BTreeMap<String, usize>,
    contents: Vec<Content>,
    faults: Vec<Fault>,
    capacity: Option<usize>,
    syncs: u64,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
}

impl SimulatedFiles {
    /// An empty directory on a disk without limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans a fault. Several of one kind happen one after the other.
    pub fn plan(&self, fault: Fault) {
        self.disk().faults.push(fault);
    }

    /// Limits what all files together may hold; beyond it writes store what fits and fail with
    /// [`io::ErrorKind::StorageFull`]. `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.disk().capacity = bytes;
    }

    /// How often a file was synced.
    pub fn syncs(&self) -> u64 {
        self.disk().syncs
    }

    /// The bytes of a file as the running system sees them.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let disk = self.disk();
        let id = disk.names.get(name)?;
        Some(disk.contents.get(*id)?.bytes.clone())
    }

    /// Changes a file from outside, durably: damage by a device or a person.
    pub fn overwrite(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let id = disk.names.get(name).copied();
        if let Some(content) = id.and_then(|id| disk.contents.get_mut(id)) {
            change(&mut content.bytes);
            content.durable.clone_from(&content.bytes);
        }
    }

    /// The power goes: a new directory with what was synced, and of everything else whatever `seed` decides.
    /// The old one lives on untouched; forget it.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let disk = self.disk();
        let mut after = Disk { capacity: disk.capacity, ..Disk::default() };
        let mut survivors = disk.durable_names.clone();
        for (name, id) in &disk.names {
            if !survivors.contains_key(name) && random.bool() {
                survivors.insert(name.clone(), *id);
            }
        }
        for (name, id) in survivors {
            let Some(content) = disk.contents.get(id) else { continue };
            // A name that was given to another file meanwhile is of the one or the other.
            let id = disk.names.get(&name).copied().filter(|_| random.bool()).unwrap_or(id);
            let Some(content) = disk.contents.get(id).or(Some(content)) else { continue };
            // A removal that was not made durable may or may not have happened.
            if !disk.names.contains_key(&name) && random.bool() {
                continue;
            }
            let bytes = content.after_crash(&mut random);
            after.contents.push(Content { durable: bytes.clone(), bytes });
            after.names.insert(name.clone(), after.contents.len() - 1);
        }
        after.durable_names = after.names.clone();
        Self { disk: Arc::new(Mutex::new(after)) }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, name: &str, writable: bool) -> io::Result<Box<dyn StoredFile>> {
        let id = *self.disk().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Handle { files: self.clone(), id, writable }))
    }
}

impl Content {
    fn after_crash(&self, random: &mut fastrand::Rng) -> Vec<u8> {
        if self.bytes == self.durable {
            return self.durable.clone();
        }
        // The length is either the old one, the new one, or anything between them.
        let (short, long) =
            (self.durable.len().min(self.bytes.len()), self.durable.len().max(self.bytes.len()));
        let length = match random.u8(0..3) {
            0 => self.durable.len(),
            1 => self.bytes.len(),
            _ => random.usize(short..=long),
        };
        // Sectors that never reached the disk read as before, or as zeros where nothing was before.
        let mut survived = self.durable.clone();
        survived.resize(length, 0);
        for (sector, chunk) in survived.chunks_mut(SECTOR_BYTES).enumerate() {
            let start = sector * SECTOR_BYTES;
            if random.bool() {
                for (at, byte) in chunk.iter_mut().enumerate() {
                    *byte = self.bytes.get(start + at).copied().unwrap_or(*byte);
                }
            }
        }
        survived
    }
}

impl Disk {
    /// Takes the first planned fault that `matches`.
    fn fault<T>(&mut self, matches: impl Fn(Fault) -> Option<T>) -> Option<T> {
        let (at, found) =
            self.faults.iter().enumerate().find_map(|(at, fault)| Some((at, matches(*fault)?)))?;
        self.faults.remove(at);
        Some(found)
    }

    fn room(&self) -> usize {
        let used: usize =
            self.names.values().filter_map(|id| self.contents.get(*id)).map(|c| c.bytes.len()).sum();
        self.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(used))
    }
}

impl Files for SimulatedFiles {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.disk().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StoredFile>> {
        {
            let mut disk = self.disk();
            if let Some(kind) =
                disk.fault(|fault| if let Fault::Create(kind) = fault { Some(kind) } else { None })
            {
                return Err(kind.into());
            }
            if disk.names.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            disk.contents.push(Content::default());
            let id = disk.contents.len() - 1;
            disk.names.insert(name.to_owned(), id);
        }
        self.handle(name, true)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StoredFile>> {
        self.handle(name, true)
    }

    fn open_read_only(&self, name: &str) -> io::Result<Box<dyn StoredFile>> {
        self.handle(name, false)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk().names.remove(name).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        let id = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), id);
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.durable_names = disk.names.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct Handle {
    files: SimulatedFiles,
    id: usize,
    writable: bool,
}

impl Handle {
    fn change<T>(&self, change: impl FnOnce(&mut Disk, usize) -> io::Result<T>) -> io::Result<T> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        change(&mut self.files.disk(), self.id)
    }
}

impl StoredFile for Handle {
    fn length(&self) -> io::Result<u64> {
        Ok(self.files.disk().contents.get(self.id).map_or(0, |content| content.bytes.len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.files.disk();
        if let Some(kind) = disk.fault(|fault| if let Fault::Read(kind) = fault { Some(kind) } else { None })
        {
            return Err(kind.into());
        }
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let bytes =
            disk.contents.get(self.id).and_then(|content| content.bytes.get(start..)).unwrap_or_default();
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(|disk, id| {
            let start = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
            let room = disk.room();
            let fault =
                disk.fault(|fault| if let Fault::Write(n, kind) = fault { Some((n, kind)) } else { None });
            let Some(content) = disk.contents.get_mut(id) else { return Err(io::ErrorKind::NotFound.into()) };
            let fits = bytes.len().min(content.bytes.len().saturating_sub(start).saturating_add(room));
            let (stored, error) = match fault {
                Some((stored, kind)) => (stored.min(fits), Some(kind)),
                None if fits < bytes.len() => (fits, Some(io::ErrorKind::StorageFull)),
                None => (bytes.len(), None),
            };
            if content.bytes.len() < start + stored {
                content.bytes.resize(start + stored, 0);
            }
            content.bytes[start..start + stored].copy_from_slice(&bytes[..stored]);
            error.map_or(Ok(()), |kind| Err(kind.into()))
        })
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.change(|disk, id| {
            if let Some(kind) =
                disk.fault(|fault| if let Fault::SetLength(kind) = fault { Some(kind) } else { None })
            {
                return Err(kind.into());
            }
            let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
            if let Some(content) = disk.contents.get_mut(id) {
                content.bytes.resize(length, 0);
            }
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.change(|disk, id| {
            disk.syncs += 1;
            if let Some(kind) =
                disk.fault(|fault| if let Fault::Sync(kind) = fault { Some(kind) } else { None })
            {
                return Err(kind.into());
            }
            if let Some(content) = disk.contents.get_mut(id) {
                content.durable.clone_from(&content.bytes);
            }
            Ok(())
        })
    }
}
