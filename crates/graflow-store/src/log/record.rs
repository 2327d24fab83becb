//! What a frame's payload says.
//!
//! Every record begins with the same [`Head`], so that a kind of record added later can be numbered, kept and
//! skipped by a reader that does not know it:
//! `kind u8 | first seq u64 | seqs u32 | synced u64 | received µs i64`, then the project (`length u16 | text`), then by
//! kind: a batch has `json length u32 | facts length u16 | json | facts` per event, a tombstone
//! `length u16 | execution id` per execution. All little endian.

use graflow_model::frame::HEADER_BYTES;
use graflow_model::{ExecutionId, Project, Seq, Timestamp};

const BATCH: u8 = 1;
const TOMBSTONE: u8 = 2;

/// What every record says, whatever its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the first event in it.
    pub first_seq: Seq,
    /// How many numbers it takes, one after the other.
    pub seqs: u32,
    /// How far its segment was durable when it was written, in bytes.
    pub synced: u64,
    /// When the server took it in.
    pub received: Timestamp,
}

impl Head {
    /// The number that the next record begins with at the earliest.
    pub fn next_seq(&self) -> Seq {
        Seq(self.first_seq.0.saturating_add(u64::from(self.seqs)))
    }
}

/// One record of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Events, as they were sent.
    Batch(Batch<'a>),
    /// Executions that were deleted: everything about them before this record is to be forgotten, and what
    /// comes later is to be dropped.
    Tombstone(Tombstone<'a>),
    /// Something a later release wrote; kept and skipped.
    Unknown(u8),
}

/// Events of one project that were accepted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// The project, from the token, never from an event.
    pub project: &'a str,
    events: &'a [u8],
}

/// One event as the log keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RawEvent<'a> {
    /// The JSON that was sent, byte for byte: unknown fields survive here.
    pub json: &'a [u8],
    /// What the server adds to it; empty for nothing.
    pub facts: &'a [u8],
}

/// Executions of one project that were deleted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone<'a> {
    /// The project.
    pub project: &'a str,
    executions: &'a [u8],
}

/// A payload whose checksum is right and whose content still makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record makes no sense ({0})")]
pub struct RecordError(&'static str);

impl RawEvent<'_> {
    /// Whether it was erased when its segment was written again: its number and length stay, nothing else.
    pub fn is_erased(&self) -> bool {
        self.json.first().is_none_or(|first| *first == 0)
    }
}

impl<'a> Batch<'a> {
    /// The events in order, erased ones among them; the first has the head's `first_seq`.
    pub fn events(&self) -> impl Iterator<Item = RawEvent<'a>> + use<'a> {
        let mut rest = self.events;
        std::iter::from_fn(move || take_event(&mut rest))
    }
}

impl<'a> Tombstone<'a> {
    /// The executions that were deleted.
    pub fn executions(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = self.executions;
        std::iter::from_fn(move || take_text(&mut rest))
    }
}

/// Something in a record is longer than its length field can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Appends a batch to `out`. After an error `out` holds a part of it.
pub(crate) fn encode_batch<'a>(
    out: &mut Vec<u8>,
    head: Head,
    project: &Project,
    events: impl Iterator<Item = RawEvent<'a>>,
) -> Result<(), TooLong> {
    encode_head(out, BATCH, head, project)?;
    for RawEvent { json, facts } in events {
        out.extend_from_slice(&u32::try_from(json.len()).map_err(|_| TooLong)?.to_le_bytes());
        out.extend_from_slice(&u16::try_from(facts.len()).map_err(|_| TooLong)?.to_le_bytes());
        out.extend_from_slice(json);
        out.extend_from_slice(facts);
    }
    Ok(())
}

/// Appends a tombstone to `out`. After an error `out` holds a part of it.
pub(crate) fn encode_tombstone(
    out: &mut Vec<u8>,
    head: Head,
    project: &Project,
    executions: &[ExecutionId],
) -> Result<(), TooLong> {
    encode_head(out, TOMBSTONE, head, project)?;
    executions.iter().try_for_each(|execution| encode_text(out, execution.as_str()))
}

