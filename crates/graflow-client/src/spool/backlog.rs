//! Everything a producer has not delivered yet, oldest first: on disk, and in memory where the disk says no.

use std::collections::VecDeque;
use std::io;

use graflow_model::{Event, ProducerId, Project};

use super::{Batch, Files, Limits, Opened, SUFFIX, Segment};
use crate::queue::Drops;

/// A file is closed, and a new one begun, from this size on.
const SEGMENT_BYTES: u64 = 8 << 20;
/// Files of dead producers that are taken over at once.
const ADOPT_AT_ONCE: usize = 16;

/// Encoded events with their frame header: what the disk gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
    pub(crate) events: usize,
}

/// Where a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Disk,
    Memory,
    /// Nowhere: both are full.
    Refused,
}

#[derive(Debug)]
pub(crate) struct Backlog {
    files: Option<Box<dyn Files>>,
    producer: ProducerId,
    project: Project,
    file_prefix: String,
    next_number: u64,
    limit_disk: u64,
    limit_memory: usize,
    /// Files of this producer, the last one written to.
    own: VecDeque<Segment>,
    /// Files left to the folder's owner, with their size.
    released: Vec<(String, u64)>,
    /// Newer than anything on disk.
    memory: VecDeque<Frame>,
    memory_bytes: usize,
    /// Files that dead producers left.
    adopted: VecDeque<Segment>,
    /// Where the batch in hand came from.
    in_hand: Option<InHand>,
    /// Why the disk was last refused, until it works again.
    disk_error: Option<String>,
    torn_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InHand {
    Own,
    Memory { frames: usize, lines: usize },
    Adopted,
}

impl Backlog {
    pub(crate) fn new(
        files: Option<Box<dyn Files>>,
        producer: ProducerId,
        project: Project,
        limit_disk: u64,
        limit_memory: usize,
    ) -> Self {
        let file_prefix = producer.as_str().replace('/', "~");
        Self {
            files,
            producer,
            project,
            file_prefix,
            next_number: 1,
            limit_disk,
            limit_memory,
            own: VecDeque::new(),
            released: Vec::new(),
            memory: VecDeque::new(),
            memory_bytes: 0,
            adopted: VecDeque::new(),
            in_hand: None,
            disk_error: None,
            torn_bytes: 0,
        }
    }

    /// Keeps a frame behind everything that is there.
    pub(crate) fn push(&mut self, frame: Frame) -> Pushed {
        self.move_memory_to_disk();
        if self.memory.is_empty() && self.write(&frame.bytes) {
            return Pushed::Disk;
        }
        if self.memory_bytes + frame.bytes.len() > self.limit_memory {
            return Pushed::Refused;
        }
        self.memory_bytes += frame.bytes.len();
        self.memory.push_back(frame);
        Pushed::Memory
    }

    /// The oldest events that are not delivered, this producer's own before those of dead ones.
    pub(crate) fn read(&mut self, limits: Limits) -> Option<Batch> {
        while let Some(segment) = self.own.front_mut() {
            match segment.read(limits) {
                Ok(batch) if batch.events > 0 => {
                    self.in_hand = Some(InHand::Own);
                    return Some(batch);
                }
                Ok(_) => {
                    self.torn_bytes += segment.take_torn_bytes();
                    if self.own.len() == 1 {
                        break;
                    }
                    self.finish_own();
                }
                Err(error) => {
                    self.disk_error.get_or_insert_with(|| error.to_string());
                    return None;
                }
            }
        }
        self.read_memory(limits).or_else(|| self.read_adopted(limits))
    }

    /// Says that the batch in hand is delivered.
    pub(crate) fn settle(&mut self) {
        match self.in_hand.take() {
            None => {}
            Some(InHand::Own) => {
                if let Some(segment) = self.own.front_mut() {
                    segment.settle();
                    if segment.is_delivered() {
                        self.finish_own();
                    }
                }
            }
            Some(InHand::Memory { frames, lines }) => {
                for frame in self.memory.drain(..frames.min(self.memory.len())) {
                    self.memory_bytes -= frame.bytes.len();
                }
                if let Some(frame) = self.memory.front_mut().filter(|_| lines > 0) {
                    self.memory_bytes -= frame.bytes.len();
                    frame.drop_lines(lines);
                    self.memory_bytes += frame.bytes.len();
                }
            }
            Some(InHand::Adopted) => {
                if let Some(segment) = self.adopted.front_mut() {
                    segment.settle();
                }
            }
        }
    }

