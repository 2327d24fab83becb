//! One spool file: frames of events, read in batches.

use std::io;

use graflow_model::frame::{self, FrameReader, HEADER_BYTES, Step};
use graflow_model::{ProducerId, Project};
use serde::{Deserialize, Serialize};

use super::{DAMAGED_SUFFIX, Files, SpoolFile};

/// The format that this version writes, and the only one it reads.
const FORMAT: u32 = 1;

/// How much of a file is looked at to find its header.
const HEADER_LOOK: u16 = 4 * 1024;

/// The first frame of a spool file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the file's format.
    format: u32,
    /// Who wrote it.
    pub producer: ProducerId,
    /// Whose events these are.
    pub project: Project,
}

/// How large a batch may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most events.
    pub events: usize,
    /// Most bytes; a single frame may be larger.
    pub bytes: usize,
}

/// Events as they are posted: lines of JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// One event a line.
    pub body: Vec<u8>,
    /// How many.
    pub events: usize,
}

/// What opening a file for delivery found.
#[derive(Debug)]
pub enum Opened {
    /// Events to deliver.
    Ready(Header, Segment),
    /// Somebody else holds it, it is gone, or it had nothing to deliver and was removed.
    Nothing,
    /// A newer version wrote it, or it is no spool file at all: left alone.
    Foreign,
}

/// A spool file whose lock is held, with how far it has been delivered.
#[derive(Debug)]
pub struct Segment {
    name: String,
    file: Box<dyn SpoolFile>,
    /// Where the header ends.
    start: u64,
    /// Up to here the file is sound.
    length: u64,
    /// Everything before is delivered.
    delivered: Position,
    /// Where the batch ends that was read last.
    read: Position,
    /// Bytes at the end that are no whole frames.
    torn_bytes: u64,
    /// Whether those bytes are damage rather than a write that was cut off.
    damaged: bool,
}

/// A place between two events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    /// Start of a frame.
    offset: u64,
    /// Lines of that frame.
    lines: usize,
}

impl Segment {
    /// Makes a new file with its header.
    pub(crate) fn create(
        files: &dyn Files,
        name: String,
        producer: &ProducerId,
        project: &Project,
    ) -> io::Result<Self> {
        let header = Header { format: FORMAT, producer: producer.clone(), project: project.clone() };
        let mut bytes = Vec::new();
        frame::encode(&serde_json::to_vec(&header)?, &mut bytes).map_err(io::Error::other)?;
        let mut file = files.create(&name)?;
        if let Err(error) = file.write_at(0, &bytes) {
            // Best effort: an empty file is removed by whoever finds it.
            let _ = files.remove(&name);
            return Err(error);
        }
        Ok(Self::at(name, file, bytes.len() as u64, bytes.len() as u64))
    }

    /// Opens a file that nobody holds, to deliver what is in it.
    pub fn open_unheld(files: &dyn Files, name: &str) -> io::Result<Opened> {
        let Some(mut file) = files.open_unheld(name)? else { return Ok(Opened::Nothing) };
        let mut bytes = Vec::new();
        file.read_at(0, HEADER_LOOK.into(), &mut bytes)?;
        let mut frames = FrameReader::new(&bytes);
        let header = match frames.step() {
            Step::Frame { payload, .. } => serde_json::from_slice::<Header>(payload).ok(),
            // Cut off before the first event was written.
            Step::NeedMore { missing, .. } if bytes.len() + missing <= HEADER_LOOK.into() => {
                files.remove(name)?;
                return Ok(Opened::Nothing);
            }
            _ => None,
        };
        let Some(header) = header.filter(|header| header.format == FORMAT) else {
            return Ok(Opened::Foreign);
        };
        let (start, length) = (frames.offset(), file.length()?);
        let segment = Self::at(name.to_owned(), file, start, length);
        if segment.is_delivered() {
            segment.finish(files)?;
            return Ok(Opened::Nothing);
        }
        Ok(Opened::Ready(header, segment))
    }

