//! Decides and writes groups of work: a state machine over the log's files, driven by one thread.

use std::collections::{HashMap, HashSet};

use graflow_lineage::store::{AppendError, Appended, Batch, EventResult, Incoming, StoredEvent};
use graflow_model::event::EventErrorCode;
use graflow_model::{EventError, ExecutionId, ProducerId, Project, Seq, Timestamp};

use crate::dedupe::{Dedupe, EventKey, MAX_INTERVALS, SeqIntervals, Verdict};
use crate::log::{LogError, LogWriter, Position, RawEvent};

/// Executions known to be alive; forgotten all at once when full, which costs a look into the tables each.
const KNOWN_ALIVE: usize = 65_536;

/// What a record adds to each event's JSON.
const RECORD_BYTES_PER_EVENT: usize = 6;

/// The rest of a frame is for the record's head and the project's name.
const MAX_BATCH_BYTES: usize = graflow_model::frame::MAX_PAYLOAD_BYTES - (1 << 20);

/// What is stored about the past, beyond what the committer keeps in memory.
pub(crate) trait Stored {
    /// The numbers taken from a producer; none if nothing is known of it.
    fn producer(&self, project: &Project, producer: &ProducerId) -> Result<SeqIntervals, StoredError>;
    /// Whether an execution was deleted.
    fn is_deleted(&self, project: &Project, execution: &ExecutionId) -> Result<bool, StoredError>;
    /// The last number whose effects the two above know.
    fn applied(&self) -> Seq;
}

/// What is stored could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StoredError(pub(crate) String);

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Work {
    Append(Batch),
    Delete { project: Project, received: Timestamp, executions: Vec<ExecutionId> },
}

/// Something that is on disk now.
#[derive(Debug)]
pub(crate) enum DurableRecord {
    Events { position: Position, end: Position, next_seq: Seq, events: Vec<StoredEvent> },
    Tombstone { end: Position, next_seq: Seq, project: Project, executions: Vec<ExecutionId> },
}

/// The answers to a group of work, in its order, and what became durable by it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) answers: Vec<Result<Appended, AppendError>>,
    pub(crate) durable: Vec<DurableRecord>,
}

/// Exactly-once in front of the log.
#[derive(Debug)]
pub(crate) struct Committer<S> {
    log: LogWriter,
    dedupe: Dedupe,
    stored: S,
    alive: HashSet<(Project, ExecutionId)>,
    /// Deleted, and perhaps not stored as deleted yet.
    deleted: HashMap<(Project, ExecutionId), Seq>,
}

impl<S: Stored> Committer<S> {
    pub(crate) fn new(log: LogWriter, dedupe: Dedupe, stored: S) -> Self {
        Self { log, dedupe, stored, alive: HashSet::new(), deleted: HashMap::new() }
    }

    /// Does a group of work with one sync. An answer of `Ok` means that it is durable.
    pub(crate) fn step(&mut self, group: Vec<Work>, now: Timestamp) -> Group {
        let applied = self.stored.applied();
        self.dedupe.set_stored(applied);
        self.deleted.retain(|_, seq| *seq > applied);
        if let Err(error) = self.log.begin(now) {
            return Group::refused(group.len(), &error);
        }
        let mut answers = Vec::with_capacity(group.len());
        let mut durable = Vec::with_capacity(group.len());
        let mut provisional_deletions = Vec::new();
        for work in group {
            answers.push(match work {
                Work::Append(batch) => self.stage_batch(batch, &mut durable),
                Work::Delete { project, received, executions } => self.stage_tombstone(
                    project,
                    received,
                    executions,
                    &mut durable,
                    &mut provisional_deletions,
                ),
            });
        }
        match self.log.commit() {
            Ok(()) => {
                self.dedupe.commit(Seq(self.log.next_seq().0.saturating_sub(1)));
                Group { answers, durable }
            }
            Err(error) => {
                self.dedupe.roll_back();
                for key in provisional_deletions {
                    self.deleted.remove(&key);
                }
                Group::refused(answers.len(), &error)
            }
        }
    }

    fn last_seq(&self) -> Seq {
        Seq(self.log.next_seq().0.saturating_sub(1))
    }

