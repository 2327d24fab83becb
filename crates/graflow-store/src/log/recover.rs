//! Opens a log after whatever ended the last process.

use std::sync::Arc;

use graflow_model::frame::{FrameReader, Step};
use graflow_model::{Seq, Timestamp};

use super::error::LogError;
use super::reader::{Durable, LogReader, Shared};
use super::record;
use super::scan::{FrameScan, Scanned};
use super::seal;
use super::segment::{FORMAT, HEADER_BYTES, HEADER_LENGTH, Header, HeaderProblem, Position, SegmentName};
use super::writer::{LogOptions, LogWriter, create_segment};
use crate::files::{Files, StoredFile};

/// A place that is known to be sound, from an earlier run: recovery need not look in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Between two frames.
    pub position: Position,
    /// The lowest number that a record behind it may have.
    pub next_seq: Seq,
}

/// What opening a log found and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Bytes of an unfinished, never acknowledged write that were cut off.
    pub torn_bytes: u64,
    /// Frames read to find the end.
    pub frames_checked: u64,
}

/// Opens the log in `files`, creates it where there is none, and cuts off what a crash left unfinished.
///
/// Only the last segment is read, and only behind `checkpoint` if one is given. Nobody else may write to the log;
/// whoever owns the folder sees to that.
pub fn open(
    files: Arc<dyn Files>,
    options: LogOptions,
    checkpoint: Option<Checkpoint>,
    now: Timestamp,
) -> Result<(LogWriter, Recovery), LogError> {
    seal::remove_leftovers(&*files)?;
    let mut segments = list_segments(&*files)?;
    let mut recovery = Recovery::default();
    // A header is durable before the first frame behind it is written. So a last segment without a sound header
    // and without a frame was just being created when the process ended.
    while let Some(last) = segments.last().copied()
        && is_unborn(&*files, last)?
    {
        files.remove(&last.to_string()).map_err(LogError::io("remove", last))?;
        segments.pop();
    }
    let (file, end) = match (segments.last().copied(), checkpoint) {
        (Some(last), checkpoint) => recover_segment(&*files, last, checkpoint, &mut recovery)?,
        (None, Some(Checkpoint { position, .. })) => {
            return Err(LogError::Missing { segment: position.segment });
        }
        (None, None) => {
            let first = SegmentName(Seq(1));
            let file = create_segment(&*files, first, now)?;
            segments.push(first);
            (file, Durable { end: Position::start_of(first), next_seq: first.0 })
        }
    };
    if segments.last() != Some(&end.end.segment) {
        segments.push(end.end.segment);
    }
    let shared = Arc::new(Shared::new(segments, end));
    let reader = LogReader::new(files, shared);
    Ok((LogWriter::new(reader, file, options), recovery))
}

pub(crate) fn list_segments(files: &dyn Files) -> Result<Vec<SegmentName>, LogError> {
    let names = files.list().map_err(LogError::io("list", "the log's folder"))?;
    let mut segments: Vec<_> = names.iter().filter_map(|name| SegmentName::parse(name)).collect();
    segments.sort_unstable();
    Ok(segments)
}

/// Reads and checks a segment's header.
pub(crate) fn check_header(file: &dyn StoredFile, segment: SegmentName) -> Result<Header, LogError> {
    let damaged = |what: &str| LogError::Damaged { segment, offset: 0, what: what.to_owned() };
    match read_header(file, segment)? {
        Ok(header) if header.first_seq == segment.0 => Ok(header),
        Ok(header) => Err(damaged(&format!("its header belongs to segment {}", header.first_seq))),
        Err(HeaderProblem::Newer(found)) => {
            let release = super::sealed::release_of(file);
            Err(LogError::Newer { segment, release, found, known: FORMAT })
        }
        Err(HeaderProblem::Short) => Err(damaged("it is shorter than its header")),
        Err(HeaderProblem::Corrupt) => Err(damaged("its header is no header of a segment")),
    }
}

fn read_header(
    file: &dyn StoredFile,
    segment: SegmentName,
) -> Result<Result<Header, HeaderProblem>, LogError> {
    let mut bytes = [0; HEADER_LENGTH];
    let length = file.read_full_at(&mut bytes, 0).map_err(LogError::io("read", segment))?;
    Ok(Header::decode(&bytes[..length]))
}

fn is_unborn(files: &dyn Files, segment: SegmentName) -> Result<bool, LogError> {
    let file = files.open_read_only(&segment.to_string()).map_err(LogError::io("open", segment))?;
    let length = file.length().map_err(LogError::io("read the length of", segment))?;
    let unsound = matches!(read_header(&*file, segment)?, Err(HeaderProblem::Short | HeaderProblem::Corrupt));
    Ok(unsound && length <= HEADER_BYTES)
}

