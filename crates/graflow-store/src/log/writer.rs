//! Writes records in groups: stage any number, then make them durable together.

use graflow_model::frame::{self, FrameError};
use graflow_model::{ExecutionId, Project, Seq, Timestamp};

use super::error::{LogError, is_full};
use super::reader::{Durable, LogReader};
use super::record::{self, Head, RawEvent, TooLong};
use super::segment::{HEADER_BYTES, Header, Position, SegmentName};
use crate::files::{Files, StoredFile};

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// A segment that has become this long is closed and the next one begun.
    pub segment_bytes: u64,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20 }
    }
}

/// The one writer of a log.
///
/// [`begin`](Self::begin), stage records, [`commit`](Self::commit). A record counts only once its commit returned
/// `Ok`; after an error nothing staged since the last commit was kept, and its numbers are used again.
#[derive(Debug)]
pub struct LogWriter {
    reader: LogReader,
    file: Box<dyn StoredFile>,
    options: LogOptions,
    durable: Durable,
    staged: Vec<u8>,
    next_seq: Seq,
    /// The next group begins a new segment.
    closing: bool,
    poisoned: Option<String>,
}

/// Where a staged record will stand once it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staged {
    /// Where its frame begins.
    pub position: Position,
    /// Where its frame ends.
    pub end: Position,
    /// Its first number.
    pub first_seq: Seq,
}

impl LogWriter {
    pub(crate) fn new(reader: LogReader, file: Box<dyn StoredFile>, options: LogOptions) -> Self {
        let durable = reader.shared().durable();
        let next_seq = durable.next_seq;
        Self { reader, file, options, durable, staged: Vec::new(), next_seq, closing: false, poisoned: None }
    }

    /// A reader of this log.
    pub fn reader(&self) -> LogReader {
        self.reader.clone()
    }

    /// The number that the next staged record begins with.
    pub fn next_seq(&self) -> Seq {
        self.next_seq
    }

    /// Bytes staged since the last commit.
    pub fn staged_bytes(&self) -> usize {
        self.staged.len()
    }

    /// Begins a group: says early if writing is impossible, and starts a new segment if the last is long enough.
    pub fn begin(&mut self, now: Timestamp) -> Result<(), LogError> {
        if let Some(cause) = &self.poisoned {
            return Err(LogError::Poisoned { cause: cause.clone() });
        }
        let is_full = self.durable.end.offset >= self.options.segment_bytes;
        let is_closing = self.closing && self.durable.end.offset > HEADER_BYTES;
        if (is_full || is_closing) && self.staged.is_empty() {
            // The seq of a closed segment's name is never used again: what was closed is not empty.
            let segment = SegmentName(self.next_seq);
            self.file = create_segment(&**self.reader.files(), segment, now)?;
            self.durable.end = Position::start_of(segment);
            self.reader.shared().roll(segment, self.durable);
        }
        self.closing = false;
        Ok(())
    }

    /// Lets the next group begin a new segment, if there is anything in the last.
    pub fn close_segment(&mut self) {
        self.closing = true;
    }