    fn stage_batch(
        &mut self,
        batch: Batch,
        durable: &mut Vec<DurableRecord>,
    ) -> Result<Appended, AppendError> {
        let Batch { project, received, events } = batch;
        // Everything that may fail comes before the first verdict, so that a batch is judged as a whole or not.
        let bytes: usize = events.iter().map(|incoming| incoming.json.len() + RECORD_BYTES_PER_EVENT).sum();
        if bytes > MAX_BATCH_BYTES {
            return Err(append_error(&LogError::TooLarge { bytes }));
        }
        self.learn_producers(&project, &events).map_err(|error| AppendError::Unwritable(error.0))?;
        let deleted =
            self.deleted_executions(&project, &events).map_err(|error| AppendError::Unwritable(error.0))?;

        let mut results = Vec::with_capacity(events.len());
        let mut accepted = Vec::with_capacity(events.len());
        let mut seq = self.log.next_seq();
        for Incoming { event, json } in events {
            if event.execution_id.as_ref().is_some_and(|execution| deleted.contains(execution)) {
                results.push(EventResult::Dropped);
                continue;
            }
            match self.dedupe.judge(EventKey::of(&project, &event), received) {
                Verdict::New => {
                    results.push(EventResult::Accepted(seq));
                    accepted.push(StoredEvent { seq, project: project.clone(), received, event, json });
                    seq = seq.next();
                }
                Verdict::Duplicate => results.push(EventResult::Duplicate),
                Verdict::ProducerSeqReused => results.push(EventResult::Invalid(EventError::new(
                    EventErrorCode::ProducerSeqReused,
                    "`producer_seq` was used for another event before; a process needs a `producer` of its own, also after a fork",
                ))),
                Verdict::TooManyGaps => results.push(EventResult::Invalid(EventError::new(
                    EventErrorCode::InvalidField,
                    format!("`producer_seq` leaves more than {MAX_INTERVALS} gaps; go on as a new `producer`"),
                ))),
            }
        }
        if !accepted.is_empty() {
            let raw = accepted.iter().map(|stored| RawEvent { json: stored.json.as_bytes(), facts: b"" });
            let staged =
                self.log.stage_batch(&project, received, raw).map_err(|error| append_error(&error))?;
            durable.push(DurableRecord::Events {
                position: staged.position,
                end: staged.end,
                next_seq: self.log.next_seq(),
                events: accepted,
            });
        }
        Ok(Appended { results, last_seq: self.last_seq() })
    }

    fn stage_tombstone(
        &mut self,
        project: Project,
        received: Timestamp,
        executions: Vec<ExecutionId>,
        durable: &mut Vec<DurableRecord>,
        provisional: &mut Vec<(Project, ExecutionId)>,
    ) -> Result<Appended, AppendError> {
        let staged = self
            .log
            .stage_tombstone(&project, received, &executions)
            .map_err(|error| append_error(&error))?;
        for execution in &executions {
            let key = (project.clone(), execution.clone());
            self.alive.remove(&key);
            self.deleted.insert(key.clone(), staged.first_seq);
            provisional.push(key);
        }
        let next_seq = self.log.next_seq();
        durable.push(DurableRecord::Tombstone { end: staged.end, next_seq, project, executions });
        Ok(Appended { results: Vec::new(), last_seq: self.last_seq() })
    }

    fn learn_producers(&mut self, project: &Project, events: &[Incoming]) -> Result<(), StoredError> {
        for Incoming { event, .. } in events {
            if let (Some(producer), Some(_)) = (&event.producer, event.producer_seq)
                && !self.dedupe.knows(project, producer)
            {
                let taken = self.stored.producer(project, producer)?;
                self.dedupe.learn(project, producer, taken);
            }
        }
        Ok(())
    }

    fn deleted_executions(
        &mut self,
        project: &Project,
        events: &[Incoming],
    ) -> Result<HashSet<ExecutionId>, StoredError> {
        let mut deleted = HashSet::new();
        let mut last = None;
        for Incoming { event, .. } in events {
            let Some(execution) = &event.execution_id else { continue };
            if last == Some(execution) {
                continue;
            }
            last = Some(execution);
            let key = (project.clone(), execution.clone());
            if self.alive.contains(&key) {
                continue;
            }
            if self.deleted.contains_key(&key) || self.stored.is_deleted(project, execution)? {
                deleted.insert(execution.clone());
                continue;
            }
            if self.alive.len() >= KNOWN_ALIVE {
                self.alive.clear();
            }
            self.alive.insert(key);
        }
        Ok(deleted)
    }
}

impl Group {
    fn refused(answers: usize, error: &LogError) -> Self {
        let error = append_error(error);
        Self { answers: vec![Err(error); answers], durable: Vec::new() }
    }
}

fn append_error(error: &LogError) -> AppendError {
    match error {
        LogError::DiskFull => AppendError::DiskFull,
        error => AppendError::Unwritable(error.to_string()),
    }
}
