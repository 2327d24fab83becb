//! Connections that only read.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use graflow_model::{ExecutionId, ProducerId, Project, Seq, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::error::{Result, TableError, signed, unsigned};
use super::event_index::{EventChunk, EventPlace};
use super::names::find_project;
use crate::dedupe::{IdHash, RecentIds, SeqIntervals, WINDOW_EVENTS};
use crate::log::{Checkpoint, Position, SegmentName};

/// Connections that wait for the next reader; more are opened on demand and closed after use.
const IDLE: usize = 4;

/// A pool of connections that only read.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    /// Nobody writes: SQLite need not look, and puts no files beside the database.
    immutable: bool,
    idle: Mutex<Vec<Connection>>,
}

/// A connection on loan: everything read through it is of one moment. It goes back to the pool when dropped.
#[derive(Debug)]
pub(crate) struct ReadConnection<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

/// The places of one chunk, and the segment they are in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StoredChunk {
    pub(crate) segment: SegmentName,
    pub(crate) places: Vec<EventPlace>,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), immutable: false, idle: Mutex::default() }
    }

    /// Readers of a database that nobody writes while they are open.
    pub(crate) fn immutable(path: &Path) -> Self {
        Self { immutable: true, ..Self::new(path) }
    }

    pub(crate) fn take(&self) -> Result<ReadConnection<'_>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        connection.execute_batch("BEGIN")?;
        Ok(ReadConnection { readers: self, connection: Some(connection) })
    }

    fn open(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = if self.immutable {
            let uri = format!("file:{}?immutable=1", uri_path(&self.path));
            Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
        } else {
            Connection::open_with_flags(&self.path, flags)?
        };
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }
}

impl std::ops::Deref for ReadConnection<'_> {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a loan has its connection until it is dropped")
    }
}

impl Drop for ReadConnection<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE && connection.execute_batch("ROLLBACK").is_ok() {
            idle.push(connection);
        }
    }
}

/// A path as it stands in a URI.
fn uri_path(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                text.push(char::from(*byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(text, "%{byte:02x}")),
        }
    }
    text
}

/// How far the log was taken in; `None` if nothing ever was.
pub(crate) fn applied(connection: &Connection) -> Result<Option<Checkpoint>> {
    let found = connection
        .prepare_cached("SELECT segment, position, next_seq FROM applied")?
        .query_row((), |row| {
            let segment = SegmentName(Seq(unsigned(row.get(0)?)));
            let position = Position { segment, offset: unsigned(row.get(1)?) };
            Ok(Checkpoint { position, next_seq: Seq(unsigned(row.get(2)?)) })
        })
        .optional()?;
    Ok(found)
}

pub(crate) fn find_execution(
    connection: &Connection,
    project: i64,
    execution: &ExecutionId,
) -> Result<Option<i64>> {
    Ok(connection
        .prepare_cached("SELECT id FROM execution WHERE project = ? AND execution_id = ?")?
        .query_row((project, execution.as_str()), |row| row.get(0))
        .optional()?)
}

/// The numbers taken from a producer.
pub(crate) fn producer(
    connection: &Connection,
    project: &Project,
    producer: &ProducerId,
) -> Result<SeqIntervals> {
    let Some(project) = find_project(connection, project)? else { return Ok(SeqIntervals::default()) };
    let taken: Option<Vec<u8>> = connection
        .prepare_cached("SELECT taken FROM producer WHERE project = ? AND name = ?")?
        .query_row((project, producer.as_str()), |row| row.get(0))
        .optional()?;
    taken.map_or_else(
        || Ok(SeqIntervals::default()),
        |taken| SeqIntervals::decode(&taken).map_err(|_| TableError::bad_row("producer", "taken", producer)),
    )
}

/// Whether an execution was deleted.
pub(crate) fn is_deleted(
    connection: &Connection,
    project: &Project,
    execution: &ExecutionId,
) -> Result<bool> {
    let Some(project) = find_project(connection, project)? else { return Ok(false) };
    Ok(connection
        .prepare_cached("SELECT 1 FROM deleted WHERE project = ? AND execution_id = ?")?
        .exists((project, execution.as_str()))?)
}

/// The ids of recent events that came without a number.
pub(crate) fn recent_ids(connection: &Connection, now: Timestamp) -> Result<RecentIds> {
    let mut statement = connection
        .prepare("SELECT first_seq, received, hashes FROM recent_event_ids ORDER BY first_seq DESC")?;
    let mut rows = statement.query(())?;
    let mut newest_first = Vec::new();
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let hashes: Vec<u8> = row.get(2)?;
        let (ids, rest) = hashes.as_chunks::<16>();
        if !rest.is_empty() {
            return Err(TableError::bad_row("recent_event_ids", "hashes", row.get::<_, i64>(0)?));
        }
        count += ids.len();
        newest_first.push((Timestamp::from_micros(row.get(1)?), hashes));
        if count >= WINDOW_EVENTS {
            break;
        }
    }
    let mut recent = RecentIds::default();
    for (received, hashes) in newest_first.into_iter().rev() {
        for id in hashes.as_chunks::<16>().0 {
            recent.insert(IdHash(u128::from_le_bytes(*id)), received.min(now));
        }
    }
    Ok(recent)
}

/// Where an execution's events stand, by number, chunk by chunk, as far as they lie in a range of numbers.
pub(crate) fn event_chunks(
    connection: &Connection,
    project: &Project,
    execution: &ExecutionId,
    range: std::ops::RangeInclusive<Seq>,
) -> Result<Vec<StoredChunk>> {
    let Some(project) = find_project(connection, project)? else { return Ok(Vec::new()) };
    let Some(number) = find_execution(connection, project, execution)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT first_seq, segment, events FROM event_chunk
         WHERE execution = ? AND first_seq <= ? AND last_seq >= ? ORDER BY first_seq",
    )?;
    let mut rows = statement.query((number, signed(range.end().0), signed(range.start().0)))?;
    let mut chunks = Vec::new();
    while let Some(row) = rows.next()? {
        let first: i64 = row.get(0)?;
        let bytes =
            row.get_ref(2)?.as_blob().map_err(|_| TableError::bad_row("event_chunk", "events", first))?;
        let mut places = EventChunk::decode(Seq(unsigned(first)), bytes)
            .ok_or_else(|| TableError::bad_row("event_chunk", "events", first))?;
        places.retain(|place| range.contains(&place.seq));
        chunks.push(StoredChunk { segment: SegmentName(Seq(unsigned(row.get(1)?))), places });
    }
    Ok(chunks)
}
