//! Checksummed frames: the unit that segments and spools are made of.
//!
//! A frame is `{len: u32, crc32c: u32, payload}`, little endian. The checksum covers the length and the payload,
//! so that a flipped length is found as surely as a flipped payload byte, and a run of zeros (what some file
//! systems leave behind after a crash) is never taken for a frame.
//!
//! ```
//! use graflow_model::frame::{FrameReader, Step, encode};
//!
//! let mut file = Vec::new();
//! encode(b"first", &mut file)?;
//! encode(b"second", &mut file)?;
//! file.truncate(file.len() - 1); // A crash in the middle of a write.
//!
//! let mut frames = FrameReader::new(&file);
//! assert_eq!(frames.step(), Step::Frame { offset: 0, payload: b"first" });
//! assert_eq!(frames.step(), Step::NeedMore { offset: 13, missing: 1 });
//! # Ok::<(), graflow_model::frame::FrameError>(())
//! ```

/// Bytes in front of every payload.
pub const HEADER_BYTES: usize = 8;

/// The longest payload, in bytes. A length beyond it is damage, not a frame to wait for.
pub const MAX_PAYLOAD_BYTES: usize = 128 << 20;

/// A payload that cannot be framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Empty frames do not exist: they carry nothing and would make zeros look like data.
    #[error("a frame needs a payload of at least one byte")]
    Empty,
    /// The payload is longer than [`MAX_PAYLOAD_BYTES`].
    #[error("a payload of {bytes} bytes is longer than a frame holds ({MAX_PAYLOAD_BYTES})")]
    TooLong {
        /// Length of the refused payload.
        bytes: usize,
    },
}

/// What stands at the reader's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A whole, sound frame; the reader moved behind it.
    Frame {
        /// Where the frame (its header) begins.
        offset: u64,
        /// What was framed.
        payload: &'a [u8],
    },
    /// The bytes end inside a frame, or exactly between two. At the end of a file: a torn tail unless `missing`
    /// is [`HEADER_BYTES`], which is a clean end.
    NeedMore {
        /// Where the unfinished frame begins.
        offset: u64,
        /// How many more bytes are needed at the least before another step says more.
        missing: usize,
    },
    /// Not a frame: length out of range or checksum wrong. The reader stays where it is.
    Corrupt {
        /// Where the damaged frame begins.
        offset: u64,
    },
}

/// Appends one frame with `payload` to `out`. On an error `out` is unchanged.
pub fn encode(payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    encode_with(out, |out| out.extend_from_slice(payload))
}

/// Appends one frame whose payload `write` appends to the buffer it is given, without a copy in between. `write`
/// must only append. On an error `out` is unchanged.
pub fn encode_with(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), FrameError> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    write(out);
    let bytes = out.len().saturating_sub(start + HEADER_BYTES);
    let len = match u32::try_from(bytes) {
        Ok(0) => Err(FrameError::Empty),
        Ok(len) if bytes <= MAX_PAYLOAD_BYTES => Ok(len),
        _ => Err(FrameError::TooLong { bytes }),
    };
    let len = len.inspect_err(|_| out.truncate(start))?.to_le_bytes();
    let crc = checksum(len, &out[start + HEADER_BYTES..]).to_le_bytes();
    out[start..start + 4].copy_from_slice(&len);
    out[start + 4..start + HEADER_BYTES].copy_from_slice(&crc);
    Ok(())
}

/// Reads frames one after the other from bytes in memory: a whole file, or a window of it. When a window ends in
/// [`Step::NeedMore`], read on from its `offset` with at least `missing` more bytes.
#[derive(Clone, Debug)]
pub struct FrameReader<'a> {
    bytes: &'a [u8],
    position: usize,
    base: u64,
}

impl<'a> FrameReader<'a> {
    /// A reader at the start of `bytes`, which is offset 0.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// A reader at the start of `bytes`, which stands at `offset` of a larger file.
    pub fn at(bytes: &'a [u8], offset: u64) -> Self {
        Self { bytes, position: 0, base: offset }
    }

    /// Offset of the next frame.
    pub fn offset(&self) -> u64 {
        self.base + self.position as u64
    }