fn encode_head(out: &mut Vec<u8>, kind: u8, head: Head, project: &Project) -> Result<(), TooLong> {
    out.push(kind);
    out.extend_from_slice(&head.first_seq.0.to_le_bytes());
    out.extend_from_slice(&head.seqs.to_le_bytes());
    out.extend_from_slice(&head.synced.to_le_bytes());
    out.extend_from_slice(&head.received.as_micros().to_le_bytes());
    encode_text(out, project.as_str())
}

fn encode_text(out: &mut Vec<u8>, text: &str) -> Result<(), TooLong> {
    out.extend_from_slice(&u16::try_from(text.len()).map_err(|_| TooLong)?.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Reads a payload back. Everything in it is checked here once, so that the iterators never end early.
pub(crate) fn decode(payload: &[u8]) -> Result<(Head, Record<'_>), RecordError> {
    let mut rest = payload;
    let [kind] = take(&mut rest).ok_or(RecordError("no kind"))?;
    let head = take_head(&mut rest).ok_or(RecordError("its head is short"))?;
    if kind != BATCH && kind != TOMBSTONE {
        return Ok((head, Record::Unknown(kind)));
    }
    let project = take_text(&mut rest).ok_or(RecordError("no project"))?;
    let body = rest;
    let record = if kind == BATCH {
        let mut events = 0;
        while take_event(&mut rest).is_some() {
            events += 1;
        }
        if events != head.seqs || events == 0 {
            return Err(RecordError("another number of events than it says"));
        }
        Record::Batch(Batch { project, events: body })
    } else {
        while take_text(&mut rest).is_some() {}
        Record::Tombstone(Tombstone { project, executions: body })
    };
    if rest.is_empty() { Ok((head, record)) } else { Err(RecordError("bytes left over")) }
}

/// What stays of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Kept {
    /// Events that somebody may ask for.
    pub(crate) events: u64,
    /// When the tombstone was taken in, where the record is one that is kept.
    pub(crate) tombstone: Option<Timestamp>,
}

/// Puts zeros in the place of the events, or of the tombstone, that are not wanted any more. The payload keeps its
/// length, its head, and so its numbers. What is not understood is kept.
pub(crate) fn erase(payload: &mut [u8], wanted: &mut dyn Wanted) -> Result<Kept, RecordError> {
    let (head, record) = decode(payload)?;
    match record {
        Record::Unknown(_) => Ok(Kept { events: u64::from(head.seqs), tombstone: None }),
        Record::Tombstone(_) => {
            // Also a tombstone that is not needed any more stays as it is: it is short, and an empty one would be no
            // record. Its segment goes once nothing else holds it.
            let is_wanted = wanted.tombstone(head.received);
            Ok(Kept { events: 0, tombstone: is_wanted.then_some(head.received) })
        }
        Record::Batch(batch) => {
            let (project, body) = (batch.project, payload.len() - batch.events.len());
            let mut kept = Kept::default();
            let mut dead = Vec::new();
            let mut at = body;
            for event in batch.events() {
                let start = at + 6;
                at = start + event.json.len() + event.facts.len();
                if event.is_erased() {
                    continue;
                }
                match wanted.event(project, event.json) {
                    Wish::Keep => kept.events += 1,
                    // Nobody asks for it by itself: it goes with its segment.
                    Wish::Indifferent => {}
                    Wish::Erase => dead.push(start..at),
                }
            }
            for range in dead {
                payload.get_mut(range).ok_or(RecordError("it is shorter than it says"))?.fill(0);
            }
            Ok(kept)
        }
    }
}

/// Says what is still asked for.
pub(crate) trait Wanted {
    /// Whether an event of a project is wanted, by its JSON.
    fn event(&mut self, project: &str, json: &[u8]) -> Wish;
    /// Whether deletions that were taken in then are still to be remembered.
    fn tombstone(&mut self, received: Timestamp) -> bool;
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It may be asked for.
    Keep,
    /// It belongs to nothing, and holds nothing.
    Indifferent,
    /// It is to be forgotten.
    Erase,
}

/// A cheap look at whether `bytes` may begin a frame whose record was written when its segment was durable beyond
/// `synced_beyond` and that is numbered from `from` on. What it refuses is none; what it lets through needs
/// [`decode`] and the frame's checksum.
pub(crate) fn may_begin(bytes: &[u8], from: Seq, synced_beyond: u64) -> bool {
    let Some((_, mut payload)) = bytes.split_first_chunk::<{ HEADER_BYTES }>() else { return false };
    take::<1>(&mut payload).is_some()
        && take_head(&mut payload).is_some_and(|head| head.first_seq >= from && head.synced > synced_beyond)
}

fn take_head(rest: &mut &[u8]) -> Option<Head> {
    Some(Head {
        first_seq: Seq(u64::from_le_bytes(take(rest)?)),
        seqs: u32::from_le_bytes(take(rest)?),
        synced: u64::from_le_bytes(take(rest)?),
        received: Timestamp::from_micros(i64::from_le_bytes(take(rest)?)),
    })
}

fn take_event<'a>(rest: &mut &'a [u8]) -> Option<RawEvent<'a>> {
    let mut ahead = *rest;
    let json = u32::from_le_bytes(take(&mut ahead)?) as usize;
    let facts = usize::from(u16::from_le_bytes(take(&mut ahead)?));
    let (json, ahead) = ahead.split_at_checked(json)?;
    let (facts, ahead) = ahead.split_at_checked(facts)?;
    *rest = ahead;
    Some(RawEvent { json, facts })
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let mut ahead = *rest;
    let length = usize::from(u16::from_le_bytes(take(&mut ahead)?));
    let (text, ahead) = ahead.split_at_checked(length)?;
    let text = str::from_utf8(text).ok()?;
    *rest = ahead;
    Some(text)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, ahead) = rest.split_first_chunk::<N>()?;
    *rest = ahead;
    Some(*bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(seqs: u32) -> Head {
        Head {
            first_seq: Seq(7),
            seqs,
            synced: 4096,
            received: Timestamp::from_micros(1_700_000_000_000_000),
        }
    }

    proptest! {
        #[test]
        fn batches_come_back_byte_for_byte(
            events in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..80), prop::collection::vec(any::<u8>(), 0..8)), 1..20),
        ) {
            let project = Project::from("tenant");
            let raw: Vec<_> = events.iter().map(|(json, facts)| RawEvent { json, facts }).collect();
            let head = head(u32::try_from(raw.len()).unwrap());
            let mut payload = Vec::new();
            encode_batch(&mut payload, head, &project, raw.iter().copied()).unwrap();
            let (read, record) = decode(&payload).unwrap();
            prop_assert_eq!(read, head);
            let Record::Batch(batch) = record else { panic!("{record:?}") };
            prop_assert_eq!(batch.project, "tenant");
            prop_assert_eq!(batch.events().collect::<Vec<_>>(), raw);
            // A cut record is refused, never read as a shorter one.
            for cut in 0..payload.len() {
                prop_assert!(decode(&payload[..cut]).is_err(), "cut at {}", cut);
            }
        }

        #[test]
        fn arbitrary_payloads_never_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&payload);
        }
    }

    #[test]
    fn tombstones_come_back() {
        let mut payload = Vec::new();
        let executions = ["a", "", "b"].map(ExecutionId::from);
        encode_tombstone(&mut payload, head(1), &Project::default(), &executions).unwrap();
        let (read, Record::Tombstone(tombstone)) = decode(&payload).unwrap() else { panic!("no tombstone") };
        assert_eq!((read, tombstone.project), (head(1), "default"));
        assert_eq!(tombstone.executions().collect::<Vec<_>>(), ["a", "", "b"]);
    }

    #[test]
    fn a_kind_of_a_later_release_is_numbered_and_skipped() {
        let mut payload = Vec::new();
        encode_head(&mut payload, 200, head(3), &Project::default()).unwrap();
        payload.extend_from_slice(b"anything at all");
        assert_eq!(decode(&payload), Ok((head(3), Record::Unknown(200))));
        assert_eq!(head(3).next_seq(), Seq(10));
    }
}
