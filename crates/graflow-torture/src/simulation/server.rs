//! A server: intake, log, tables, fold and live stream over a disk that fails.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use graflow_client::{Answer, Post};
use graflow_lineage::ingest::BodyFormat;
use graflow_lineage::live::Live;
use graflow_lineage::manager::LineageManager;
use graflow_lineage::store::{AppendError, EventResult, Store as _, StoredEvent};
use graflow_model::{Clock, Event, Project, Seq};
use graflow_store::files::SimulatedFiles;
use graflow_store::{EmbeddedOptions, EmbeddedStore};
use graflow_wire::{InvalidEvent, PostAnswer};

use super::clock::SimulatedClock;

/// A machine with a disk, on which a server runs or not.
pub(super) struct Machine {
    /// The log's disk; tables are in a real folder, and a crash leaves them as they are, or they are lost.
    pub(super) disk: SimulatedFiles,
    folder: PathBuf,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) running: Option<Running>,
    /// Ids of events that were acknowledged.
    pub(super) acknowledged: BTreeSet<String>,
}

pub(super) struct Running {
    pub(super) store: Arc<EmbeddedStore>,
    pub(super) manager: LineageManager,
}

impl Machine {
    pub(super) fn new(folder: PathBuf) -> Self {
        let (disk, clock) = (SimulatedFiles::new(), Arc::default());
        Self { disk, folder, clock, running: None, acknowledged: BTreeSet::new() }
    }

    /// Starts the server; what was acknowledged must be there at once.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let live = Live::new(Arc::clone(&clock));
        let mut options = EmbeddedOptions::new(&self.folder, Arc::clone(&clock));
        options.observer = live.clone();
        options.log_files = Some(Arc::new(self.disk.clone()));
        options.log.segment_bytes = 20_000;
        // A real machine may be slow; the simulated one is not.
        options.read_patience = Duration::from_mins(1);
        let store = Arc::new(EmbeddedStore::open(options).context("the server does not start")?);
        let manager = LineageManager::new(Arc::clone(&store) as Arc<_>, live, clock, 1)?;
        self.running = Some(Running { store, manager });
        self.check_acknowledged()
    }

    /// The power goes: of the log what was synced stays, of everything else what chance decides.
    pub(super) fn crash(&mut self, seed: u64, lose_tables: bool) -> anyhow::Result<()> {
        let after = self.disk.crash(seed);
        // It goes on with the disk that is no more: nothing that it still writes is seen again.
        self.running = None;
        self.disk = after;
        if lose_tables {
            std::fs::remove_dir_all(&self.folder)?;
        }
        Ok(())
    }

    /// A request comes in. None: the server must be started anew, as a service manager would.
    pub(super) fn take(&mut self, post: &Post) -> anyhow::Result<Option<Answer>> {
        let Some(running) = &self.running else { return Ok(Some(later("nobody listens"))) };
        let ingest = match running.manager.ingest(&post.project, &post.body, BodyFormat::Ndjson) {
            Ok(ingest) => ingest,
            Err(error) => return Ok(Some(Answer::Refused { reason: error.to_string() })),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let ingested = match runtime.block_on(ingest.finish()) {
            Ok(ingested) => ingested,
            Err(AppendError::Unwritable(_) | AppendError::Closed) => return Ok(None),
            Err(error) => return Ok(Some(later(&error.to_string()))),
        };
        let lines = post.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut answer = PostAnswer { last_seq: ingested.last_seq, ..PostAnswer::default() };
        for (index, (line, result)) in lines.zip(ingested.results).enumerate() {
            match result {
                Some(EventResult::Accepted(_)) => answer.accepted += 1,
                Some(EventResult::Duplicate) => answer.duplicates += 1,
                Some(EventResult::Invalid(error)) => answer.invalid.push(InvalidEvent::new(index, error)),
                Some(EventResult::Dropped) => answer.dropped += 1,
                None => continue,
            }
            self.acknowledged.insert(Event::from_json(line)?.event_id.as_str().to_owned());
        }
        ensure!(answer.invalid.is_empty(), "an event of ours is refused: {:?}", answer.invalid);
        Ok(Some(Answer::Taken(answer)))
    }

    /// Everything in the log, by number.
    pub(super) fn stored(&self) -> anyhow::Result<Vec<StoredEvent>> {
        let running = self.running.as_ref().context("no server runs")?;
        Ok(running.store.replay(&Project::default(), Seq::ZERO, usize::MAX)?)
    }

    /// Whether every acknowledged event is there, and every event once.
    pub(super) fn check_acknowledged(&self) -> anyhow::Result<()> {
        let stored = self.stored()?;
        let ids: BTreeSet<_> = stored.iter().map(|stored| stored.event.event_id.as_str()).collect();
        ensure!(ids.len() == stored.len(), "an event is there twice");
        let lost = self.acknowledged.iter().find(|id| !ids.contains(id.as_str()));
        ensure!(lost.is_none(), "acknowledged and not there: {lost:?}");
        Ok(())
    }
}

pub(super) fn later(reason: &str) -> Answer {
    Answer::Later { retry_after: None, reason: reason.to_owned() }
}
