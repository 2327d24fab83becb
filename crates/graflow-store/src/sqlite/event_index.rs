//! Where the events of one execution stand, a few bytes each.

use graflow_model::{EventType, Seq};

use super::codes;
use crate::varint;

/// Where one event stands in the log, and of which type it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventPlace {
    pub(crate) seq: Seq,
    /// Where its record's frame begins, in bytes from the start of the chunk's segment.
    pub(crate) offset: u64,
    /// Its type's number.
    pub(crate) event_type: u8,
}

/// Places in one segment, rising, as bytes: per event its type, the distance of its number from the one before, and
/// the distance of its frame from the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventChunk {
    bytes: Vec<u8>,
    first: Seq,
    last: Seq,
    last_offset: u64,
    count: u64,
}

impl EventChunk {
    pub(crate) fn push(&mut self, place: EventPlace) {
        if self.bytes.is_empty() {
            (self.first, self.last) = (place.seq, place.seq);
        }
        self.bytes.push(place.event_type);
        varint::write(&mut self.bytes, place.seq.0.saturating_sub(self.last.0));
        varint::write(&mut self.bytes, place.offset.saturating_sub(self.last_offset));
        self.last = place.seq;
        self.count += 1;
        self.last_offset = place.offset;
    }

    /// The numbers of its first and last event.
    pub(crate) fn range(&self) -> (Seq, Seq) {
        (self.first, self.last)
    }

    /// How many events it holds.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads stored bytes back; `None` if they make no sense.
    pub(crate) fn decode(first: Seq, mut bytes: &[u8]) -> Option<Vec<EventPlace>> {
        let mut places = Vec::new();
        let (mut seq, mut offset) = (first.0, 0_u64);
        while let Some((event_type, rest)) = bytes.split_first() {
            bytes = rest;
            seq = seq.checked_add(varint::read(&mut bytes)?)?;
            offset = offset.checked_add(varint::read(&mut bytes)?)?;
            places.push(EventPlace { seq: Seq(seq), offset, event_type: *event_type });
        }
        Some(places)
    }
}

/// Whether the event may be of one of the types; sure only once it is read, where a type is not a known one. No
/// types: any.
pub(crate) fn may_be_of(place: &EventPlace, types: &[EventType]) -> bool {
    types.is_empty() || types.iter().any(|event_type| codes::event_type(event_type) == place.event_type)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_come_back(steps in prop::collection::vec((any::<u8>(), 1_u64..500, 0_u64..100_000), 1..50)) {
            let (mut seq, mut offset) = (0, 32);
            let mut places = Vec::new();
            let mut chunk = EventChunk::default();
            for (event_type, seqs, bytes) in steps {
                (seq, offset) = (seq + seqs, offset + bytes);
                let place = EventPlace { seq: Seq(seq), offset, event_type };
                places.push(place);
                chunk.push(place);
            }
            prop_assert_eq!(chunk.range(), (places[0].seq, places[places.len() - 1].seq));
            prop_assert_eq!(EventChunk::decode(chunk.range().0, chunk.as_bytes()), Some(places));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            EventChunk::decode(Seq(u64::MAX), &bytes);
        }
    }
}
