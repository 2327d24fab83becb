//! Reads the frames of one segment, window by window.

use std::io;

use graflow_model::frame::{FrameReader, HEADER_BYTES, MAX_PAYLOAD_BYTES, Step};

use crate::files::StoredFile;

const WINDOW_BYTES: usize = 256 << 10;
const SEEK_WINDOW_BYTES: usize = 16 << 10;

/// What stands at the scan's position.
#[derive(Debug)]
pub(crate) enum Scanned<'a> {
    /// A sound frame from `offset` to `end`.
    Frame { offset: u64, end: u64, payload: &'a [u8] },
    /// Exactly at the limit: nothing is left.
    End { offset: u64 },
    /// The bytes up to the limit end inside a frame.
    Torn { offset: u64 },
    /// The checksum or the length is wrong.
    Corrupt { offset: u64 },
}

/// A scan over one file up to a limit.
#[derive(Debug)]
pub(crate) struct FrameScan {
    file: Box<dyn StoredFile>,
    limit: u64,
    window: Vec<u8>,
    /// Where the window begins in the file.
    start: u64,
    /// The next frame, relative to the window.
    next: usize,
    read_ahead: usize,
}

impl FrameScan {
    pub(crate) fn new(file: Box<dyn StoredFile>, from: u64, limit: u64) -> Self {
        Self { file, limit, window: Vec::new(), start: from, next: 0, read_ahead: WINDOW_BYTES }
    }

    /// Lets a scan of a segment that grows read on.
    pub(crate) fn raise_limit(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }

    /// Goes to another frame. Few bytes are read ahead from now on: who jumps once jumps again.
    pub(crate) fn seek(&mut self, offset: u64) {
        self.read_ahead = SEEK_WINDOW_BYTES;
        let ahead = offset.checked_sub(self.start).and_then(|ahead| usize::try_from(ahead).ok());
        if let Some(ahead) = ahead.filter(|ahead| *ahead <= self.window.len()) {
            self.next = ahead;
        } else {
            self.window.clear();
            (self.start, self.next) = (offset, 0);
        }
    }

    /// Whether everything up to the limit was read.
    pub(crate) fn at_limit(&self) -> bool {
        self.offset() >= self.limit
    }

    pub(crate) fn offset(&self) -> u64 {
        self.start + self.next as u64
    }

    pub(crate) fn next(&mut self) -> io::Result<Scanned<'_>> {
        let mut wanted = HEADER_BYTES;
        loop {
            let offset = self.offset();
            let available = self.window.len() - self.next.min(self.window.len());
            if available < wanted {
                let left = usize::try_from(self.limit.saturating_sub(offset)).unwrap_or(usize::MAX);
                if left == 0 {
                    return Ok(Scanned::End { offset });
                }
                if left < wanted {
                    return Ok(Scanned::Torn { offset });
                }
                self.read(left.min(wanted.max(self.read_ahead)))?;
                if self.window.len() < wanted {
                    return Ok(Scanned::Torn { offset });
                }
            }
            // The step is looked at once for its kind and length, and read again below for its payload: the
            // window cannot be both borrowed for the answer and refilled in one go.
            match FrameReader::at(&self.window[self.next..], offset).step() {
                Step::Frame { .. } => break,
                Step::Corrupt { offset } => return Ok(Scanned::Corrupt { offset }),
                Step::NeedMore { missing, .. } => {
                    wanted = (self.window.len() - self.next).saturating_add(missing);
                    debug_assert!(wanted <= HEADER_BYTES + MAX_PAYLOAD_BYTES);
                }
            }
        }
        let offset = self.offset();
        let length = self
            .window
            .get(self.next..)
            .and_then(|frame| frame.first_chunk::<4>())
            .map_or(0, |length| u32::from_le_bytes(*length) as usize);
        let payload = self.next + HEADER_BYTES..self.next + HEADER_BYTES + length;
        self.next = payload.end;
        Ok(Scanned::Frame { offset, end: self.offset(), payload: &self.window[payload] })
    }

    /// Puts `bytes` bytes from the next frame on into the window, or as many as the file has.
    fn read(&mut self, bytes: usize) -> io::Result<()> {
        self.window.drain(..self.next.min(self.window.len()));
        self.start = self.offset();
        self.next = 0;
        let kept = self.window.len();
        self.window.resize(bytes.max(kept), 0);
        let filled = self.file.read_full_at(&mut self.window[kept..], self.start + kept as u64)?;
        self.window.truncate(kept + filled);
        Ok(())
    }
}
