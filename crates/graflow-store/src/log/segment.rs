//! Names and headers of segments, and positions in them.

use std::fmt;

use graflow_model::{Seq, Timestamp};

/// The format of a segment that is being written: frames behind a header.
pub(crate) const OPEN_FORMAT: u16 = 1;

/// The format of a sealed segment: the bytes of an open one, compressed block by block.
pub(crate) const SEALED_FORMAT: u16 = 2;

/// The newest format known here. Raised with every change that an older release could not read.
pub(crate) const FORMAT: u16 = SEALED_FORMAT;

/// Length of the header in front of a segment's frames.
pub(crate) const HEADER_BYTES: u64 = HEADER_LENGTH as u64;

/// The same, for buffers.
pub(crate) const HEADER_LENGTH: usize = 32;

const MAGIC: &[u8; 8] = b"GRAFLOG\n";

/// A segment, named by the first sequence number that may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName(pub Seq);

impl SegmentName {
    /// The segment that a file is, if its name says that it is one.
    pub(crate) fn parse(file_name: &str) -> Option<Self> {
        let digits = file_name.strip_prefix("seg-")?.strip_suffix(".log")?;
        let first_seq = digits.parse().ok().filter(|_| digits.len() == 20)?;
        Some(Self(Seq(first_seq)))
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "seg-{:020}.log", self.0.0)
    }
}

/// A place between two frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The segment.
    pub segment: SegmentName,
    /// Bytes from its start.
    pub offset: u64,
}

impl Position {
    /// Where the first frame of a segment begins.
    pub(crate) fn start_of(segment: SegmentName) -> Self {
        Self { segment, offset: HEADER_BYTES }
    }
}

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) first_seq: Seq,
    pub(crate) created: Timestamp,
}

/// Why a header was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderProblem {
    /// Fewer bytes than a header has.
    Short,
    /// The magic or the checksum is wrong.
    Corrupt,
    /// Sound, and of a later format.
    Newer(u16),
}

/// A header, and how the bytes behind it are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Formatted {
    pub(crate) format: u16,
    pub(crate) header: Header,
}

impl Header {
    /// `magic 8 | format u16 | 0 u16 | first seq u64 | created µs i64 | crc32c of all before u32`.
    pub(crate) fn encode(self) -> Vec<u8> {
        self.encode_as(OPEN_FORMAT)
    }

    /// The same for a segment laid out in another way.
    pub(crate) fn encode_as(self, format: u16) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&format.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.first_seq.0.to_le_bytes());
        bytes.extend_from_slice(&self.created.as_micros().to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderProblem> {
        Self::decode_any(bytes).map(|formatted| formatted.header)
    }

    pub(crate) fn decode_any(bytes: &[u8]) -> Result<Formatted, HeaderProblem> {
        let (header, crc) = bytes.split_at_checked(28).ok_or(HeaderProblem::Short)?;
        let crc: [u8; 4] = crc.get(..4).and_then(|crc| crc.try_into().ok()).ok_or(HeaderProblem::Short)?;
        let (magic, rest) = header.split_first_chunk::<8>().ok_or(HeaderProblem::Short)?;
        if magic != MAGIC || crc32c::crc32c(header) != u32::from_le_bytes(crc) {
            return Err(HeaderProblem::Corrupt);
        }
        let (&format, rest) = rest.split_first_chunk().ok_or(HeaderProblem::Short)?;
        let format = u16::from_le_bytes(format);
        if format > FORMAT {
            return Err(HeaderProblem::Newer(format));
        }
        let (&first_seq, rest) = rest[2..].split_first_chunk().ok_or(HeaderProblem::Short)?;
        let (&created, _) = rest.split_first_chunk().ok_or(HeaderProblem::Short)?;
        let header = Self {
            first_seq: Seq(u64::from_le_bytes(first_seq)),
            created: Timestamp::from_micros(i64::from_le_bytes(created)),
        };
        Ok(Formatted { format, header })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_their_numbers() {
        let names = [SegmentName(Seq(1)), SegmentName(Seq(20)), SegmentName(Seq(u64::MAX))];
        let texts = names.map(|name| name.to_string());
        assert!(texts.is_sorted());
        assert_eq!(texts[1], "seg-00000000000000000020.log");
        assert_eq!(texts.each_ref().map(|text| SegmentName::parse(text)), names.map(Some));
        for other in
            ["seg-20.log", "seg-0000000000000000002x.log", "lineage.db", "seg-00000000000000000020.log.tmp"]
        {
            assert_eq!(SegmentName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn headers_come_back_and_damage_is_found() {
        let header = Header { first_seq: Seq(42), created: Timestamp::from_micros(-7) };
        let bytes = header.encode();
        assert_eq!(bytes.len() as u64, HEADER_BYTES);
        assert_eq!(Header::decode(&bytes), Ok(header));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert_eq!(Header::decode(&damaged), Err(HeaderProblem::Corrupt), "byte {at}");
            assert_eq!(Header::decode(&bytes[..at]), Err(HeaderProblem::Short), "cut at {at}");
        }
    }

    #[test]
    fn a_later_format_is_told_apart_from_damage() {
        let mut bytes = Header { first_seq: Seq(1), created: Timestamp::default() }.encode();
        bytes[8] = 9;
        let crc = crc32c::crc32c(&bytes[..28]).to_le_bytes();
        bytes[28..].copy_from_slice(&crc);
        assert_eq!(Header::decode(&bytes), Err(HeaderProblem::Newer(9)));
    }
}