    /// Says that the batch in hand was not delivered.
    pub(crate) fn put_back(&mut self) {
        self.in_hand = None;
    }

    /// Whether the batch in hand is of this producer itself.
    pub(crate) fn is_own_in_hand(&self) -> bool {
        matches!(self.in_hand, Some(InHand::Own | InHand::Memory { .. }))
    }

    /// Leaves what is on disk to the owner of the folder.
    pub(crate) fn release(&mut self) {
        self.in_hand = None;
        self.move_memory_to_disk();
        for segment in std::mem::take(&mut self.own) {
            if segment.is_delivered() {
                self.finish(segment);
            } else {
                self.released.push((segment.name().to_owned(), segment.length()));
            }
        }
        self.adopted.clear();
    }

    /// Takes over what dead producers left for the same project, and what was released before.
    pub(crate) fn adopt(&mut self) {
        let Some(files) = &self.files else { return };
        let Ok(mut names) = files.names() else { return };
        names.retain(|name| name.ends_with(SUFFIX));
        names.sort_unstable();
        for name in names {
            if self.adopted.len() >= ADOPT_AT_ONCE {
                break;
            }
            // Whatever cannot be opened now may be later, or by its owner.
            if let Ok(Opened::Ready(header, segment)) = Segment::open_unheld(files.as_ref(), &name)
                && header.project == self.project
            {
                self.adopted.push_back(segment);
            }
        }
    }

    /// Takes out of memory what the disk has no room for: when the process ends, nobody will deliver it.
    pub(crate) fn give_up_memory(&mut self) -> VecDeque<Frame> {
        self.in_hand = None;
        self.move_memory_to_disk();
        self.memory_bytes = 0;
        std::mem::take(&mut self.memory)
    }

    /// Writes the last that this producer has to say, also beyond the limit; not more than a frame.
    pub(crate) fn push_last(&mut self, frame: &Frame) -> io::Result<()> {
        self.try_write(&frame.bytes)
    }

    /// Ends cleanly: what is delivered leaves the disk, the rest is for whoever comes next.
    pub(crate) fn close(&mut self) {
        self.release();
    }

    /// Whether nothing of this producer is left to deliver.
    pub(crate) fn is_own_empty(&self) -> bool {
        self.memory.is_empty() && self.own.iter().all(Segment::is_delivered)
    }

    /// Whether nothing is left to deliver at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_own_empty() && self.adopted.is_empty()
    }

    /// Whether this producer has anything in memory that is not on disk.
    pub(crate) fn is_memory_empty(&self) -> bool {
        self.memory.is_empty()
    }

