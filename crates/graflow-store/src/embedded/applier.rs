//! Takes durable records into the tables: folds them, and writes what changed in large transactions.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use graflow_lineage::materialise::{Delta, ExecutionChange, Materialiser, Observer};
use graflow_lineage::store::StoredEvent;
use graflow_model::{ExecutionId, ProducerId, Project, Seq, Timestamp};

use super::events;
use crate::append::DurableRecord;
use crate::dedupe::{IdHash, SeqIntervals};
use crate::log::{Checkpoint, LogReader, Position, SegmentName};
use crate::sqlite::{self, EventChunk, EventPlace, TableError, Tables};

/// Producers whose numbers are kept in memory between transactions.
const KEPT_PRODUCERS: usize = 8192;

/// Transactions between two looks for ids that nobody asks for any more.
const TRANSACTIONS_BETWEEN_CLEANINGS: u32 = 512;

/// The state machine behind the tables' thread: [`take`](Self::take) records, then [`flush`](Self::flush).
#[derive(Debug)]
pub(crate) struct Applier {
    tables: Tables,
    materialiser: Materialiser<Watching>,
    log: LogReader,
    producers: HashMap<(Project, ProducerId), Producer>,
    pending: Pending,
    transactions: u32,
}

/// Whoever watches.
pub(crate) struct Watching(pub(crate) Arc<dyn Observer>);

#[derive(Debug)]
struct Producer {
    taken: SeqIntervals,
    /// The newest event of it that is not stored yet.
    pending: Option<Seq>,
}

/// What a transaction will write. Kept until one succeeds.
#[derive(Debug, Default)]
struct Pending {
    events: usize,
    chunks: HashMap<(Project, ExecutionId), Vec<(SegmentName, EventChunk)>>,
    changes: Vec<ExecutionChange>,
    ids: Vec<IdHash>,
    ids_from: Option<Seq>,
    newest: Timestamp,
    deleted: Vec<(Project, ExecutionId, Timestamp)>,
    applied: Option<Checkpoint>,
}

impl Applier {
    pub(crate) fn new(tables: Tables, materialiser: Materialiser<Watching>, log: LogReader) -> Self {
        let (producers, pending) = (HashMap::new(), Pending::default());
        Self { tables, materialiser, log, producers, pending, transactions: 0 }
    }

    /// Events taken since the last flush.
    pub(crate) fn pending_events(&self) -> usize {
        self.pending.events
    }

    /// Whether the record has to stand alone: what was taken before it must be flushed first, and it itself before
    /// the next one is taken.
    pub(crate) fn stands_alone(record: &DurableRecord) -> bool {
        matches!(record, DurableRecord::Tombstone { .. } | DurableRecord::Tidy { .. })
    }

    /// Takes a record in, in the order of the log.
    pub(crate) fn take(&mut self, record: DurableRecord) -> Result<(), TableError> {
        match record {
            DurableRecord::Events { position, end, next_seq, events } => {
                self.pending.events += events.len();
                for event in events {
                    self.take_event(position, event)?;
                }
                self.pending.applied = Some(Checkpoint { position: end, next_seq });
            }
            DurableRecord::Tidy { now, first_segment } => {
                if let Err(error) = self.tables.tidy(now, first_segment) {
                    // The next one comes soon.
                    tracing::warn!("the tables could not be tidied: {error}");
                }
                if self.producers.len() > KEPT_PRODUCERS {
                    self.producers.clear();
                }
            }
            DurableRecord::Tombstone { end, next_seq, received, project, executions } => {
                for execution in executions {
                    self.materialiser.remove(&project, &execution);
                    self.pending.deleted.push((project.clone(), execution, received));
                }
                self.pending.applied = Some(Checkpoint { position: end, next_seq });
            }
        }
        Ok(())
    }

    /// A record of a kind that this release does not know was passed over.
    pub(crate) fn pass(&mut self, end: Position, next_seq: Seq) {
        self.pending.applied = Some(Checkpoint { position: end, next_seq });
    }

