//! Events become frames of JSON lines, numbered by their producer.

use fastrand::Rng;
use graflow_model::event::Heartbeat;
use graflow_model::limits::EVENT_BYTES;
use graflow_model::{Event, EventId, EventType, ExecutionId, ProducerId, frame};

use super::machine::Moment;
use crate::spool::Frame;

/// A frame is closed from this size on.
const FRAME_BYTES: usize = 512 * 1024;
/// A frame is closed from so many events on.
const FRAME_EVENTS: usize = 1_000;
/// Most execution ids in a heartbeat, so that it stays far below the limit of an event.
const HEARTBEAT_EXECUTIONS: usize = 5_000;

/// Numbers and encodes.
#[derive(Debug)]
pub(crate) struct Encoder {
    producer: ProducerId,
    next_seq: u64,
    rng: Rng,
    lines: Vec<u8>,
    events: usize,
}

/// An event is longer than what may be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    pub(crate) bytes: usize,
}

impl Encoder {
    pub(crate) fn new(producer: ProducerId, rng: Rng) -> Self {
        Self { producer, next_seq: 1, rng, lines: Vec::new(), events: 0 }
    }

    /// Adds an event under the producer's next number.
    pub(crate) fn add(&mut self, mut event: Event) -> Result<(), TooLarge> {
        event.producer = Some(self.producer.clone());
        event.producer_seq = Some(self.next_seq);
        let bytes = write_line(&event, &mut self.lines);
        if bytes > EVENT_BYTES {
            self.lines.truncate(self.lines.len() - bytes - 1);
            return Err(TooLarge { bytes });
        }
        self.next_seq += 1;
        self.events += 1;
        Ok(())
    }

    /// Whether the frame has come to its size.
    pub(crate) fn is_full(&self) -> bool {
        self.lines.len() >= FRAME_BYTES || self.events >= FRAME_EVENTS
    }

    /// The frame so far; none when nothing was added.
    pub(crate) fn frame(&mut self) -> Option<Frame> {
        if self.events == 0 {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.lines.len() + frame::HEADER_BYTES);
        // Lines are neither empty nor near the limit of a frame.
        let encoded = frame::encode(&self.lines, &mut bytes);
        let events = std::mem::take(&mut self.events);
        self.lines.clear();
        encoded.ok().map(|()| Frame { bytes, events })
    }

    /// Gives numbers back whose events went nowhere, so that no gap is left. Only for the newest ones.
    pub(crate) fn take_back(&mut self, events: usize) {
        self.next_seq -= events as u64;
    }

    /// A note for the people who look at the execution: `dropped` of its events are lost.
    pub(crate) fn drop_note(&mut self, execution_id: &ExecutionId, dropped: u64, now: Moment) -> Event {
        #[derive(serde::Serialize)]
        struct Dropped {
            code: &'static str,
            count: u64,
            message: String,
        }
        let message = format!("{dropped} events were dropped: the producer's queue and spool were full");
        let mut event = self.event(EventType::Note, now).with_data(&Dropped {
            code: graflow_model::event::EVENTS_DROPPED,
            count: dropped,
            message,
        });
        event.execution_id = Some(execution_id.clone());
        event
    }

    /// A line that says that these executions are alive. It has no number: only the latest counts.
    pub(crate) fn heartbeat<'a>(
        &mut self,
        open: impl Iterator<Item = &'a ExecutionId>,
        now: Moment,
        out: &mut Vec<u8>,
    ) {
        let executions = open.take(HEARTBEAT_EXECUTIONS).cloned().collect();
        let mut event = self.event(EventType::Heartbeat, now).with_data(&Heartbeat { executions });
        event.producer = Some(self.producer.clone());
        write_line(&event, out);
    }

    fn event(&mut self, event_type: EventType, now: Moment) -> Event {
        let millis = u64::try_from(now.time.as_micros() / 1_000).unwrap_or(0);
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        let mut event = Event::new(EventId::new(id.to_string()), event_type, now.time);
        event.mono_us = Some(now.mono_us);
        event
    }
}

/// Writes the event and a line end; gives the bytes of the event alone.
fn write_line(event: &Event, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    // Every field is text, a number or JSON already, and writing to memory does not fail.
    let _ = serde_json::to_writer(&mut *out, event);
    // JSON that came in with line breaks between its tokens has to become one line; inside of JSON text a line break
    // is always escaped, so these bytes are white space.
    if out[start..].contains(&b'\n') || out[start..].contains(&b'\r') {
        for byte in &mut out[start..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
    out.push(b'\n');
    out.len() - start - 1
}
