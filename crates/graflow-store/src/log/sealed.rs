//! Segments that were closed and compressed: read where they lie, as if they were not.
//!
//! `header 32 (format 2) | release: length u8, text | blocks | index | footer 64`. A block is [`BLOCK_BYTES`] of the
//! segment as it was written, compressed alone, so that one event costs one block. The index has `offset u64 | length
//! u32 | crc32c u32` per block, the footer what [`Footer`] says, and a checksum over index and footer. Positions are those
//! of the open segment: nothing that refers to a place in it has to change.

use std::io;
use std::sync::{Mutex, PoisonError};

use graflow_model::{Seq, Timestamp};

use super::error::LogError;
use super::segment::{HEADER_BYTES, HEADER_LENGTH, Header, SEALED_FORMAT, SegmentName};
use crate::files::{Files, StoredFile};

/// What is compressed together, before it is.
pub(crate) const BLOCK_BYTES: usize = 64 << 10;

pub(crate) const MAGIC: &[u8; 8] = b"SEALED\n\0";
pub(crate) const FOOTER_LENGTH: usize = 64;
const ENTRY_LENGTH: usize = 16;

/// What a sealed segment says of itself at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Where the index begins.
    pub(crate) index: u64,
    /// How many blocks there are.
    pub(crate) blocks: u32,
    /// Bytes of the segment as it was written.
    pub(crate) length: u64,
    /// The number behind its last.
    pub(crate) next_seq: Seq,
    /// Events that were wanted when it was sealed.
    pub(crate) kept: u64,
    /// When the newest tombstone in it was taken in that was to be remembered.
    pub(crate) tombstone: Option<Timestamp>,
}

/// One block's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockPlace {
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) crc: u32,
}

/// A sealed segment, read as the open one that it was.
#[derive(Debug)]
pub(crate) struct SealedFile {
    file: Box<dyn StoredFile>,
    footer: Footer,
    index: Vec<BlockPlace>,
    /// The block that was read last: neighbours are mostly asked for together.
    last: Mutex<Option<(usize, Vec<u8>)>>,
}

impl Footer {
    /// `index u64 | blocks u32 | 0 u32 | length u64 | next seq u64 | kept u64 | tombstone µs i64 | 0 u32 | crc u32 | magic 8`;
    /// the checksum covers the index too.
    pub(crate) fn encode(&self, index: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FOOTER_LENGTH);
        bytes.extend_from_slice(&self.index.to_le_bytes());
        bytes.extend_from_slice(&self.blocks.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend_from_slice(&self.next_seq.0.to_le_bytes());
        bytes.extend_from_slice(&self.kept.to_le_bytes());
        bytes.extend_from_slice(&self.tombstone.map_or(i64::MIN, Timestamp::as_micros).to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        let crc = crc32c::crc32c_append(crc32c::crc32c(index), &bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(MAGIC);
        bytes
    }

    fn decode(bytes: &[u8; FOOTER_LENGTH]) -> Option<(Self, u32)> {
        let (fields, magic) = bytes.split_at_checked(FOOTER_LENGTH - MAGIC.len())?;
        let u32_at = |at: usize| Some(u32::from_le_bytes(*fields.get(at..)?.first_chunk()?));
        let u64_at = |at: usize| Some(u64::from_le_bytes(*fields.get(at..)?.first_chunk()?));
        if magic != MAGIC {
            return None;
        }
        let tombstone = u64_at(40)?.cast_signed();
        let footer = Self {
            index: u64_at(0)?,
            blocks: u32_at(8)?,
            length: u64_at(16)?,
            next_seq: Seq(u64_at(24)?),
            kept: u64_at(32)?,
            tombstone: (tombstone != i64::MIN).then(|| Timestamp::from_micros(tombstone)),
        };
        Some((footer, u32_at(52)?))
    }
}

impl BlockPlace {
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
    }

    fn decode(bytes: &[u8; ENTRY_LENGTH]) -> Option<Self> {
        let (&offset, rest) = bytes.split_first_chunk()?;
        let (&length, rest) = rest.split_first_chunk()?;
        Some(Self {
            offset: u64::from_le_bytes(offset),
            length: u32::from_le_bytes(length),
            crc: u32::from_le_bytes(*rest.first_chunk()?),
        })
    }
}

impl SealedFile {
    /// Reads footer and index.
    pub(crate) fn open(file: Box<dyn StoredFile>) -> io::Result<Self> {
        let length = file.length()?;
        let start = length
            .checked_sub(FOOTER_LENGTH as u64)
            .ok_or_else(|| damaged("it ends before its index".to_owned()))?;
        let mut bytes = [0; FOOTER_LENGTH];
        file.read_full_at(&mut bytes, start)?;
        let (footer, crc) =
            Footer::decode(&bytes).ok_or_else(|| damaged("its last bytes are no footer".to_owned()))?;
        let index_length = u64::from(footer.blocks) * ENTRY_LENGTH as u64;
        if footer.index.checked_add(index_length) != Some(start) {
            return Err(damaged("its index is not where the footer says".to_owned()));
        }
        let mut index = vec![0; usize::try_from(index_length).unwrap_or(0)];
        file.read_full_at(&mut index, footer.index)?;
        let fields = bytes.get(..FOOTER_LENGTH - MAGIC.len() - 4).unwrap_or_default();
        if crc32c::crc32c_append(crc32c::crc32c(&index), fields) != crc {
            return Err(damaged("the checksum of its index is wrong".to_owned()));
        }
        let index = index.as_chunks::<ENTRY_LENGTH>().0.iter().filter_map(BlockPlace::decode).collect();
        Ok(Self { file, footer, index, last: Mutex::default() })
    }