    /// Reads the next frame.
    pub fn step(&mut self) -> Step<'a> {
        let offset = self.offset();
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let Some((header, body)) = rest.split_first_chunk::<HEADER_BYTES>() else {
            return Step::NeedMore { offset, missing: HEADER_BYTES - rest.len() };
        };
        let mut len = [0; 4];
        let mut crc = [0; 4];
        len.copy_from_slice(&header[..4]);
        crc.copy_from_slice(&header[4..]);
        let bytes = u32::from_le_bytes(len) as usize;
        if bytes == 0 || bytes > MAX_PAYLOAD_BYTES {
            return Step::Corrupt { offset };
        }
        let Some(payload) = body.get(..bytes) else {
            return Step::NeedMore { offset, missing: bytes - body.len() };
        };
        if checksum(len, payload) != u32::from_le_bytes(crc) {
            return Step::Corrupt { offset };
        }
        self.position += HEADER_BYTES + bytes;
        Step::Frame { offset, payload }
    }
}

fn checksum(len: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len), payload)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode_all(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut file = Vec::new();
        for payload in payloads {
            encode(payload, &mut file).unwrap();
        }
        file
    }

    /// Every sound frame from the start, and the step that ended the reading.
    fn read_all(bytes: &[u8]) -> (Vec<Vec<u8>>, Step<'_>) {
        let mut reader = FrameReader::new(bytes);
        let mut payloads = Vec::new();
        loop {
            match reader.step() {
                Step::Frame { payload, .. } => payloads.push(payload.to_vec()),
                end => return (payloads, end),
            }
        }
    }

    fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 1..8)
    }

    proptest! {
        #[test]
        fn frames_come_back_as_written(payloads in payloads()) {
            let file = encode_all(&payloads);
            let (read, end) = read_all(&file);
            prop_assert_eq!(read, payloads);
            prop_assert_eq!(end, Step::NeedMore { offset: file.len() as u64, missing: HEADER_BYTES });
        }

        #[test]
        fn a_torn_tail_costs_only_the_unfinished_frame(payloads in payloads(), cut in any::<prop::sample::Index>()) {
            let mut file = encode_all(&payloads);
            file.truncate(cut.index(file.len()));
            let (read, end) = read_all(&file);
            prop_assert_eq!(&read[..], &payloads[..read.len()]);
            let kept = encode_all(&read).len();
            prop_assert!(matches!(end, Step::NeedMore { offset, .. } if offset == kept as u64), "{:?}", end);
        }

        #[test]
        fn a_changed_byte_is_found_in_its_frame(
            payloads in payloads(), at in any::<prop::sample::Index>(), flip in 1..=u8::MAX,
        ) {
            let mut file = encode_all(&payloads);
            let at = at.index(file.len());
            file[at] ^= flip;
            let (read, end) = read_all(&file);
            prop_assert_eq!(&read[..], &payloads[..read.len()]);
            let kept = encode_all(&read).len();
            // The reading stops at the very frame that holds the byte, neither before nor after it.
            prop_assert!(kept <= at && at < encode_all(&payloads[..=read.len()]).len());
            let stopped_there = match end {
                Step::Corrupt { offset } | Step::NeedMore { offset, .. } => offset == kept as u64,
                Step::Frame { .. } => false,
            };
            prop_assert!(stopped_there, "{:?}", end);
        }

        #[test]
        fn windows_of_any_size_read_the_same(payloads in payloads(), window in 1_usize..64) {
            let file = encode_all(&payloads);
            let (mut start, mut end) = (0, 0);
            let mut read = Vec::new();
            while start < file.len() {
                let mut reader = FrameReader::at(&file[start..end], start as u64);
                match reader.step() {
                    Step::Frame { payload, .. } => {
                        read.push(payload.to_vec());
                        start = usize::try_from(reader.offset()).unwrap();
                    }
                    Step::NeedMore { offset, missing } => {
                        prop_assert_eq!(offset, start as u64);
                        end = (end + missing.max(window)).min(file.len());
                    }
                    Step::Corrupt { offset } => prop_assert!(false, "corrupt at {}", offset),
                }
            }
            prop_assert_eq!(read, payloads);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            read_all(&bytes);
        }
    }

    #[test]
    fn zeros_are_no_frames() {
        assert_eq!(FrameReader::new(&[0; 64]).step(), Step::Corrupt { offset: 0 });
    }

    #[test]
    fn refused_payloads_leave_the_buffer_alone() {
        let mut out = b"before".to_vec();
        assert_eq!(encode(b"", &mut out), Err(FrameError::Empty));
        let bytes = MAX_PAYLOAD_BYTES + 1;
        assert_eq!(encode(&vec![7; bytes], &mut out), Err(FrameError::TooLong { bytes }));
        assert_eq!(out, b"before");
    }
}