    /// Bytes on disk that wait for delivery, and in memory.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let own: u64 = self.own.iter().filter(|segment| !segment.is_delivered()).map(Segment::length).sum();
        let released: u64 = self.released.iter().map(|(_, length)| length).sum();
        (own + released, self.memory_bytes as u64)
    }

    /// Why the disk takes nothing at present.
    pub(crate) fn disk_error(&self) -> Option<&str> {
        self.disk_error.as_deref()
    }

    /// Bytes that were cut off or damaged in files read so far.
    pub(crate) fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    fn write(&mut self, framed: &[u8]) -> bool {
        if self.files.is_none() {
            return false;
        }
        if self.bytes().0 + framed.len() as u64 > self.limit_disk {
            self.forget_taken();
            if self.bytes().0 + framed.len() as u64 > self.limit_disk {
                self.disk_error = Some(format!("the spool's limit of {} bytes is reached", self.limit_disk));
                return false;
            }
        }
        match self.try_write(framed) {
            Ok(()) => {
                self.disk_error = None;
                true
            }
            Err(error) => {
                self.disk_error = Some(error.to_string());
                false
            }
        }
    }

    fn try_write(&mut self, framed: &[u8]) -> io::Result<()> {
        let Some(files) = &self.files else { return Err(io::ErrorKind::Unsupported.into()) };
        if self.own.back().is_none_or(|segment| segment.length() >= SEGMENT_BYTES) {
            let name = format!("{}.{:06}{SUFFIX}", self.file_prefix, self.next_number);
            self.next_number += 1;
            let segment = Segment::create(files.as_ref(), name, &self.producer, &self.project)?;
            self.own.push_back(segment);
        }
        match self.own.back_mut() {
            Some(segment) => segment.append(framed),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn move_memory_to_disk(&mut self) {
        if matches!(self.in_hand, Some(InHand::Memory { .. })) {
            return;
        }
        while let Some(frame) = self.memory.pop_front() {
            if !self.write(&frame.bytes) {
                self.memory.push_front(frame);
                return;
            }
            self.memory_bytes -= frame.bytes.len();
        }
    }

    fn read_memory(&mut self, limits: Limits) -> Option<Batch> {
        let mut batch = Batch::default();
        let (mut frames, mut lines) = (0, 0);
        for frame in &self.memory {
            let body = frame.body();
            if batch.events > 0 && batch.body.len() + body.len() > limits.bytes {
                break;
            }
            if batch.events + frame.events <= limits.events {
                batch.body.extend_from_slice(body);
                batch.events += frame.events;
                frames += 1;
                continue;
            }
            for line in body.split_inclusive(|byte| *byte == b'\n').take(limits.events - batch.events) {
                batch.body.extend_from_slice(line);
                lines += 1;
            }
            batch.events += lines;
            break;
        }
        if batch.events == 0 {
            return None;
        }
        self.in_hand = Some(InHand::Memory { frames, lines });
        Some(batch)
    }

    fn read_adopted(&mut self, limits: Limits) -> Option<Batch> {
        while let Some(segment) = self.adopted.front_mut() {
            match segment.read(limits) {
                Ok(batch) if batch.events > 0 => {
                    self.in_hand = Some(InHand::Adopted);
                    return Some(batch);
                }
                Ok(_) => {
                    self.torn_bytes += segment.take_torn_bytes();
                    if let Some(segment) = self.adopted.pop_front() {
                        self.finish(segment);
                    }
                }
                Err(_) => {
                    self.adopted.pop_front();
                }
            }
        }
        None
    }

    /// The front file is delivered: away with it, or make room in it if it is the one being written.
    fn finish_own(&mut self) {
        if self.own.len() > 1 {
            if let Some(segment) = self.own.pop_front() {
                self.finish(segment);
            }
        } else if let Some(segment) = self.own.front_mut()
            && let Err(error) = segment.reset()
        {
            self.disk_error = Some(error.to_string());
        }
    }

    fn finish(&mut self, segment: Segment) {
        let Some(files) = &self.files else { return };
        if let Err(error) = segment.finish(files.as_ref()) {
            // It stays, and is delivered once more by whoever finds it: a duplicate without effect.
            self.disk_error = Some(error.to_string());
        }
    }

    /// Forgets released files that their taker has deleted.
    fn forget_taken(&mut self) {
        let Some(files) = &self.files else { return };
        self.released.retain(|(name, _)| files.length(name).is_ok());
    }
}

impl Frame {
    /// Counts its events as dropped, and what notes among them say of dropped ones. Gives how many events, without notes.
    pub(crate) fn count_as_dropped(&self, drops: &mut Drops) -> u64 {
        let mut events = 0;
        for line in self.body().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event: Option<Event> = serde_json::from_slice(line).ok();
            let told = event.as_ref().and_then(Event::dropped_events);
            let execution_id = event.as_ref().and_then(|event| event.execution_id.as_ref());
            drops.count(execution_id, told.unwrap_or(1));
            events += u64::from(told.is_none());
        }
        events
    }

    fn body(&self) -> &[u8] {
        self.bytes.get(graflow_model::frame::HEADER_BYTES..).unwrap_or_default()
    }

    fn drop_lines(&mut self, lines: usize) {
        let rest: Vec<u8> =
            self.body().split_inclusive(|byte| *byte == b'\n').skip(lines).flatten().copied().collect();
        self.events = self.events.saturating_sub(lines);
        self.bytes.clear();
        // The rest of a frame is shorter than the frame, and not empty, since it has lines.
        let _ = graflow_model::frame::encode(&rest, &mut self.bytes);
    }
}
