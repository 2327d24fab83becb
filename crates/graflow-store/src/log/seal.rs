//! Writes a closed segment again: compressed, and without what was deleted.

use std::io;

use graflow_model::frame::{self, FrameReader, HEADER_BYTES as FRAME_HEADER_BYTES, Step};
use graflow_model::{Seq, Timestamp};

use super::error::{LogError, is_full};
use super::reader::LogReader;
use super::record::{self, Wanted};
use super::recover::{check_header, list_segments};
use super::scan::{FrameScan, Scanned};
use super::sealed::{self, BLOCK_BYTES, BlockPlace, Footer};
use super::segment::{HEADER_BYTES, HEADER_LENGTH, Header, Position, SEALED_FORMAT, SegmentName};
use crate::files::{Files, StoredFile};

/// Three quarters of the best ratio at a third of its cost, for text that repeats itself as events do.
const LEVEL: i32 = 3;
/// What a segment is called while it is written again.
const SUFFIX: &str = ".new";

/// What stands in a closed segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentState {
    /// Whether it is compressed; all else is known only then.
    pub(crate) sealed: Option<Sealed>,
    /// Bytes on disk.
    pub(crate) bytes: u64,
}

/// What was kept when a segment was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Events that somebody may ask for.
    pub(crate) kept: u64,
    /// When the newest tombstone in it was taken in that was to be remembered.
    pub(crate) tombstone: Option<Timestamp>,
}

impl LogReader {
    /// The segments that are closed, oldest first.
    pub(crate) fn closed_segments(&self) -> Vec<SegmentName> {
        let last = self.end().segment;
        self.shared().segments().into_iter().filter(|segment| *segment < last).collect()
    }

    /// Whether a segment is laid out as it was written.
    pub(crate) fn segment_is_open(&self, segment: SegmentName) -> Result<bool, LogError> {
        let file =
            self.files().open_read_only(&segment.to_string()).map_err(LogError::io("open", segment))?;
        Ok(!sealed::is_sealed(&*file))
    }

    /// What is known of a closed segment.
    pub(crate) fn segment_state(&self, segment: SegmentName) -> Result<SegmentState, LogError> {
        let file =
            self.files().open_read_only(&segment.to_string()).map_err(LogError::io("open", segment))?;
        let bytes = file.length().map_err(LogError::io("read the length of", segment))?;
        check_header(&*file, segment)?;
        if !sealed::is_sealed(&*file) {
            return Ok(SegmentState { sealed: None, bytes });
        }
        let Footer { kept, tombstone, .. } = sealed::open_sealed(file, segment)?.footer();
        Ok(SegmentState { sealed: Some(Sealed { kept, tombstone }), bytes })
    }

