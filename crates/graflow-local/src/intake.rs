//! The owner's side of the spool: what other processes left is taken into the store.

use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use graflow_client::spool::{DiskFiles, Files, Limits, Opened, SUFFIX, Segment};
use graflow_lineage::ingest::{self, BodyError, BodyFormat};
use graflow_lineage::store::{AppendError, Batch, EventResult, Store};
use graflow_model::event::EventType;
use graflow_model::{Clock, Project};
use graflow_wire::{InvalidEvent, PostAnswer};

use crate::folder::DataFolder;

/// How often the spool is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// What is handed to the store at once.
const BATCH: Limits = Limits { events: 5_000, bytes: 4 << 20 };

/// Takes the spool of a folder into its store. Only for the folder's owner. Blocks.
///
/// A living producer that delivers by itself holds the locks of its files; everything else in the spool is taken
/// in, file by file, and deleted when the store has it on disk. Call [`SpoolIntake::take_in`] about once a second.
pub struct SpoolIntake {
    files: DiskFiles,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Files that cannot be read, which was told once.
    unreadable: Mutex<BTreeSet<String>>,
}

/// What one look at the spool brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenIn {
    /// Files that were taken in whole, and deleted.
    pub files: u64,
    /// Events that were new.
    pub accepted: u64,
    /// Events that the store had.
    pub duplicates: u64,
    /// Events that are none.
    pub invalid: u64,
    /// Bytes that a dying process left unfinished.
    pub torn_bytes: u64,
}

/// Why a look at the spool ended early. What is left is taken in the next time.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The spool cannot be read.
    #[error("the spool cannot be read")]
    Spool(#[from] io::Error),
    /// The store takes nothing now.
    #[error(transparent)]
    Store(#[from] AppendError),
}

impl SpoolIntake {
    /// The intake of that folder's spool into that store.
    pub fn new(folder: &DataFolder, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { files: DiskFiles::new(folder.spool()), store, clock, unreadable: Mutex::default() }
    }

    /// Looks about once a second, on a thread of its own, until what is returned is dropped.
    pub fn keep_looking(self) -> io::Result<KeepsLooking> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("graflow-intake".into()).spawn(move || {
            let mut told = false;
            loop {
                match self.take_in() {
                    Ok(taken) => {
                        told = false;
                        if taken.files > 0 {
                            tracing::debug!(
                                files = taken.files,
                                accepted = taken.accepted,
                                "took the spool in"
                            );
                        }
                    }
                    // Once, until it has been well again: the same fault would come every second.
                    Err(error) if !told => {
                        told = true;
                        tracing::warn!("the spool was not taken in whole: {error}");
                    }
                    Err(_) => {}
                }
                if stopped.recv_timeout(LOOK_AGAIN) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(KeepsLooking { stop: Some(stop), thread: Some(thread) })
    }

    /// Takes in everything that is there.
    pub fn take_in(&self) -> Result<TakenIn, IntakeError> {
        let mut taken = TakenIn::default();
        let mut names = self.files.names()?;
        names.retain(|name| name.ends_with(SUFFIX));
        // A producer's files one after the other, in the order they were written.
        names.sort_unstable();
        for name in names {
            match Segment::open_unheld(&self.files, &name) {
                Ok(Opened::Ready(header, segment)) => self.take_file(&header.project, segment, &mut taken)?,
                Ok(Opened::Nothing) => {}
                Ok(Opened::Foreign) => {
                    tracing::debug!("{name} in the spool is of another version and left alone");
                }
                Err(error) => {
                    let mut told = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
                    if told.insert(name.clone()) {
                        tracing::warn!("{name} in the spool cannot be read: {error}");
                    }
                }
            }
        }
        Ok(taken)
    }

    fn take_file(
        &self,
        project: &Project,
        mut segment: Segment,
        taken: &mut TakenIn,
    ) -> Result<(), IntakeError> {
        loop {
            let batch = segment.read(BATCH)?;
            if batch.events == 0 {
                break;
            }
            let answer = append(self.store.as_ref(), project, &batch.body, self.clock.as_ref());
            let answer = match answer.map(Pending::wait) {
                Ok(answer) => answer?,
                // A whole body of lines that are no events cannot come from a producer; they are passed over.
                Err(error) => {
                    tracing::warn!("lines in {} of the spool are no events: {error}", segment.name());
                    taken.invalid += batch.events as u64;
                    segment.settle();
                    continue;
                }
            };
            taken.accepted += answer.accepted;
            taken.duplicates += answer.duplicates;
            taken.invalid += answer.invalid.len() as u64;
            segment.settle();
        }
        taken.torn_bytes += segment.take_torn_bytes();
        taken.files += 1;
        segment.finish(&self.files)?;
        Ok(())
    }
}

impl std::fmt::Debug for SpoolIntake {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SpoolIntake").field("folder", &self.files.folder()).finish_non_exhaustive()
    }
}

/// Takes the spool in until it is dropped; then what is under way is finished first.
#[derive(Debug)]
pub struct KeepsLooking {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for KeepsLooking {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the intake of the spool ended in a panic");
        }
    }
}

/// An append that is under way.
pub(crate) struct Pending {
    receipt: Option<graflow_lineage::store::Receipt>,
    answer: PostAnswer,
    /// Where in the body each event stood that was handed to the store.
    places: Vec<usize>,
}

/// Hands lines to a store. Heartbeats are left out: nobody looks while a program keeps its lineage itself.
pub(crate) fn append(
    store: &dyn Store,
    project: &Project,
    lines: &[u8],
    clock: &dyn Clock,
) -> Result<Pending, BodyError> {
    let parsed = ingest::parse(lines, BodyFormat::Ndjson)?;
    let invalid = parsed.invalid.into_iter().map(|invalid| InvalidEvent::new(invalid.index, invalid.error));
    let mut answer =
        PostAnswer { invalid: invalid.collect(), last_seq: store.last_seq(), ..PostAnswer::default() };
    let (mut places, mut events) = (Vec::new(), Vec::new());
    for (place, incoming) in parsed.events {
        if incoming.event.event_type == EventType::Heartbeat && incoming.event.producer_seq.is_none() {
            answer.accepted += 1;
            continue;
        }
        places.push(place);
        events.push(incoming);
    }
    let receipt = (!events.is_empty())
        .then(|| store.append(Batch { project: project.clone(), received: clock.now(), events }));
    Ok(Pending { receipt, answer, places })
}

impl Pending {
    pub(crate) async fn finish(mut self) -> Result<PostAnswer, AppendError> {
        let Some(receipt) = self.receipt.take() else { return Ok(self.answer) };
        let appended = receipt.await?;
        Ok(self.told(appended))
    }

    fn wait(mut self) -> Result<PostAnswer, AppendError> {
        let Some(receipt) = self.receipt.take() else { return Ok(self.answer) };
        let appended = receipt.wait()?;
        Ok(self.told(appended))
    }

    fn told(mut self, appended: graflow_lineage::store::Appended) -> PostAnswer {
        self.answer.last_seq = appended.last_seq;
        for (index, result) in self.places.into_iter().zip(appended.results) {
            match result {
                EventResult::Accepted(_) => self.answer.accepted += 1,
                EventResult::Duplicate => self.answer.duplicates += 1,
                EventResult::Dropped => self.answer.dropped += 1,
                EventResult::Invalid(error) => self.answer.invalid.push(InvalidEvent::new(index, error)),
            }
        }
        self.answer
    }
}