    fn at(name: String, file: Box<dyn SpoolFile>, start: u64, length: u64) -> Self {
        let delivered = Position { offset: start, lines: 0 };
        Self { name, file, start, length, delivered, read: delivered, torn_bytes: 0, damaged: false }
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes on disk.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether everything in it has been delivered.
    pub fn is_delivered(&self) -> bool {
        self.delivered.offset >= self.length
    }

    /// Bytes at the end that were cut off or damaged, known once all else has been read, and told once.
    pub fn take_torn_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.torn_bytes)
    }

    /// Appends a frame (with its frame header). On an error the file is as it was.
    pub(crate) fn append(&mut self, framed: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_at(self.length, framed) {
            // If the cut fails too, the next write starts at the same place and covers the rest.
            let _ = self.file.truncate(self.length);
            return Err(error);
        }
        self.length += framed.len() as u64;
        Ok(())
    }

    /// Reads the first events that are not delivered; an empty batch says that there are none.
    pub fn read(&mut self, limits: Limits) -> io::Result<Batch> {
        let mut batch = Batch::default();
        let mut window = Vec::new();
        let mut at = self.delivered;
        let mut wanted = limits.bytes as u64 + HEADER_BYTES as u64;
        'file: while at.offset < self.length && batch.events < limits.events {
            window.clear();
            self.file.read_at(at.offset, wanted.min(self.length - at.offset), &mut window)?;
            let window_end = at.offset + window.len() as u64;
            let mut frames = FrameReader::at(&window, at.offset);
            loop {
                match frames.step() {
                    Step::Frame { payload, .. } => {
                        if batch.events > 0 && batch.body.len() + payload.len() > limits.bytes {
                            break 'file;
                        }
                        let taken = batch.take_lines(payload, at.lines, limits.events);
                        if let Some(lines) = taken {
                            at.lines = lines;
                            break 'file;
                        }
                        at = Position { offset: frames.offset(), lines: 0 };
                        if batch.events >= limits.events {
                            break 'file;
                        }
                    }
                    Step::NeedMore { .. } if window_end < self.length && !window.is_empty() => {
                        if batch.events > 0 {
                            break 'file;
                        }
                        wanted *= 2;
                        break;
                    }
                    end => {
                        // The end of a file whose writer died in the middle of a write, or damage.
                        self.damaged = matches!(end, Step::Corrupt { .. });
                        self.torn_bytes = self.length - at.offset;
                        self.length = at.offset;
                        break 'file;
                    }
                }
                if at.offset >= self.length {
                    break 'file;
                }
            }
        }
        self.read = at;
        Ok(batch)
    }

    /// Says that the batch that was read last is delivered.
    pub fn settle(&mut self) {
        self.delivered = self.read;
    }

    /// Makes room when everything is delivered and the file stays in use.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        if self.length > self.start {
            self.file.truncate(self.start)?;
            self.length = self.start;
        }
        self.delivered = Position { offset: self.start, lines: 0 };
        self.read = self.delivered;
        Ok(())
    }

    /// Takes the file away, all of it being delivered. A damaged one is kept under another name.
    pub fn finish(mut self, files: &dyn Files) -> io::Result<()> {
        if self.damaged {
            return files.rename(&self.name, &format!("{}{DAMAGED_SUFFIX}", self.name));
        }
        // Whoever opened it before it is gone, and gets the lock after us, finds nothing in it.
        self.file.truncate(0)?;
        files.remove(&self.name)
    }
}

#[expect(clippy::naive_bytecount, reason = "the compiler vectorises it; the network costs far more")]
fn count_lines(payload: &[u8]) -> usize {
    payload.iter().filter(|byte| **byte == b'\n').count() + usize::from(lacks_an_end(payload))
}

fn lacks_an_end(lines: &[u8]) -> bool {
    lines.last().is_some_and(|last| *last != b'\n')
}

impl Batch {
    /// Takes whole lines; a frame whose last one has no end, which we do not write, runs into no other.
    fn push(&mut self, lines: &[u8]) {
        self.body.extend_from_slice(lines);
        if lacks_an_end(lines) {
            self.body.push(b'\n');
        }
    }

    /// Takes lines until the limit; says how many lines of the payload are behind us when some are left.
    fn take_lines(&mut self, payload: &[u8], skip: usize, limit: usize) -> Option<usize> {
        if skip == 0 {
            let lines = count_lines(payload);
            if self.events + lines <= limit {
                self.push(payload);
                self.events += lines;
                return None;
            }
        }
        let mut lines = payload.split_inclusive(|byte| *byte == b'\n').skip(skip);
        let mut position = skip;
        while self.events < limit {
            let line = lines.next()?;
            self.push(line);
            self.events += 1;
            position += 1;
        }
        lines.next().map(|_| position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_an_end_runs_into_no_other() {
        for skip in [0, 1] {
            let mut batch = Batch { body: b"before\n".to_vec(), events: 1 };
            let rest = batch.take_lines(b"one\ntwo", skip, 10);
            assert_eq!(rest, None, "skip {skip}");
            batch.take_lines(b"three\n", 0, 10);
            let wanted: &[u8] =
                if skip == 0 { b"before\none\ntwo\nthree\n" } else { b"before\ntwo\nthree\n" };
            assert_eq!((batch.body.as_slice(), batch.events), (wanted, 4 - skip), "skip {skip}");
        }
    }
}
