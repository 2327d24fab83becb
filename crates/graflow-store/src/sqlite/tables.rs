//! The one connection that writes.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use graflow_lineage::materialise::ExecutionChange;
use graflow_model::row::{ExecutionRow, TaskExecutionRow};
use graflow_model::{ExecutionId, ProducerId, Project, Seq, TaskExecutionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::MigrateError;
use super::error::{Result, TableError, signed, unsigned};
use super::event_index::EventChunk;
use super::names::Names;
use super::readers::find_execution;
use super::row::{ORDINAL_BITS, put_execution, put_task_execution};
use crate::dedupe::{IdHash, SeqIntervals, WINDOW_EVENTS, WINDOW_MICROS};
use crate::log::{Checkpoint, SegmentName};

/// The tables, for writing.
#[derive(Debug)]
pub(crate) struct Tables {
    connection: Connection,
    names: Names,
    ordinals: TaskOrdinals,
    /// Up to which number names were looked at, whether anything still has them.
    names_tidied: i64,
}

/// Which ordinal each task execution of the executions in hand has. Kept beside the tables because nearly every
/// write needs it; read back from them when it is not there.
#[derive(Debug, Default)]
pub(crate) struct TaskOrdinals {
    executions: HashMap<i64, Ordinals>,
    weight: usize,
}

#[derive(Debug, Default)]
struct Ordinals {
    workflow: i64,
    labels: u64,
    by_id: HashMap<TaskExecutionId, u32>,
}

/// Task executions whose ordinals are kept; forgotten all at once when there are more.
const KEPT_ORDINALS: usize = 200_000;

/// A transaction. Dropping it undoes everything in it.
#[derive(Debug)]
pub(crate) struct Writing<'a> {
    transaction: Transaction<'a>,
    names: &'a mut Names,
    ordinals: &'a mut TaskOrdinals,
    /// By how much the events that somebody may ask for become more or fewer, by segment.
    alive: BTreeMap<SegmentName, i64>,
}

/// How much a deletion took away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Removed {
    pub(crate) task_executions: u64,
    pub(crate) events: u64,
}

impl Tables {
    /// Opens or creates the database and brings it to the schema of this release.
    pub(crate) fn open(path: &Path, now: Timestamp) -> Result<Self, MigrateError> {
        let failed = |source| MigrateError::Sqlite { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
        super::migrate::migrate(&mut connection, path, now)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000;
                 PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;",
            )
            .map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        let (names, ordinals) = (Names::default(), TaskOrdinals::default());
        Ok(Self { connection, names, ordinals, names_tidied: 0 })
    }

    /// How far the log was taken in; `None` if nothing ever was.
    pub(crate) fn applied(&self) -> Result<Option<Checkpoint>> {
        super::readers::applied(&self.connection)
    }

    /// For reading what this connection wrote.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self) -> Result<Writing<'_>> {
        let Self { connection, names, ordinals, .. } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        Ok(Writing { transaction, names, ordinals, alive: BTreeMap::new() })
    }

    /// Folds the write-ahead file into the database.
    pub(crate) fn close(self) -> Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| error.into())
    }

    pub(super) fn names_tidied_up_to(&self) -> i64 {
        self.names_tidied
    }

    pub(super) fn set_names_tidied_up_to(&mut self, number: i64) {
        self.names_tidied = number;
    }

    /// After a transaction that failed: what was learnt in it may never have been.
    pub(crate) fn forget(&mut self) {
        self.names.clear();
        self.ordinals = TaskOrdinals::default();
    }
}

