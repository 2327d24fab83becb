//! Keeps a folder within its limits: deletes what goes first, and gives the room back. One small step at a time, on a
//! thread of its own; what comes in goes on meanwhile.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use graflow_lineage::retention::{ABANDONED_AFTER, DELETION_REMEMBERED, RetentionLimits, RetentionStatus};
use graflow_lineage::store::StoreError;
use graflow_model::{Clock, ExecutionId, Project, Seq, Timestamp};
use rusqlite::Connection;
use serde::Deserialize;

use super::events::log_error;
use super::open::IsLost;
use super::threads::Shared;
use crate::append::{DurableRecord, Work};
use crate::log::{LogError, LogReader, SegmentName, SegmentState, Wanted, Wish};
use crate::sqlite;

/// Executions deleted in one step, and the events of them that end a step early.
const DELETED_A_STEP: u64 = 200;
const EVENTS_A_STEP: u64 = 10_000;
/// A segment from which something was deleted is written again after this time, however little it was.
const ERASED_WITHIN_US: i64 = 3_600_000_000;
/// Between two looks at what changes slowly: the number of executions, the abandoned ones, leftover rows.
const SLOW_LOOK_US: i64 = 60_000_000;
/// So few executions are counted at each step.
const COUNTED_ALWAYS: u64 = 10_000;
/// The open segment is closed early only when it is worth a file.
const CLOSED_EARLY_BYTES: u64 = 1 << 20;
/// A deletion waits this long for its rows to be gone.
const DELETE_PATIENCE: Duration = Duration::from_mins(1);
/// Between two steps while there is more to do, and when there is not.
const BUSY: Duration = Duration::from_millis(5);
const IDLE: Duration = Duration::from_secs(1);
/// Instead of [`IDLE`] when the limit of bytes is near: much comes in within a second.
const WATCHFUL: Duration = Duration::from_millis(50);
/// After an error, which mostly comes again.
const AFTER_ERROR: Duration = Duration::from_secs(30);

/// Keeps one folder within its limits.
pub(crate) struct Retention {
    pub(super) shared: Arc<Shared>,
    pub(super) log: LogReader,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) database: PathBuf,
    pub(super) limits: RetentionLimits,
    pub(super) is_lost: IsLost,
    pub(super) memory: Mutex<Memory>,
}

/// What was seen before, so that a step need not look at everything.
#[derive(Debug, Default)]
pub(super) struct Memory {
    segments: BTreeMap<SegmentName, Seen>,
    executions: u64,
    bytes: u64,
    deleted: u64,
    slow_look_us: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    state: SegmentState,
    /// How many of its events were asked for when it was written last by this process.
    settled: Option<u64>,
    /// Since when it is known that something in it was deleted.
    dead_since_us: Option<i64>,
}