fn recover_segment(
    files: &dyn Files,
    segment: SegmentName,
    checkpoint: Option<Checkpoint>,
    recovery: &mut Recovery,
) -> Result<(Box<dyn StoredFile>, Durable), LogError> {
    let name = segment.to_string();
    let file = files.open(&name).map_err(LogError::io("open", segment))?;
    let header = check_header(&*file, segment)?;
    if super::sealed::is_sealed(&*file) {
        // A log that lost its open segment before anything was in it: it goes on in a new one.
        return follow_sealed(files, file, segment, checkpoint, header.created);
    }
    let length = file.length().map_err(LogError::io("read the length of", segment))?;
    let (from, mut next_seq) = match checkpoint {
        Some(Checkpoint { position, next_seq }) if position.segment == segment => {
            if position.offset > length {
                let what =
                    format!("it ends here, but events up to byte {} were recorded from it", position.offset);
                return Err(LogError::Damaged { segment, offset: length, what });
            }
            (position.offset, next_seq)
        }
        Some(Checkpoint { position, .. }) if position.segment > segment => {
            return Err(LogError::Missing { segment: position.segment });
        }
        _ => (HEADER_BYTES, segment.0),
    };

    let scanned = files.open_read_only(&name).map_err(LogError::io("open", segment))?;
    let mut scan = FrameScan::new(scanned, from, length);
    let end = loop {
        match scan.next().map_err(LogError::io("read", segment))? {
            Scanned::Frame { offset, end: _, payload } => {
                next_seq = check_record(segment, offset, payload, next_seq)?.next_seq();
                recovery.frames_checked += 1;
            }
            Scanned::End { offset } => break offset,
            Scanned::Torn { offset } | Scanned::Corrupt { offset } => {
                refuse_damage(files, segment, offset, length, next_seq)?;
                break offset;
            }
        }
    };
    if end < length {
        recovery.torn_bytes = length - end;
        file.set_length(end).map_err(LogError::io("cut the torn end of", segment))?;
    }
    // What the last process wrote and did not live to sync is readable, and counts from now on: a resend of it
    // will be called a duplicate. So it has to be as durable as the rest.
    file.sync().map_err(LogError::io("sync", segment))?;
    files.sync_directory().map_err(LogError::io("sync the folder of", segment))?;
    Ok((file, Durable { end: Position { segment, offset: end }, next_seq }))
}

/// Begins a segment behind a last one that is sealed.
fn follow_sealed(
    files: &dyn Files,
    file: Box<dyn StoredFile>,
    segment: SegmentName,
    checkpoint: Option<Checkpoint>,
    created: Timestamp,
) -> Result<(Box<dyn StoredFile>, Durable), LogError> {
    let (end, next_seq) = seal::end_of_sealed(file, segment)?;
    if let Some(Checkpoint { position, .. }) = checkpoint.filter(|checkpoint| checkpoint.position > end) {
        return Err(LogError::Missing { segment: position.segment });
    }
    let next = SegmentName(next_seq);
    let file = create_segment(files, next, created)?;
    Ok((file, Durable { end: Position::start_of(next), next_seq }))
}

/// Checks that a sound frame is also a sensible record at its place.
pub(crate) fn check_record(
    segment: SegmentName,
    offset: u64,
    payload: &[u8],
    next_seq: Seq,
) -> Result<record::Head, LogError> {
    let damaged = |what| LogError::Damaged { segment, offset, what };
    let (head, _) = record::decode(payload).map_err(|error| damaged(error.to_string()))?;
    if head.first_seq < next_seq {
        return Err(damaged(format!("its number is {}, but {next_seq} was due", head.first_seq)));
    }
    Ok(head)
}

/// A bad frame is the trace of a crash only if nothing behind it was acknowledged. A sound record behind it that
/// was written when its segment was durable beyond the bad frame proves the opposite.
fn refuse_damage(
    files: &dyn Files,
    segment: SegmentName,
    bad: u64,
    length: u64,
    next_seq: Seq,
) -> Result<(), LogError> {
    let mut tail = vec![0; usize::try_from(length.saturating_sub(bad)).unwrap_or(0)];
    let file = files.open_read_only(&segment.to_string()).map_err(LogError::io("open", segment))?;
    let filled = file.read_full_at(&mut tail, bad).map_err(LogError::io("read", segment))?;
    let tail = &tail[..filled];
    // Almost every place fails on its length or its numbers, so the checksum is seldom computed.
    for start in 1..tail.len() {
        if record::may_begin(&tail[start..], next_seq, bad)
            && let Step::Frame { payload, .. } = FrameReader::new(&tail[start..]).step()
            && let Ok((head, _)) = record::decode(payload)
            && head.synced > bad
        {
            let what = format!(
                "a bad frame, and a sound one behind it at byte {} that was written later",
                bad + start as u64
            );
            return Err(LogError::Damaged { segment, offset: bad, what });
        }
    }
    Ok(())
}
