//! Decides and writes groups of work: a state machine over the log's files, driven by one thread.

use std::collections::{HashMap, HashSet};

use graflow_lineage::store::{AppendError, Appended, Batch, EventResult, Incoming, StoredEvent};
use graflow_model::event::EventErrorCode;
use graflow_model::{EventError, ExecutionId, ProducerId, Project, Seq, Timestamp};

use crate::dedupe::{Dedupe, EventKey, MAX_INTERVALS, SeqIntervals, Verdict};
use crate::log::{LogError, LogWriter, Position, RawEvent, SegmentName};

/// Executions known to be alive; forgotten all at once when full, which costs a look into the tables each.
const KNOWN_ALIVE: usize = 65_536;

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
    Delete {
        project: Project,
        received: Timestamp,
        executions: Vec<ExecutionId>,
    },
    /// Goes on in a new segment, so that the last one can be written again without what was deleted.
    CloseSegment,
}

/// Something that is on disk now.
#[derive(Debug)]
pub(crate) enum DurableRecord {
    Events {
        position: Position,
        end: Position,
        next_seq: Seq,
        events: Vec<StoredEvent>,
    },
    Tombstone {
        end: Position,
        next_seq: Seq,
        received: Timestamp,
        project: Project,
        executions: Vec<ExecutionId>,
    },
    /// Nothing: the tables are to be tidied.
    Tidy {
        now: Timestamp,
        first_segment: SegmentName,
    },
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
        if group.iter().any(|work| matches!(work, Work::CloseSegment)) {
            self.log.close_segment();
        }
        if let Err(error) = self.log.begin(now) {
            return Group::refused(group.len(), &error);
        }
        let mut answers = Vec::with_capacity(group.len());
        let mut durable = Vec::with_capacity(group.len());
        let mut provisional_deletions = Vec::new();
        for work in group {
            answers.push(match work {
                Work::Append(batch) => self.stage_batch(batch, &mut durable),
                Work::CloseSegment => Ok(Appended { results: Vec::new(), last_seq: self.last_seq() }),
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
        self.learn_producers(&project, &events).map_err(|error| AppendError::Unwritable(error.0))?;
        let deleted =
            self.deleted_executions(&project, &events).map_err(|error| AppendError::Unwritable(error.0))?;

        let savepoint = self.dedupe.savepoint();
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
                    EventErrorCode::TooManyGaps,
                    format!("`producer_seq` leaves more than {MAX_INTERVALS} gaps; go on as a new `producer`"),
                ))),
            }
        }
        if !accepted.is_empty() {
            let raw = accepted.iter().map(|stored| RawEvent { json: stored.json.as_bytes(), facts: b"" });
            let staged = self.log.stage_batch(&project, received, raw).map_err(|error| {
                self.dedupe.roll_back_to(savepoint);
                append_error(&error)
            })?;
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
        durable.push(DurableRecord::Tombstone { end: staged.end, next_seq, received, project, executions });
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::rc::Rc;
    use std::sync::Arc;

    use graflow_model::Event;

    use super::*;
    use crate::dedupe::RecentIds;
    use crate::files::{Fault, SimulatedFiles};
    use crate::log::{self, LogOptions};

    const NOW: Timestamp = Timestamp::from_micros(1_763_900_000_000_000);

    /// What is stored, as far as a test says so.
    #[derive(Clone, Default)]
    struct Past(Rc<RefCell<PastFacts>>);

    #[derive(Default)]
    struct PastFacts {
        taken: SeqIntervals,
        deleted: HashSet<ExecutionId>,
        applied: Seq,
        unreadable: bool,
    }

    impl Stored for Past {
        fn producer(&self, _: &Project, _: &ProducerId) -> Result<SeqIntervals, StoredError> {
            let facts = self.0.borrow();
            if facts.unreadable { Err(StoredError("no".into())) } else { Ok(facts.taken.clone()) }
        }
        fn is_deleted(&self, _: &Project, execution: &ExecutionId) -> Result<bool, StoredError> {
            Ok(self.0.borrow().deleted.contains(execution))
        }
        fn applied(&self) -> Seq {
            self.0.borrow().applied
        }
    }

    fn committer(files: &SimulatedFiles, past: &Past) -> Committer<Past> {
        let log = log::open(Arc::new(files.clone()), LogOptions::default(), None, NOW).unwrap().0;
        Committer::new(log, Dedupe::new(RecentIds::default()), past.clone())
    }

    fn batch(execution: &str, numbers: std::ops::Range<u64>) -> Work {
        let events = numbers
            .map(|number| {
                let json = format!(
                    r#"{{"event_id":"{number}","type":"note","time":"2026-11-23T12:00:00Z","execution_id":"{execution}","producer":"p","producer_seq":{number}}}"#
                );
                Incoming { event: Event::from_json(json.as_bytes()).unwrap(), json: json.into() }
            })
            .collect();
        Work::Append(Batch { project: Project::default(), received: NOW, events })
    }

    fn delete(execution: &str) -> Work {
        Work::Delete { project: Project::default(), received: NOW, executions: vec![execution.into()] }
    }

    /// A letter for each event: Accepted, Duplicate, Invalid, Late; `!` for a refused batch.
    fn told(group: &Group) -> Vec<String> {
        let letter = |result: &EventResult| match result {
            EventResult::Accepted(_) => 'A',
            EventResult::Duplicate => 'D',
            EventResult::Invalid(_) => 'I',
            EventResult::Dropped => 'L',
        };
        let answer = |answer: &Result<Appended, AppendError>| match answer {
            Ok(appended) => appended.results.iter().map(letter).collect(),
            Err(_) => String::from("!"),
        };
        group.answers.iter().map(answer).collect()
    }

    #[test]
    fn a_group_is_written_with_one_sync_and_duplicates_in_it_are_found() {
        let files = SimulatedFiles::new();
        let mut committer = committer(&files, &Past::default());
        let before = files.syncs();
        let group = committer.step(vec![batch("x", 1..4), batch("x", 2..6), batch("x", 1..3)], NOW);
        assert_eq!(told(&group), ["AAA", "DDAA", "DD"]);
        assert_eq!((files.syncs() - before, group.durable.len()), (1, 2));
        let last_seqs: Vec<_> = group.answers.iter().flatten().map(|appended| appended.last_seq).collect();
        assert_eq!(last_seqs, [Seq(3), Seq(5), Seq(5)]);
    }

    #[test]
    fn what_did_not_reach_the_disk_is_new_when_it_is_sent_again() {
        let files = SimulatedFiles::new();
        let mut committer = committer(&files, &Past::default());
        committer.step(vec![batch("x", 1..2)], NOW);
        files.plan(Fault::Sync(io::ErrorKind::StorageFull));
        let full = committer.step(vec![batch("x", 1..4), batch("x", 2..3), delete("x")], NOW);
        assert_eq!(told(&full), ["!", "!", "!"], "a duplicate of what is not on disk is no duplicate");
        assert!(full.answers.iter().all(|answer| *answer == Err(AppendError::DiskFull)));
        assert!(full.durable.is_empty());
        let again = committer.step(vec![batch("x", 1..4)], NOW);
        assert_eq!(told(&again), ["DAA"]);
        let Some(DurableRecord::Events { events, .. }) = again.durable.first() else { panic!("{again:?}") };
        assert_eq!(events.iter().map(|stored| stored.seq).collect::<Vec<_>>(), [Seq(2), Seq(3)]);
    }

    #[test]
    fn one_batch_that_cannot_be_written_does_not_spoil_its_group() {
        let files = SimulatedFiles::new();
        let past = Past::default();
        let mut committer = committer(&files, &past);
        let Work::Append(mut huge) = batch("x", 1..3) else { panic!("a batch") };
        huge.project = Project::new("p".repeat(70_000));
        for expected in ["AA", "DD"] {
            let group = committer.step(vec![Work::Append(huge.clone()), batch("x", 1..3)], NOW);
            assert_eq!(told(&group), ["!", expected], "refused again, and no duplicate of what was refused");
        }

        past.0.borrow_mut().unreadable = true;
        let Work::Append(mut other) = batch("x", 1..3) else { panic!("a batch") };
        other.project = Project::new("q");
        let group = committer.step(vec![Work::Append(other), batch("x", 3..4)], NOW);
        assert_eq!(told(&group), ["!", "A"]);
    }

    #[test]
    fn events_of_deleted_executions_are_dropped_before_and_after_the_tables_know() {
        let files = SimulatedFiles::new();
        let past = Past::default();
        let mut committer = committer(&files, &past);
        let group =
            committer.step(vec![batch("x", 1..3), delete("x"), batch("x", 3..5), batch("y", 5..6)], NOW);
        assert_eq!(told(&group), ["AA", "", "LL", "A"]);
        past.0.borrow_mut().deleted.insert("x".into());
        past.0.borrow_mut().applied = Seq(100);
        assert_eq!(told(&committer.step(vec![batch("x", 3..5), batch("y", 6..7)], NOW)), ["LL", "A"]);
    }

    #[test]
    fn what_is_stored_of_a_producer_counts() {
        let past = Past::default();
        past.0.borrow_mut().taken = SeqIntervals::decode(&[1, 4]).unwrap();
        let mut committer = committer(&SimulatedFiles::new(), &past);
        assert_eq!(told(&committer.step(vec![batch("x", 3..8)], NOW)), ["DDDAA"]);
    }
}