impl Retention {
    /// Works until the other end of `stop` is dropped. While it deletes and the folder grows nonetheless, appends are
    /// answered "overloaded"; when there is nothing it may delete, they are not.
    pub(super) fn run(&self, stop: &Receiver<()>) {
        let mut told = false;
        loop {
            let outcome = self.step();
            let has_more = matches!(outcome, Ok(true));
            self.shared.is_outgrown.store(has_more && self.is_above(21, 20), Ordering::Relaxed);
            let wait = match &outcome {
                Ok(true) => BUSY,
                Ok(false) if self.is_above(9, 10) => WATCHFUL,
                Ok(false) => IDLE,
                Err(error) => {
                    if !told {
                        tracing::warn!("retention could not go on, it is tried again: {error}");
                    }
                    AFTER_ERROR
                }
            };
            told = outcome.is_err();
            if stop.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                self.shared.is_outgrown.store(false, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Whether the folder is larger than that part of its limit, as last looked at.
    fn is_above(&self, part: u64, of: u64) -> bool {
        self.limits.bytes.is_some_and(|limit| self.memory().bytes > limit / of * part)
    }

    /// How much is kept, as last looked at.
    pub(super) fn status(&self) -> RetentionStatus {
        let memory = self.memory();
        let Memory { executions, bytes, deleted, .. } = *memory;
        RetentionStatus { limits: self.limits, executions, bytes, deleted }
    }

    /// One step: writes one segment again or removes it, else deletes some executions. Says whether there may be more to
    /// do at once.
    pub(super) fn step(&self) -> Result<bool, StoreError> {
        let now_us = self.clock.mono_us();
        let slow_look =
            self.memory().slow_look_us.is_none_or(|last| now_us.saturating_sub(last) >= SLOW_LOOK_US);
        let free = sqlite::free_bytes(&*self.shared.readers.take()?)?;
        if slow_look || free > CLOSED_EARLY_BYTES {
            self.tidy();
        }
        if slow_look {
            let executions = sqlite::execution_count(&*self.shared.readers.take()?)?;
            let mut memory = self.memory();
            (memory.executions, memory.slow_look_us) = (executions, Some(now_us));
        }
        let bytes = self.bytes()?;
        self.memory().bytes = bytes;
        let is_tight = self.limits.bytes.is_some_and(|limit| bytes > limit);
        if self.reclaim(is_tight, now_us)? {
            return Ok(true);
        }
        let going = self.going(bytes, slow_look)?;
        if going.is_empty() {
            return Ok(false);
        }
        self.delete(going)?;
        Ok(true)
    }

    /// Bytes of log and tables on disk. The write-ahead file comes and goes with what is written, so under a small limit
    /// it is no reason to delete much.
    fn bytes(&self) -> Result<u64, StoreError> {
        let log = self.log.bytes().map_err(|error| log_error(&error))?;
        // Not the length of the file, which gets shorter some time after its pages were given back.
        let tables = sqlite::used_bytes(&*self.shared.readers.take()?)?;
        let file = std::fs::metadata(&self.database).map_or(0, |file| file.len());
        let write_ahead = super::store::derived_bytes(&self.database).saturating_sub(file);
        Ok(log + tables + write_ahead.min(self.limits.bytes.map_or(u64::MAX, |limit| limit / 3)))
    }

    /// What goes next: too old, too many, too large, in this order.
    fn going(&self, bytes: u64, slow_look: bool) -> Result<Vec<(Project, ExecutionId)>, StoreError> {
        let connection = self.shared.readers.take()?;
        let now = self.clock.now();
        if let Some(before) = self.limits.ended_before(now) {
            let old = sqlite::oldest_ended(&connection, Some(before), DELETED_A_STEP)?;
            if !old.is_empty() {
                return Ok(bounded(&connection, old)?);
            }
        }
        if slow_look && let Some(age) = self.limits.age {
            let silent = i64::try_from(age.max(ABANDONED_AFTER).as_micros()).unwrap_or(i64::MAX);
            let before = Timestamp::from_micros(now.as_micros().saturating_sub(silent));
            let mut silent = sqlite::silent_since(&connection, before, DELETED_A_STEP)?;
            silent.retain(|(project, id)| (self.is_lost)(project, id));
            if !silent.is_empty() {
                return Ok(bounded(&connection, silent)?);
            }
        }
        let mut executions = self.memory().executions;
        // Counting costs more the more there are, so far from the limit it is done now and then only.
        let may_be_too_many = self
            .limits
            .executions
            .is_some_and(|limit| limit <= COUNTED_ALWAYS || executions > limit / 10 * 9);
        if may_be_too_many || bytes > self.limits.bytes.unwrap_or(u64::MAX) {
            executions = sqlite::execution_count(&connection)?;
            self.memory().executions = executions;
        }
        let most = self.limits.too_many(executions, DELETED_A_STEP).max(self.limits.too_large(
            bytes,
            executions,
            DELETED_A_STEP,
        ));
        if most == 0 {
            return Ok(Vec::new());
        }
        let oldest = sqlite::oldest_ended(&connection, None, most)?;
        Ok(bounded(&connection, oldest)?)
    }

    /// Deletes as a person would, by a tombstone in the log, and waits until the rows are gone.
    fn delete(&self, executions: Vec<(Project, ExecutionId)>) -> Result<(), StoreError> {
        let mut by_project: BTreeMap<Project, Vec<ExecutionId>> = BTreeMap::new();
        for (project, id) in executions {
            by_project.entry(project).or_default().push(id);
        }
        for (project, executions) in by_project {
            let count = executions.len() as u64;
            let received = self.clock.now();
            let work = Work::Delete { project, received, executions };
            let appended = self.shared.push(work).wait()?;
            self.shared.progress.wait_for(appended.last_seq, DELETE_PATIENCE);
            let mut memory = self.memory();
            memory.deleted += count;
            memory.executions = memory.executions.saturating_sub(count);
        }
        Ok(())
    }

    /// Writes one segment again, or removes one; whether there was one.
    fn reclaim(&self, is_tight: bool, now_us: i64) -> Result<bool, StoreError> {
        let applied = self.shared.progress.get();
        let alive = sqlite::alive_events(&*self.shared.readers.take()?)?;
        let alive_in = |segment: &SegmentName| alive.get(segment).copied().unwrap_or(0);
        if self.close_open_segment(applied, &alive_in)? {
            return Ok(true);
        }
        let closed = self.log.closed_segments();
        let mut memory = self.memory();
        memory.segments.retain(|segment, _| closed.contains(segment));
        let ends = closed.iter().skip(1).copied().chain([self.log.end().segment]);
        for (segment, end) in closed.iter().zip(ends) {
            // What is not in the tables yet would look as if nobody asked for it.
            if end.0 > applied.next() {
                break;
            }
            let seen = if let Some(seen) = memory.segments.get(segment) {
                *seen
            } else {
                let state = self.log.segment_state(*segment).map_err(|error| log_error(&error))?;
                Seen { state, settled: None, dead_since_us: None }
            };
            let (next, todo) = seen.judge(alive_in(segment), is_tight, now_us, self.clock.now());
            memory.segments.insert(*segment, next);
            match todo {
                Todo::Nothing => {}
                Todo::Remove => {
                    memory.segments.remove(segment);
                    drop(memory);
                    self.log.remove_segment(*segment).map_err(|error| log_error(&error))?;
                    tracing::debug!(%segment, "removed a segment in which nothing was kept");
                    return Ok(true);
                }
                Todo::Write => {
                    drop(memory);
                    let state = self.seal(*segment)?;
                    let settled = Some(alive_in(segment));
                    self.memory().segments.insert(*segment, Seen { state, settled, dead_since_us: None });
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What was deleted from the open segment leaves with it.
    fn close_open_segment(
        &self,
        applied: Seq,
        alive_in: &dyn Fn(&SegmentName) -> u64,
    ) -> Result<bool, StoreError> {
        let open = self.log.end();
        let numbers = applied.0.saturating_sub(open.segment.0.0).saturating_add(1);
        let is_mostly_dead = alive_in(&open.segment).saturating_mul(2) < numbers;
        if open.offset < CLOSED_EARLY_BYTES || !is_mostly_dead || applied < self.log.last_seq() {
            return Ok(false);
        }
        self.shared.push(Work::CloseSegment).wait()?;
        Ok(true)
    }

    fn seal(&self, segment: SegmentName) -> Result<SegmentState, StoreError> {
        let connection = self.shared.readers.take()?;
        let now = self.clock.now();
        let mut asked = Asked { connection: &connection, known: HashMap::new(), now, failed: None };
        let sealed = self.log.seal(segment, &mut asked);
        if let Some(error) = asked.failed {
            return Err(error.into());
        }
        match sealed {
            Ok(state) => Ok(state),
            Err(LogError::DiskFull) => Err(graflow_lineage::store::AppendError::DiskFull.into()),
            Err(error) => Err(log_error(&error)),
        }
    }

    fn tidy(&self) {
        let Some(first) = self.log.start() else { return };
        let (now, first_segment) = (self.clock.now(), first.segment);
        // When the store is being closed there is nothing to tidy any more.
        let _ = self.shared.durable.push(DurableRecord::Tidy { now, first_segment });
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Retention {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Retention").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What to do with a closed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Todo {
    Nothing,
    Write,
    Remove,
}

impl Seen {
    fn judge(mut self, alive: u64, is_tight: bool, now_us: i64, now: Timestamp) -> (Self, Todo) {
        let Some(sealed) = self.state.sealed else { return (self, Todo::Write) };
        if sealed.kept == 0 && sealed.tombstone.is_none_or(|newest| !is_remembered(newest, now)) {
            return (self, Todo::Remove);
        }
        let dead = sealed.kept.saturating_sub(alive);
        // Events that no row speaks of stay: they are told apart from deleted ones by writing the segment once.
        if dead == 0 || self.settled.is_some_and(|settled| alive >= settled) {
            self.dead_since_us = None;
            return (self, Todo::Nothing);
        }
        let since = *self.dead_since_us.get_or_insert(now_us);
        let most_dead = if is_tight { sealed.kept / 10 } else { sealed.kept / 2 };
        let is_due = dead > most_dead || now_us.saturating_sub(since) >= ERASED_WITHIN_US;
        (self, if is_due { Todo::Write } else { Todo::Nothing })
    }
}

fn is_remembered(deleted: Timestamp, now: Timestamp) -> bool {
    now.micros_since(deleted) <= i64::try_from(DELETION_REMEMBERED.as_micros()).unwrap_or(i64::MAX)
}

/// As many of the first as one step deletes.
fn bounded(
    connection: &Connection,
    mut executions: Vec<(Project, ExecutionId)>,
) -> Result<Vec<(Project, ExecutionId)>, sqlite::TableError> {
    let mut events = 0;
    for (at, (project, id)) in executions.iter().enumerate() {
        events += sqlite::count_of(connection, project, id)?.events;
        if events >= EVENTS_A_STEP {
            executions.truncate(at + 1);
            break;
        }
    }
    Ok(executions)
}

/// Says of events whether their execution was deleted.
struct Asked<'a> {
    connection: &'a Connection,
    known: HashMap<(String, String), bool>,
    now: Timestamp,
    /// Why the tables could not say it; then everything is kept, and the segment stays as it is.
    failed: Option<sqlite::TableError>,
}

#[derive(Deserialize)]
struct Belongs<'a> {
    #[serde(borrow, default)]
    execution_id: Option<Cow<'a, str>>,
}

impl Asked<'_> {
    fn is_deleted(&mut self, project: &str, execution: &str) -> bool {
        let key = (project.to_owned(), execution.to_owned());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let asked = sqlite::is_deleted(self.connection, &project.into(), &execution.into());
        let deleted = asked.unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            false
        });
        self.known.insert(key, deleted);
        deleted
    }
}

impl Wanted for Asked<'_> {
    fn event(&mut self, project: &str, json: &[u8]) -> Wish {
        match serde_json::from_slice::<Belongs<'_>>(json) {
            Ok(Belongs { execution_id: Some(execution) }) => {
                if self.is_deleted(project, &execution) {
                    Wish::Erase
                } else {
                    Wish::Keep
                }
            }
            Ok(Belongs { execution_id: None }) => Wish::Indifferent,
            // It is not for retention to judge it.
            Err(_) => Wish::Keep,
        }
    }

    fn tombstone(&mut self, received: Timestamp) -> bool {
        is_remembered(received, self.now)
    }
}