    /// Writes a closed segment again, compressed and without what is not wanted; positions in it stay as they are. The
    /// new file takes the place of the old one in one step, so a crash leaves one of the two. Readers of the old one
    /// read on in it.
    pub(crate) fn seal(
        &self,
        segment: SegmentName,
        wanted: &mut dyn Wanted,
    ) -> Result<SegmentState, LogError> {
        let files = &**self.files();
        let name = format!("{segment}{SUFFIX}");
        let failed = |error: io::Error| {
            if is_full(&error) { LogError::DiskFull } else { LogError::io("write", &name)(error) }
        };
        match files.remove(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let written = self.write_sealed(segment, &name, wanted).and_then(|state| {
            files.rename(&name, &segment.to_string()).map_err(failed)?;
            files.sync_directory().map_err(failed)?;
            Ok(state)
        });
        if written.is_err() {
            // The error that matters is the first one; what is left is removed by the next try or start.
            let _ = files.remove(&name);
        }
        written
    }

    /// Removes a closed segment in which nothing is kept.
    pub(crate) fn remove_segment(&self, segment: SegmentName) -> Result<(), LogError> {
        self.shared().forget(segment);
        self.files().remove(&segment.to_string()).map_err(LogError::io("remove", segment))?;
        self.files().sync_directory().map_err(LogError::io("sync the folder of", segment))
    }

    fn write_sealed(
        &self,
        segment: SegmentName,
        name: &str,
        wanted: &mut dyn Wanted,
    ) -> Result<SegmentState, LogError> {
        let source = sealed::open_segment(&**self.files(), segment)?;
        let header = check_header(&*source, segment)?;
        let length = source.length().map_err(LogError::io("read the length of", segment))?;
        let file = self.files().create(name).map_err(LogError::io("create", name))?;
        let mut out = Blocks::begin(file, header).map_err(|error| out_error(name, error))?;
        let mut scan = FrameScan::new(source, HEADER_BYTES, length);
        let mut next_seq = segment.0;
        let (mut kept, mut tombstone) = (0, None);
        loop {
            match scan.next().map_err(|error| sealed::read_error(segment, 0, error))? {
                Scanned::Frame { offset, payload, .. } => {
                    let mut payload = payload.to_vec();
                    let damaged = |what: String| LogError::Damaged { segment, offset, what };
                    let (head, _) = record::decode(&payload).map_err(|error| damaged(error.to_string()))?;
                    let stays =
                        record::erase(&mut payload, wanted).map_err(|error| damaged(error.to_string()))?;
                    next_seq = head.next_seq();
                    kept += stays.events;
                    tombstone = tombstone.max(stays.tombstone);
                    let mut framed = Vec::with_capacity(payload.len() + FRAME_HEADER_BYTES);
                    frame::encode(&payload, &mut framed).map_err(|error| damaged(error.to_string()))?;
                    debug_assert!(matches!(FrameReader::new(&framed).step(), Step::Frame { .. }));
                    out.write(&framed).map_err(|error| out_error(name, error))?;
                }
                Scanned::End { .. } => break,
                Scanned::Torn { offset } | Scanned::Corrupt { offset } => {
                    let what = "the frame's checksum is wrong, or it ends inside of one".to_owned();
                    return Err(LogError::Damaged { segment, offset, what });
                }
            }
        }
        let bytes = out.finish(next_seq, kept, tombstone).map_err(|error| out_error(name, error))?;
        Ok(SegmentState { sealed: Some(Sealed { kept, tombstone }), bytes })
    }
}

fn out_error(name: &str, error: io::Error) -> LogError {
    if is_full(&error) { LogError::DiskFull } else { LogError::io("write", name)(error) }
}

/// Where a log whose last segment is sealed goes on: behind its last number.
pub(crate) fn end_of_sealed(
    file: Box<dyn StoredFile>,
    segment: SegmentName,
) -> Result<(Position, Seq), LogError> {
    let footer = sealed::open_sealed(file, segment)?.footer();
    Ok((Position { segment, offset: footer.length }, footer.next_seq))
}

/// Removes what a process left that ended while it wrote a segment again.
pub(crate) fn remove_leftovers(files: &dyn Files) -> Result<(), LogError> {
    for name in files.list().map_err(LogError::io("list", "the log's folder"))? {
        if name.strip_suffix(SUFFIX).and_then(SegmentName::parse).is_some() {
            files.remove(&name).map_err(LogError::io("remove", &name))?;
        }
    }
    debug_assert!(list_segments(files).is_ok());
    Ok(())
}

/// Compresses what is written, block by block.
struct Blocks {
    file: Box<dyn StoredFile>,
    offset: u64,
    length: u64,
    block: Vec<u8>,
    index: Vec<u8>,
    count: u32,
}

impl Blocks {
    fn begin(file: Box<dyn StoredFile>, header: Header) -> io::Result<Self> {
        let mut start = header.encode_as(SEALED_FORMAT);
        debug_assert_eq!(start.len(), HEADER_LENGTH);
        let release = env!("CARGO_PKG_VERSION");
        start.push(u8::try_from(release.len()).unwrap_or(u8::MAX));
        start.extend_from_slice(release.as_bytes());
        file.write_all_at(&start, 0)?;
        let offset = start.len() as u64;
        let mut blocks = Self { file, offset, length: 0, block: Vec::new(), index: Vec::new(), count: 0 };
        blocks.write(&header.encode())?;
        Ok(blocks)
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.block.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK_BYTES {
                self.end_block()?;
            }
        }
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        let packed = zstd::bulk::compress(&self.block, LEVEL)?;
        self.file.write_all_at(&packed, self.offset)?;
        let length = u32::try_from(packed.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        BlockPlace { offset: self.offset, length, crc: crc32c::crc32c(&packed) }.encode(&mut self.index);
        self.offset += u64::from(length);
        self.length += self.block.len() as u64;
        self.count += 1;
        self.block.clear();
        Ok(())
    }

