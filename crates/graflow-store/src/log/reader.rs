//! Reads what is durable.

use std::sync::{Arc, PoisonError, RwLock};

use graflow_model::Seq;

use super::error::LogError;
use super::record::{self, Head, Record};
use super::recover::{check_header, list_segments};
use super::scan::{FrameScan, Scanned};
use super::sealed::{open_segment, read_error};
use super::segment::{Position, SegmentName};
use crate::files::Files;

/// Reads a log, from any thread, while its writer goes on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LogReader {
    files: Arc<dyn Files>,
    shared: Arc<Shared>,
}

/// A record at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where its frame begins.
    pub position: Position,
    /// Where its frame ends.
    pub end: Position,
    /// Its numbers and times.
    pub head: Head,
    /// What it says.
    pub record: Record<'a>,
}

/// Reads records one after the other, from segment to segment.
#[derive(Debug)]
pub struct Replay {
    reader: LogReader,
    at: Position,
    next_seq: Seq,
    scan: Option<FrameScan>,
}

/// How far the log is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Durable {
    pub(crate) end: Position,
    pub(crate) next_seq: Seq,
}

/// What the writer tells the readers.
#[derive(Debug)]
pub(crate) struct Shared {
    state: RwLock<(Vec<SegmentName>, Durable)>,
}

impl Shared {
    pub(crate) fn new(segments: Vec<SegmentName>, durable: Durable) -> Self {
        Self { state: RwLock::new((segments, durable)) }
    }

    pub(crate) fn durable(&self) -> Durable {
        self.state.read().unwrap_or_else(PoisonError::into_inner).1
    }

    pub(crate) fn set_durable(&self, durable: Durable) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).1 = durable;
    }

    pub(crate) fn roll(&self, segment: SegmentName, durable: Durable) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.0.push(segment);
        state.1 = durable;
    }

    pub(crate) fn forget(&self, segment: SegmentName) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).0.retain(|known| *known != segment);
    }

    pub(crate) fn segments(&self) -> Vec<SegmentName> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn segment_after(&self, segment: SegmentName) -> Option<SegmentName> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let at = state.0.partition_point(|known| *known <= segment);
        state.0.get(at).copied()
    }
}

impl LogReader {
    pub(crate) fn new(files: Arc<dyn Files>, shared: Arc<Shared>) -> Self {
        Self { files, shared }
    }

    /// Reads a log that nobody writes, or that somebody else does, without changing anything in it: up to the first
    /// bad frame of its last segment.
    pub fn open_read_only(files: Arc<dyn Files>) -> Result<Self, LogError> {
        let segments = list_segments(&*files)?;
        let last = segments.last().copied().unwrap_or(SegmentName(Seq(1)));
        let mut durable = Durable { end: Position::start_of(last), next_seq: last.0 };
        if !segments.is_empty() {
            let file = open_segment(&*files, last)?;
            check_header(&*file, last)?;
            let length = file.length().map_err(LogError::io("read the length of", last))?;
            let mut scan = FrameScan::new(file, durable.end.offset, length);
            while let Scanned::Frame { end, payload, .. } = next_frame(&mut scan, last)? {
                let Ok((head, _)) = record::decode(payload) else { break };
                durable = Durable { end: Position { segment: last, offset: end }, next_seq: head.next_seq() };
            }
        }
        Ok(Self::new(files, Arc::new(Shared::new(segments, durable))))
    }

    pub(crate) fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The number that the next record gets at the earliest.
    pub fn next_seq(&self) -> Seq {
        self.shared.durable().next_seq
    }

    /// The last number that is durable.
    pub fn last_seq(&self) -> Seq {
        Seq(self.next_seq().0.saturating_sub(1))
    }

    /// Where the durable part ends.
    pub fn end(&self) -> Position {
        self.shared.durable().end
    }

    /// Where the log begins; `None` if it has no segment.
    pub fn start(&self) -> Option<Position> {
        self.shared.segments().first().copied().map(Position::start_of)
    }

    /// Bytes on disk, in all segments.
    pub fn bytes(&self) -> Result<u64, LogError> {
        let durable = self.shared.durable().end;
        let mut bytes = durable.offset;
        for segment in self.shared.segments().into_iter().filter(|segment| *segment != durable.segment) {
            match self.files.open_read_only(&segment.to_string()) {
                Ok(file) => bytes += file.length().map_err(LogError::io("read the length of", segment))?,
                // It was removed since the list was read.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(LogError::io("open", segment)(error)),
            }
        }
        Ok(bytes)
    }