    /// Stages a batch of at least one event.
    pub fn stage_batch<'a>(
        &mut self,
        project: &Project,
        received: Timestamp,
        events: impl ExactSizeIterator<Item = RawEvent<'a>>,
    ) -> Result<Staged, LogError> {
        let seqs = u32::try_from(events.len()).unwrap_or(u32::MAX);
        self.stage(seqs, received, |out, head| record::encode_batch(out, head, project, events))
    }

    /// Stages the deletion of executions.
    pub fn stage_tombstone(
        &mut self,
        project: &Project,
        received: Timestamp,
        executions: &[ExecutionId],
    ) -> Result<Staged, LogError> {
        self.stage(1, received, |out, head| record::encode_tombstone(out, head, project, executions))
    }

    fn stage(
        &mut self,
        seqs: u32,
        received: Timestamp,
        encode: impl FnOnce(&mut Vec<u8>, Head) -> Result<(), TooLong>,
    ) -> Result<Staged, LogError> {
        let head = Head { first_seq: self.next_seq, seqs, synced: self.durable.end.offset, received };
        let position = self.staged_end();
        let start = self.staged.len();
        let mut encoded = Ok(());
        let framed = frame::encode_with(&mut self.staged, |out| encoded = encode(out, head));
        if framed.is_err() || encoded.is_err() {
            let bytes = match framed {
                Err(FrameError::TooLong { bytes }) => bytes,
                _ => self.staged.len() - start,
            };
            self.staged.truncate(start);
            return Err(LogError::TooLarge { bytes });
        }
        self.next_seq = head.next_seq();
        Ok(Staged { position, end: self.staged_end(), first_seq: head.first_seq })
    }

    fn staged_end(&self) -> Position {
        let Position { segment, offset } = self.durable.end;
        Position { segment, offset: offset + self.staged.len() as u64 }
    }

    /// Makes everything staged durable, or none of it.
    ///
    /// On [`LogError::DiskFull`] the log is as it was and takes the next group; after any other error it is
    /// read-only, because nobody knows what the disk holds.
    pub fn commit(&mut self) -> Result<(), LogError> {
        if let Some(cause) = self.poisoned.clone() {
            self.forget_staged();
            return Err(LogError::Poisoned { cause });
        }
        if self.staged.is_empty() {
            return Ok(());
        }
        let written =
            self.file.write_all_at(&self.staged, self.durable.end.offset).and_then(|()| self.file.sync());
        match written {
            Ok(()) => {
                self.durable = Durable { end: self.staged_end(), next_seq: self.next_seq };
                self.reader.shared().set_durable(self.durable);
                self.forget_staged();
                Ok(())
            }
            Err(error) => {
                self.forget_staged();
                Err(self.undo(&error))
            }
        }
    }

    /// Throws away what was staged since the last commit.
    pub fn forget_staged(&mut self) {
        self.staged.clear();
        self.staged.shrink_to(1 << 20);
        self.next_seq = self.durable.next_seq;
    }

    /// A full disk leaves a part of the group behind, which is cut off so that the next group follows the last
    /// sound frame.
    fn undo(&mut self, error: &std::io::Error) -> LogError {
        if is_full(error) {
            let cut = self.file.set_length(self.durable.end.offset).and_then(|()| self.file.sync());
            let Err(error) = cut else { return LogError::DiskFull };
            return self.poison(&format!("{error} while cutting off an unfinished write"));
        }
        self.poison(&error.to_string())
    }

    fn poison(&mut self, cause: &str) -> LogError {
        let cause = format!("{}: {cause}", self.durable.end.segment);
        self.poisoned = Some(cause.clone());
        LogError::Poisoned { cause }
    }
}

/// Creates a segment whose name and header are durable. After an error nothing of it is left, so that a later try
/// may succeed.
pub(crate) fn create_segment(
    files: &dyn Files,
    segment: SegmentName,
    now: Timestamp,
) -> Result<Box<dyn StoredFile>, LogError> {
    let name = segment.to_string();
    let header = Header { first_seq: segment.0, created: now }.encode();
    debug_assert_eq!(header.len() as u64, HEADER_BYTES);
    let create = || {
        let file = files.create(&name)?;
        file.write_all_at(&header, 0)?;
        file.sync()?;
        files.sync_directory()?;
        Ok(file)
    };
    // What an earlier try left behind and could not remove stands in the way, and holds no frame.
    let leftover = files.open_read_only(&name).and_then(|file| file.length());
    if leftover.is_ok_and(|length| length <= HEADER_BYTES) {
        files.remove(&name).map_err(LogError::io("remove", &name))?;
    }
    create().map_err(|error: std::io::Error| {
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            // The error that matters is the first one.
            let _ = files.remove(&name);
        }
        if is_full(&error) { LogError::DiskFull } else { LogError::io("create", &name)(error) }
    })
}