impl Writing<'_> {
    /// Writes the rows of an execution, and where its newest events stand.
    pub(crate) fn put_change(&mut self, change: &ExecutionChange) -> Result<()> {
        let ExecutionChange { project, execution, task_executions } = change;
        let project = self.names.project(&self.transaction, project)?;
        let workflow = self.names.workflow(&self.transaction, project, &execution.workflow_name)?;
        let known = find_execution(&self.transaction, project, &execution.execution_id)?;
        let number = put_execution(&self.transaction, project, workflow, known, execution)?;
        self.load_ordinals(number, known.is_some(), workflow)?;
        self.put_labels(project, number, known.is_some(), execution)?;
        self.put_task_executions(project, workflow, number, execution.start_time, task_executions)
    }

    /// Writes where the newest events of an execution stand. An execution without a row has none.
    pub(crate) fn put_chunks(
        &mut self,
        project: &Project,
        execution: &ExecutionId,
        chunks: &[(SegmentName, EventChunk)],
    ) -> Result<()> {
        let project = self.names.project(&self.transaction, project)?;
        let Some(number) = find_execution(&self.transaction, project, execution)? else { return Ok(()) };
        for (segment, chunk) in chunks {
            self.put_chunk(number, *segment, chunk)?;
            *self.alive.entry(*segment).or_default() += signed(chunk.count());
        }
        Ok(())
    }

    fn load_ordinals(&mut self, execution: i64, known: bool, workflow: i64) -> Result<()> {
        if self.ordinals.executions.contains_key(&execution) {
            return Ok(());
        }
        let mut ordinals = Ordinals { workflow, ..Ordinals::default() };
        if known {
            let (first, last) = number_range(execution);
            let mut statement = self.transaction.prepare_cached(
                "SELECT id, task_execution_id FROM task_execution WHERE id BETWEEN ? AND ?",
            )?;
            let mut rows = statement.query((first, last))?;
            while let Some(row) = rows.next()? {
                let id: String = row.get(1)?;
                let ordinal = u32::try_from(row.get::<_, i64>(0)? - first)
                    .map_err(|_| TableError::bad_row("task_execution", "id", &id))?;
                ordinals.by_id.insert(id.into(), ordinal);
            }
            ordinals.workflow = self.workflow_of_rows(execution)?.unwrap_or(workflow);
        }
        self.ordinals.weight += ordinals.by_id.len();
        self.ordinals.executions.insert(execution, ordinals);
        Ok(())
    }

    fn workflow_of_rows(&self, execution: i64) -> Result<Option<i64>> {
        let (first, last) = number_range(execution);
        let sql = "SELECT t.workflow FROM task_execution AS te JOIN task AS t ON t.id = te.task
                   WHERE te.id BETWEEN ? AND ? LIMIT 1";
        Ok(self.transaction.prepare_cached(sql)?.query_row((first, last), |row| row.get(0)).optional()?)
    }

    fn put_task_executions(
        &mut self,
        project: i64,
        workflow: i64,
        execution: i64,
        execution_start: Timestamp,
        rows: &[TaskExecutionRow],
    ) -> Result<()> {
        let ordinals = self.ordinals.executions.entry(execution).or_default();
        if ordinals.workflow != workflow {
            // An event said the workflow's name only now: the rows written before belong to it too.
            move_to_workflow(&self.transaction, self.names, project, execution, workflow)?;
            ordinals.workflow = workflow;
        }
        let mut rows: Vec<_> = rows.iter().collect();
        rows.sort_by(|a, b| {
            let first_heard = |row: &TaskExecutionRow| row.queued_time.or(row.start_time).or(row.end_time);
            first_heard(a).cmp(&first_heard(b)).then_with(|| a.task_execution_id.cmp(&b.task_execution_id))
        });
        let (first, last) = number_range(execution);
        for row in rows {
            let next = u32::try_from(ordinals.by_id.len()).unwrap_or(u32::MAX);
            let ordinal = *ordinals.by_id.entry(row.task_execution_id.clone()).or_insert_with(|| {
                self.ordinals.weight += 1;
                next
            });
            let number = first + i64::from(ordinal);
            if number > last {
                tracing::error!(task_execution = %row.task_execution_id, "more than 16 million task executions in one run: left out of the tables");
                continue;
            }
            let task = self.names.task(&self.transaction, project, workflow, &row.task_id)?;
            put_task_execution(&self.transaction, number, task, execution_start, row)?;
        }
        Ok(())
    }

    /// Labels seldom change once they are there.
    fn put_labels(&mut self, project: i64, number: i64, known: bool, row: &ExecutionRow) -> Result<()> {
        let wanted = labels_hash(row);
        let Some(ordinals) = self.ordinals.executions.get_mut(&number) else { return Ok(()) };
        if ordinals.labels == wanted {
            return Ok(());
        }
        ordinals.labels = wanted;
        if known {
            self.transaction.prepare_cached("DELETE FROM label WHERE execution = ?")?.execute((number,))?;
        }
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR IGNORE INTO label (project, name, value, start_time, execution) VALUES (?, ?, ?, ?, ?)",
        )?;
        for (name, value) in &row.labels {
            statement.execute((project, name, value, row.start_time.as_micros(), number))?;
        }
        Ok(())
    }

    fn put_chunk(&self, execution: i64, segment: SegmentName, chunk: &EventChunk) -> Result<()> {
        let (first, last) = chunk.range();
        self.transaction
            .prepare_cached(
                "INSERT INTO event_chunk (execution, first_seq, last_seq, segment, count, events)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                execution,
                signed(first.0),
                signed(last.0),
                signed(segment.0.0),
                signed(chunk.count()),
                chunk.as_bytes(),
            ])?;
        Ok(())
    }

    /// Writes the numbers taken from a producer.
    pub(crate) fn put_producer(
        &mut self,
        project: &Project,
        producer: &ProducerId,
        taken: &SeqIntervals,
        last_seq: Seq,
    ) -> Result<()> {
        let project = self.names.project(&self.transaction, project)?;
        self.transaction
            .prepare_cached(
                "INSERT INTO producer (project, name, taken, last_seq) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (project, name) DO UPDATE SET taken = ?3, last_seq = ?4",
            )?
            .execute(params![project, producer.as_str(), taken.encode(), signed(last_seq.0)])?;
        Ok(())
    }

    /// Remembers the ids of events that came without a number.
    pub(crate) fn put_recent_ids(
        &mut self,
        first_seq: Seq,
        received: Timestamp,
        ids: &[IdHash],
    ) -> Result<()> {
        let hashes: Vec<u8> = ids.iter().flat_map(|id| id.0.to_le_bytes()).collect();
        self.transaction
            .prepare_cached("INSERT INTO recent_event_ids (first_seq, received, hashes) VALUES (?, ?, ?)")?
            .execute((signed(first_seq.0), received.as_micros(), hashes))?;
        Ok(())
    }

    /// Forgets the ids that nobody asks for any more. Reads all that are kept, so call it now and then.
    pub(crate) fn forget_old_ids(&mut self, now: Timestamp) -> Result<()> {
        let day_ago = now.as_micros().saturating_sub(WINDOW_MICROS);
        self.transaction.execute("DELETE FROM recent_event_ids WHERE received < ?", (day_ago,))?;
        self.transaction.execute(
            "DELETE FROM recent_event_ids WHERE first_seq < (
                 SELECT max(first_seq) FROM (
                     SELECT first_seq, sum(length(hashes) / 16) OVER (ORDER BY first_seq DESC) AS later
                     FROM recent_event_ids
                 ) WHERE later > ?
             )",
            (signed(WINDOW_EVENTS as u64),),
        )?;
        Ok(())
    }

    /// Deletes an execution and remembers that it was deleted.
    pub(crate) fn delete_execution(
        &mut self,
        project: &Project,
        execution: &ExecutionId,
        received: Timestamp,
    ) -> Result<()> {
        let project = self.names.project(&self.transaction, project)?;
        self.transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO deleted (project, execution_id, received) VALUES (?, ?, ?)",
            )?
            .execute((project, execution.as_str(), received.as_micros()))?;
        let Some(number) = find_execution(&self.transaction, project, execution)? else { return Ok(()) };
        {
            let sql = "SELECT segment, sum(count) FROM event_chunk WHERE execution = ? GROUP BY segment";
            let mut statement = self.transaction.prepare_cached(sql)?;
            let mut rows = statement.query((number,))?;
            while let Some(row) = rows.next()? {
                let segment = SegmentName(Seq(unsigned(row.get(0)?)));
                *self.alive.entry(segment).or_default() -= row.get::<_, i64>(1)?;
            }
        }
        if let Some(forgotten) = self.ordinals.executions.remove(&number) {
            self.ordinals.weight -= forgotten.by_id.len();
        }
        self.transaction
            .prepare_cached("DELETE FROM task_execution WHERE id BETWEEN ? AND ?")?
            .execute(number_range(number))?;
        for sql in [
            "DELETE FROM event_chunk WHERE execution = ?",
            "DELETE FROM label WHERE execution = ?",
            "DELETE FROM execution WHERE id = ?",
        ] {
            self.transaction.prepare_cached(sql)?.execute((number,))?;
        }
        Ok(())
    }

    /// Notes how far the log was taken in, and makes everything durable together.
    pub(crate) fn commit(self, applied: Checkpoint) -> Result<()> {
        for (segment, change) in self.alive.iter().filter(|(_, change)| **change != 0) {
            self.transaction
                .prepare_cached(
                    "INSERT INTO segment (first_seq, alive) VALUES (?1, max(?2, 0))
                     ON CONFLICT (first_seq) DO UPDATE SET alive = max(alive + ?2, 0)",
                )?
                .execute((signed(segment.0.0), change))?;
        }
        self.transaction
            .prepare_cached(
                "INSERT INTO applied (one, segment, position, next_seq) VALUES (1, ?1, ?2, ?3)
                 ON CONFLICT (one) DO UPDATE SET segment = ?1, position = ?2, next_seq = ?3",
            )?
            .execute((
                signed(applied.position.segment.0.0),
                signed(applied.position.offset),
                signed(applied.next_seq.0),
            ))?;
        self.transaction.commit()?;
        if self.ordinals.weight > KEPT_ORDINALS || self.ordinals.executions.len() > KEPT_ORDINALS {
            *self.ordinals = TaskOrdinals::default();
        }
        Ok(())
    }
}

/// The numbers that task executions of an execution may have.
pub(crate) fn number_range(execution: i64) -> (i64, i64) {
    let first = execution << ORDINAL_BITS;
    (first, first + (1 << ORDINAL_BITS) - 1)
}

fn move_to_workflow(
    connection: &Connection,
    names: &mut Names,
    project: i64,
    execution: i64,
    workflow: i64,
) -> Result<()> {
    let (first, last) = number_range(execution);
    let tasks: Vec<(i64, String)> = connection
        .prepare_cached(
            "SELECT DISTINCT t.id, t.name FROM task_execution AS te JOIN task AS t ON t.id = te.task
             WHERE te.id BETWEEN ? AND ?",
        )?
        .query_map((first, last), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (old, name) in tasks {
        let new = names.task(connection, project, workflow, &name.into())?;
        connection
            .prepare_cached("UPDATE task_execution SET task = ? WHERE id BETWEEN ? AND ? AND task = ?")?
            .execute((new, first, last, old))?;
    }
    Ok(())
}

/// Of what stands in the label table for an execution; 0 for no labels, as for one that is not known yet.
fn labels_hash(row: &ExecutionRow) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    if row.labels.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    (&row.labels, row.start_time).hash(&mut hasher);
    hasher.finish()
}