    /// Every record from `position` on, which must lie between two frames, up to what is durable when the replay
    /// gets there. A replay that came to the end may be asked again later.
    pub fn replay(&self, position: Position) -> Replay {
        Replay { reader: self.clone(), at: position, next_seq: Seq::ZERO, scan: None }
    }

    /// Every record that holds `seq` or a later number.
    pub fn replay_from(&self, seq: Seq) -> Result<Replay, LogError> {
        let segments = self.shared.segments();
        let at = segments.partition_point(|segment| segment.0 <= seq).saturating_sub(1);
        let Some(segment) = segments.get(at) else { return Ok(self.replay(self.end())) };
        let mut position = Position::start_of(*segment);
        let mut replay = self.replay(position);
        while let Some(entry) = replay.next()? {
            if entry.head.next_seq() > seq {
                return Ok(self.replay(entry.position));
            }
            position = entry.end;
        }
        Ok(self.replay(position))
    }

    /// Reads every durable record and checks it. Says how many there are.
    pub fn verify(&self) -> Result<u64, LogError> {
        let Some(start) = self.start() else { return Ok(0) };
        let mut replay = self.replay(start);
        let mut records = 0;
        while replay.next()?.is_some() {
            records += 1;
        }
        Ok(records)
    }
}

impl Replay {
    /// Where the next record begins.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Goes to another place between two frames, cheaply if it lies in the same segment.
    pub fn seek(&mut self, position: Position) {
        self.next_seq = Seq::ZERO;
        match &mut self.scan {
            Some(scan) if position.segment == self.at.segment => scan.seek(position.offset),
            _ => self.scan = None,
        }
        self.at = position;
    }

    /// The next record; `None` where the durable part ends.
    #[expect(clippy::should_implement_trait, reason = "the entry borrows the reader's window")]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>, LogError> {
        loop {
            if self.scan.is_none() {
                self.scan = Some(self.open_scan()?);
            }
            let durable = self.reader.shared.durable().end;
            let segment = self.at.segment;
            let Some(scan) = &mut self.scan else { continue };
            if segment == durable.segment {
                scan.raise_limit(durable.offset);
            }
            if scan.at_limit() {
                let Some(next) = self.reader.shared.segment_after(segment) else { return Ok(None) };
                // Between the look at the limit and this one the segment may have grown and been closed.
                let length = self.length_of(segment)?;
                let Some(scan) = &mut self.scan else { continue };
                if scan.offset() < length {
                    scan.raise_limit(length);
                } else {
                    self.at = Position::start_of(next);
                    self.scan = None;
                }
                continue;
            }
            break;
        }
        let segment = self.at.segment;
        let Some(scan) = &mut self.scan else { return Ok(None) };
        let damaged = |offset, what: &str| LogError::Damaged { segment, offset, what: what.to_owned() };
        match next_frame(scan, segment)? {
            Scanned::Frame { offset, end, payload } => {
                let (head, record) =
                    record::decode(payload).map_err(|error| damaged(offset, &error.to_string()))?;
                if head.first_seq < self.next_seq {
                    let what = format!("its number is {}, but {} was due", head.first_seq, self.next_seq);
                    return Err(damaged(offset, &what));
                }
                self.next_seq = head.next_seq();
                self.at.offset = end;
                let position = Position { segment, offset };
                Ok(Some(Entry { position, end: self.at, head, record }))
            }
            Scanned::End { .. } => Ok(None),
            Scanned::Torn { offset } => Err(damaged(offset, "it ends inside a frame")),
            Scanned::Corrupt { offset } => Err(damaged(offset, "the frame's checksum is wrong")),
        }
    }

    fn open_scan(&self) -> Result<FrameScan, LogError> {
        let segment = self.at.segment;
        let file = open_segment(&**self.reader.files(), segment)?;
        check_header(&*file, segment)?;
        let durable = self.reader.shared.durable().end;
        let limit = if segment == durable.segment {
            durable.offset
        } else {
            file.length().map_err(LogError::io("read the length of", segment))?
        };
        Ok(FrameScan::new(file, self.at.offset, limit))
    }

    fn length_of(&self, segment: SegmentName) -> Result<u64, LogError> {
        let file = open_segment(&**self.reader.files(), segment)?;
        file.length().map_err(LogError::io("read the length of", segment))
    }
}

fn next_frame(scan: &mut FrameScan, segment: SegmentName) -> Result<Scanned<'_>, LogError> {
    let offset = scan.offset();
    scan.next().map_err(|error| read_error(segment, offset, error))
}