    fn take_event(&mut self, position: Position, stored: StoredEvent) -> Result<(), TableError> {
        self.note_taken(&stored)?;
        self.pending.newest = self.pending.newest.max(stored.received);
        let (seq, code) = (stored.seq, sqlite::event_type_code(&stored.event.event_type));
        if let Some(execution) = &stored.event.execution_id {
            let key = (stored.project.clone(), execution.clone());
            let chunks = match self.pending.chunks.entry(key) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let (project, execution) = entry.key();
                    if sqlite::is_deleted(self.tables.connection(), project, execution)? {
                        return Ok(());
                    }
                    entry.insert(Vec::new())
                }
            };
            if chunks.last().is_none_or(|(segment, _)| *segment != position.segment) {
                chunks.push((position.segment, EventChunk::default()));
            }
            if let Some((_, chunk)) = chunks.last_mut() {
                chunk.push(EventPlace { seq, offset: position.offset, event_type: code });
            }
        }
        let Self { tables, materialiser, log, .. } = self;
        let earlier = |project: &Project, execution: &ExecutionId| {
            events::all_events(tables.connection(), log, project, execution)
        };
        if let Err(error) = materialiser.apply(stored, earlier) {
            // The rest of the server is not to stand still for one execution whose past cannot be read.
            tracing::error!(%seq, "an event was kept but not folded, because earlier events of its execution cannot be read: {error}");
        }
        Ok(())
    }

    fn note_taken(&mut self, stored: &StoredEvent) -> Result<(), TableError> {
        let event = &stored.event;
        let Some((producer, producer_seq)) = event.producer.as_ref().zip(event.producer_seq) else {
            self.pending.ids.push(IdHash::of(&stored.project, &event.event_id));
            self.pending.ids_from.get_or_insert(stored.seq);
            return Ok(());
        };
        let key = (stored.project.clone(), producer.clone());
        let known = match self.producers.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let taken = sqlite::producer(self.tables.connection(), &stored.project, producer)?;
                entry.insert(Producer { taken, pending: None })
            }
        };
        known.taken.insert(producer_seq);
        known.pending = Some(stored.seq);
        Ok(())
    }

    /// Writes what was taken, in one transaction. Gives the last number that reads can see now; `None` when there
    /// was nothing to write. After an error everything is still pending: flush again before taking more.
    pub(crate) fn flush(&mut self) -> Result<Option<Seq>, TableError> {
        self.pending.changes.extend(self.materialiser.take_changes());
        let Some(applied) = self.pending.applied else { return Ok(None) };
        let clean = self.transactions.is_multiple_of(TRANSACTIONS_BETWEEN_CLEANINGS);
        let written = write(&mut self.tables, &self.pending, &self.producers, applied, clean);
        if let Err(error) = written {
            self.tables.forget();
            return Err(error);
        }
        self.transactions = self.transactions.wrapping_add(1);
        self.pending = Pending::default();
        self.materialiser.committed();
        if self.producers.len() > KEPT_PRODUCERS {
            self.producers.clear();
        }
        for producer in self.producers.values_mut() {
            producer.pending = None;
        }
        Ok(Some(Seq(applied.next_seq.0.saturating_sub(1))))
    }

    /// Leaves one file behind instead of three, which is quicker to open and to copy.
    pub(crate) fn close(self) -> Result<(), TableError> {
        self.tables.close()
    }
}

impl Observer for Watching {
    fn wants(&self, project: &Project, execution_id: &ExecutionId) -> bool {
        self.0.wants(project, execution_id)
    }
    fn publish(&self, delta: Delta) {
        self.0.publish(delta);
    }
}

impl std::fmt::Debug for Watching {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Watching")
    }
}

fn write(
    tables: &mut Tables,
    pending: &Pending,
    producers: &HashMap<(Project, ProducerId), Producer>,
    applied: Checkpoint,
    clean: bool,
) -> Result<(), TableError> {
    let mut writing = tables.begin()?;
    for change in &pending.changes {
        writing.put_change(change)?;
    }
    for ((project, execution), chunks) in &pending.chunks {
        writing.put_chunks(project, execution, chunks)?;
    }
    for ((project, name), producer) in producers {
        if let Some(last_seq) = producer.pending {
            writing.put_producer(project, name, &producer.taken, last_seq)?;
        }
    }
    if let Some(first_seq) = pending.ids_from {
        writing.put_recent_ids(first_seq, pending.newest, &pending.ids)?;
        if clean {
            writing.forget_old_ids(pending.newest)?;
        }
    }
    for (project, execution, received) in &pending.deleted {
        writing.delete_execution(project, execution, *received)?;
    }
    writing.commit(applied)
}