    pub(crate) fn footer(&self) -> Footer {
        self.footer
    }

    fn read_block(&self, number: usize) -> io::Result<Vec<u8>> {
        let place = self.index.get(number).ok_or(io::ErrorKind::UnexpectedEof)?;
        let bad = || damaged(format!("the block at byte {} is not what was written", place.offset));
        let mut packed = vec![0; place.length as usize];
        let filled = self.file.read_full_at(&mut packed, place.offset)?;
        if filled < packed.len() || crc32c::crc32c(&packed) != place.crc {
            return Err(bad());
        }
        zstd::bulk::decompress(&packed, BLOCK_BYTES).map_err(|_| bad())
    }
}

fn damaged(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl StoredFile for SealedFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.footer.length)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.footer.length {
            return Ok(0);
        }
        let number = usize::try_from(offset / BLOCK_BYTES as u64).map_err(|_| io::ErrorKind::InvalidInput)?;
        let within = usize::try_from(offset % BLOCK_BYTES as u64).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(cached, _)| *cached != number) {
            *last = Some((number, self.read_block(number)?));
        }
        let block = last.as_ref().map(|(_, block)| block.as_slice()).unwrap_or_default();
        let bytes = block.get(within..).unwrap_or_default();
        let length = bytes.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), bytes.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }

    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn set_length(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens a segment for reading, however it is laid out.
pub(crate) fn open_segment(files: &dyn Files, segment: SegmentName) -> Result<Box<dyn StoredFile>, LogError> {
    let file = match files.open_read_only(&segment.to_string()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LogError::Missing { segment }),
        Err(error) => return Err(LogError::io("open", segment)(error)),
    };
    if !is_sealed(&*file) {
        return Ok(file);
    }
    Ok(Box::new(open_sealed(file, segment)?))
}

/// Opens a segment that is known to be sealed.
pub(crate) fn open_sealed(file: Box<dyn StoredFile>, segment: SegmentName) -> Result<SealedFile, LogError> {
    SealedFile::open(file).map_err(|error| read_error(segment, 0, error))
}

/// A failed read of a segment: what is not what was written is damage, all else the system's.
pub(crate) fn read_error(segment: SegmentName, offset: u64, error: io::Error) -> LogError {
    if error.kind() == io::ErrorKind::InvalidData {
        return LogError::Damaged { segment, offset, what: error.to_string() };
    }
    LogError::io("read", segment)(error)
}

/// Whether a file is a sealed segment, by its header.
pub(crate) fn is_sealed(file: &dyn StoredFile) -> bool {
    let mut bytes = [0; HEADER_LENGTH];
    let read = file.read_full_at(&mut bytes, 0);
    read.is_ok() && Header::decode_any(&bytes).is_ok_and(|found| found.format == SEALED_FORMAT)
}

/// The release that wrote a segment of format 2 or later.
pub(crate) fn release_of(file: &dyn StoredFile) -> String {
    let mut length = [0; 1];
    let mut text = [0; 255];
    let read = file.read_full_at(&mut length, HEADER_BYTES).and_then(|_| {
        file.read_full_at(text.get_mut(..usize::from(length[0])).unwrap_or_default(), HEADER_BYTES + 1)
    });
    let text = read.ok().and_then(|read| str::from_utf8(text.get(..read)?).ok()).unwrap_or_default();
    let sane = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c));
    if sane { text.to_owned() } else { "of a later release".to_owned() }
}
