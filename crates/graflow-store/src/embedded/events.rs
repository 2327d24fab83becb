//! Events of one execution, read from the log where the tables say that they stand.

use graflow_lineage::store::{EventQuery, Page, StoreError, StoredEvent};
use graflow_model::{Event, ExecutionId, Project, Seq};
use rusqlite::Connection;

use crate::log::{Entry, LogError, LogReader, Position, RawEvent, Record, Replay, SegmentName};
use crate::sqlite::{self, EventPlace, Place, Question};

/// Events that are read before it is looked how many of them pass the filter.
const STRIDE: usize = 256;

/// Every event of an execution that the tables know, by number.
pub(crate) fn all_events(
    connection: &Connection,
    log: &LogReader,
    project: &Project,
    execution: &ExecutionId,
) -> Result<Vec<StoredEvent>, StoreError> {
    let chunks = sqlite::event_chunks(connection, project, execution, Seq::ZERO..=Seq(u64::MAX))?;
    let places: Vec<_> = placed(chunks).collect();
    read_places(log, project, &places)
}

/// A page of an execution's events.
pub(crate) fn events(
    connection: &Connection,
    log: &LogReader,
    project: &Project,
    query: &EventQuery,
) -> Result<Page<StoredEvent>, StoreError> {
    let EventQuery {
        execution_id,
        types,
        task_execution_id,
        task_id,
        after,
        until,
        newest_first,
        limit,
        cursor,
    } = query;
    let filter = (execution_id, types, task_execution_id, task_id, after, until, newest_first);
    let question = Question::new(project, "events", &filter);
    let cursor = question.place(cursor.as_ref())?.map(|place| Seq(place.number.cast_unsigned()));
    let limit = (*limit).max(1);

    // `after` and the cursor exclude what they name, on the side from which the list comes.
    let before = |seq: Seq| Seq(seq.0.saturating_sub(1));
    let (mut first, mut last) = (Seq::ZERO, until.unwrap_or(Seq(u64::MAX)));
    for bound in [*after, cursor].into_iter().flatten() {
        if *newest_first {
            last = last.min(before(bound));
        } else {
            first = first.max(bound.next());
        }
    }
    if first > last {
        return Ok(Page { rows: Vec::new(), next: None });
    }
    let chunks = sqlite::event_chunks(connection, project, execution_id, first..=last)?;
    let mut places: Vec<_> = placed(chunks).filter(|(_, place)| sqlite::may_be_of(place, types)).collect();
    if *newest_first {
        places.reverse();
    }

    let wanted = |stored: &StoredEvent| {
        let event = &stored.event;
        (types.is_empty() || types.contains(&event.event_type))
            && task_execution_id.as_ref().is_none_or(|id| event.task_execution_id.as_ref() == Some(id))
            && task_id.as_ref().is_none_or(|id| event.task_id.as_ref() == Some(id))
    };
    let mut rows = Vec::new();
    let stride = if task_id.is_some() || task_execution_id.is_some() { STRIDE } else { limit + 1 };
    for places in places.chunks(stride) {
        rows.extend(read_places(log, project, places)?.into_iter().filter(wanted));
        if rows.len() > limit {
            break;
        }
    }
    Ok(sqlite::page(rows, limit, &question, |stored| Place {
        number: stored.seq.0.cast_signed(),
        text: String::new(),
    }))
}

/// Every event of a project after a number, in order. Events of deleted executions are left out.
pub(crate) fn replay(
    connection: &Connection,
    log: &LogReader,
    project: &Project,
    after: Seq,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut replay = log.replay_from(after.next()).map_err(|error| log_error(&error))?;
    let mut events = Vec::new();
    let mut last_checked = None;
    while events.len() < limit
        && let Some(entry) = replay.next().map_err(|error| log_error(&error))?
    {
        let Record::Batch(batch) = entry.record else { continue };
        if batch.project != project.as_str() {
            continue;
        }
        for (seq, raw) in (entry.head.first_seq.0..).map(Seq).zip(batch.events()) {
            if seq <= after || raw.is_erased() || events.len() >= limit {
                continue;
            }
            let stored = stored_event(project, &entry, seq, raw)?;
            if let Some(execution) = &stored.event.execution_id {
                let known =
                    last_checked.as_ref().filter(|(checked, _)| checked == execution).map(|(_, gone)| *gone);
                let gone = match known {
                    Some(gone) => gone,
                    None => sqlite::is_deleted(connection, project, execution)?,
                };
                last_checked = Some((execution.clone(), gone));
                if gone {
                    continue;
                }
            }
            events.push(stored);
        }
    }
    Ok(events)
}

/// A log that cannot be read, in the port's words.
pub(crate) fn log_error(error: &LogError) -> StoreError {
    match error {
        LogError::Io { .. } => StoreError::Unreadable(error.to_string().into()),
        error => StoreError::Damaged(error.to_string()),
    }
}

fn placed(chunks: Vec<sqlite::StoredChunk>) -> impl Iterator<Item = (SegmentName, EventPlace)> {
    chunks.into_iter().flat_map(|chunk| chunk.places.into_iter().map(move |place| (chunk.segment, place)))
}

/// Reads events in the order of their places. Neighbours mostly share a record, which is read once for all of them.
fn read_places(
    log: &LogReader,
    project: &Project,
    places: &[(SegmentName, EventPlace)],
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut events = Vec::with_capacity(places.len());
    let mut replay: Option<Replay> = None;
    for same_record in places.chunk_by(|(a, one), (b, other)| (a, one.offset) == (b, other.offset)) {
        let Some((segment, EventPlace { offset, .. })) = same_record.first() else { continue };
        let position = Position { segment: *segment, offset: *offset };
        let replay = replay.get_or_insert_with(|| log.replay(position));
        replay.seek(position);
        let entry = replay.next().map_err(|error| log_error(&error))?;
        let damaged = || {
            let what =
                format!("the tables name an event in `{segment}` at byte {offset}, where there is none");
            StoreError::Damaged(format!(
                "{what}\nhint: `graflow lineage rebuild` builds the tables again from the log"
            ))
        };
        let Some(entry) = entry.filter(|entry| entry.position == position) else { return Err(damaged()) };
        let Record::Batch(batch) = entry.record else { return Err(damaged()) };
        if batch.project != project.as_str() {
            return Err(damaged());
        }
        let raw: Vec<_> = batch.events().collect();
        for (_, place) in same_record {
            let index =
                place.seq.0.checked_sub(entry.head.first_seq.0).and_then(|at| usize::try_from(at).ok());
            let raw = index.and_then(|index| raw.get(index)).ok_or_else(damaged)?;
            events.push(stored_event(project, &entry, place.seq, *raw)?);
        }
    }
    Ok(events)
}

/// Reads one event of a record.
pub(crate) fn stored_event(
    project: &Project,
    entry: &Entry<'_>,
    seq: Seq,
    raw: RawEvent<'_>,
) -> Result<StoredEvent, StoreError> {
    let unreadable =
        |error: &dyn std::fmt::Display| StoreError::Damaged(format!("event {seq} cannot be read: {error}"));
    let json = str::from_utf8(raw.json).map_err(|error| unreadable(&error))?;
    let event = Event::from_json(raw.json).map_err(|error| unreadable(&error))?;
    Ok(StoredEvent { seq, project: project.clone(), received: entry.head.received, event, json: json.into() })
}