    /// Makes everything durable but the name, and says how long the file is.
    fn finish(mut self, next_seq: Seq, kept: u64, tombstone: Option<Timestamp>) -> io::Result<u64> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let footer =
            Footer { index: self.offset, blocks: self.count, length: self.length, next_seq, kept, tombstone };
        let mut end = std::mem::take(&mut self.index);
        let footer = footer.encode(&end);
        end.extend_from_slice(&footer);
        self.file.write_all_at(&end, self.offset)?;
        self.file.sync()?;
        Ok(self.offset + end.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use graflow_model::{ExecutionId, Project};

    use super::*;
    use crate::files::{Fault, SimulatedFiles};
    use crate::log::{self, LogOptions, LogWriter, RawEvent, Record, Wish};

    const NOW: Timestamp = Timestamp::from_micros(1_763_900_000_000_000);

    /// Wants what does not say `dead`, and remembers no deletion.
    struct Living;

    impl Wanted for Living {
        fn event(&mut self, _: &str, json: &[u8]) -> Wish {
            let text = String::from_utf8_lossy(json);
            match (text.contains("dead"), text.contains("nobody")) {
                (true, _) => Wish::Erase,
                (_, true) => Wish::Indifferent,
                _ => Wish::Keep,
            }
        }
        fn tombstone(&mut self, _: Timestamp) -> bool {
            false
        }
    }

    fn open(files: &SimulatedFiles) -> LogWriter {
        log::open(Arc::new(files.clone()), LogOptions { segment_bytes: 100_000 }, None, NOW).unwrap().0
    }

    /// Three batches a group, until a second segment has begun.
    fn fill(log: &mut LogWriter) {
        for group in 0..400_u32 {
            log.begin(NOW).unwrap();
            for kind in ["alive", "dead", "nobody's"] {
                let texts: Vec<_> =
                    (0..3).map(|n| format!("{kind} {group} {n} {}", "x".repeat(60))).collect();
                let raw = texts.iter().map(|text| RawEvent { json: text.as_bytes(), facts: b"f" });
                log.stage_batch(&Project::default(), NOW, raw).unwrap();
            }
            log.stage_tombstone(&Project::default(), NOW, &[ExecutionId::from("gone")]).unwrap();
            log.commit().unwrap();
        }
    }

    /// Every record: where it stands, its number, and the texts in it; erased ones are empty.
    fn everything(reader: &LogReader) -> Result<Vec<(Position, Seq, Vec<String>)>, LogError> {
        let mut replay = reader.replay(reader.start().unwrap());
        let mut all = Vec::new();
        while let Some(entry) = replay.next()? {
            let texts = match entry.record {
                Record::Batch(batch) => batch
                    .events()
                    .map(|raw| {
                        if raw.is_erased() {
                            String::new()
                        } else {
                            String::from_utf8_lossy(raw.json).into_owned()
                        }
                    })
                    .collect(),
                _ => vec!["tombstone".to_owned()],
            };
            all.push((entry.position, entry.head.first_seq, texts));
        }
        Ok(all)
    }

    fn without_dead(
        mut all: Vec<(Position, Seq, Vec<String>)>,
        closed: &[SegmentName],
    ) -> Vec<(Position, Seq, Vec<String>)> {
        for (position, _, texts) in &mut all {
            for text in texts {
                if closed.contains(&position.segment) && text.starts_with("dead") {
                    text.clear();
                }
            }
        }
        all
    }

    #[test]
    fn a_sealed_segment_is_small_and_reads_as_before_without_what_was_erased() {
        let files = SimulatedFiles::new();
        let mut log = open(&files);
        fill(&mut log);
        let reader = log.reader();
        let closed = reader.closed_segments();
        assert!(closed.len() >= 2, "{closed:?}");
        let (before, bytes) = (everything(&reader).unwrap(), reader.bytes().unwrap());
        let expected = without_dead(before.clone(), &closed);
        for segment in &closed {
            assert_eq!(reader.segment_state(*segment).unwrap().sealed, None);
            let state = reader.seal(*segment, &mut Living).unwrap();
            assert_eq!(reader.segment_state(*segment).unwrap(), state);
            let kept = expected
                .iter()
                .filter(|(position, ..)| position.segment == *segment)
                .flat_map(|(_, _, texts)| texts)
                .filter(|text| text.starts_with("alive"));
            assert_eq!(state.sealed, Some(Sealed { kept: kept.count() as u64, tombstone: None }));
        }
        assert_eq!(everything(&reader).unwrap(), expected, "also for a reader that was there before");
        assert!(reader.bytes().unwrap() < bytes / 4, "{} of {bytes}", reader.bytes().unwrap());
        for (position, _, texts) in &expected {
            let mut replay = reader.replay(*position);
            let entry = replay.next().unwrap().unwrap();
            assert_eq!(entry.position, *position, "{texts:?}");
        }
        drop(log);
        let log = open(&files);
        assert_eq!(everything(&log.reader()).unwrap(), expected);
        // Once more: nothing is left to erase.
        let state = log.reader().segment_state(closed[0]).unwrap();
        assert_eq!(log.reader().seal(closed[0], &mut Living).unwrap(), state);
        // Without the open segment it goes on behind the last number.
        let next = log.next_seq();
        let open_segment = log.reader().end().segment;
        drop(log);
        files.remove(&open_segment.to_string()).unwrap();
        let log = open(&files);
        assert_eq!(log.next_seq(), open_segment.0);
        assert!(next > open_segment.0);
    }

    #[test]
    fn a_crash_or_a_fault_while_a_segment_is_written_again_loses_nothing() {
        let files = SimulatedFiles::new();
        let mut log = open(&files);
        fill(&mut log);
        let reader = log.reader();
        let closed = reader.closed_segments();
        let before = everything(&reader).unwrap();
        let expected = without_dead(before.clone(), &closed[..1]);
        for fault in [
            Fault::Write(10, io::ErrorKind::StorageFull),
            Fault::Sync(io::ErrorKind::Other),
            Fault::Create(io::ErrorKind::StorageFull),
        ] {
            files.plan(fault);
            assert!(reader.seal(closed[0], &mut Living).is_err(), "{fault:?}");
            assert_eq!(everything(&reader).unwrap(), before, "{fault:?}");
        }
        // The process ends between any two calls; what is on disk then is what a crash leaves.
        let half = SimulatedFiles::new();
        half.create("seg-00000000000000000001.log.new").unwrap().write_all_at(b"half", 0).unwrap();
        drop(open(&half));
        assert_eq!(half.list().unwrap(), ["seg-00000000000000000001.log"]);
        reader.seal(closed[0], &mut Living).unwrap();
        for seed in 0..50 {
            let after = everything(&open(&files.crash(seed)).reader()).unwrap();
            assert!(after == expected || after == before, "seed {seed}");
        }
    }

    #[test]
    fn every_flipped_byte_of_a_sealed_segment_is_found() {
        let files = SimulatedFiles::new();
        let mut log = open(&files);
        fill(&mut log);
        let segment = log.reader().closed_segments()[0];
        log.reader().seal(segment, &mut Living).unwrap();
        log.reader().verify().unwrap();
        let name = segment.to_string();
        let length = files.content(&name).unwrap().len();
        // The release's name is for people, and in front of the blocks.
        let after_release = HEADER_LENGTH + 1 + env!("CARGO_PKG_VERSION").len();
        for at in (0..HEADER_LENGTH).chain((after_release..length).step_by(37)).chain(length - 100..length) {
            files.overwrite(&name, |bytes| bytes[at] ^= 0x20);
            assert!(log.reader().verify().is_err(), "byte {at} of {length}");
            files.overwrite(&name, |bytes| bytes[at] ^= 0x20);
        }
        log.reader().verify().unwrap();
    }

    #[test]
    fn a_segment_of_a_later_format_names_the_release_that_wrote_it() {
        let files = SimulatedFiles::new();
        let mut log = open(&files);
        fill(&mut log);
        let segment = log.reader().closed_segments()[0];
        log.reader().seal(segment, &mut Living).unwrap();
        files.overwrite(&segment.to_string(), |bytes| {
            let mut header = Header::decode(bytes).unwrap().encode_as(9);
            header.extend_from_slice(b"\x059.8.7");
            bytes[..header.len()].copy_from_slice(&header);
        });
        let error = log.reader().verify().unwrap_err().to_string();
        assert!(error.contains("written by graflow 9.8.7 (format 9)"), "{error}");
    }
}
