//! What the viewers of one topic have not read yet: a bounded ring, in which each of them has a place.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Update;

/// Updates that a viewer may be behind.
pub const RING_UPDATES: usize = 4_096;
/// Bytes of updates that a viewer may be behind.
pub const RING_BYTES: usize = 8 * 1024 * 1024;

/// Updates from the oldest that a viewer has not read to the newest.
///
/// Places count all updates since the ring was made. A viewer whose place lies before the ring's beginning fell off.
#[derive(Debug, Default)]
pub(super) struct Ring {
    slots: VecDeque<Slot>,
    /// The place of the first slot.
    start: u64,
    bytes: usize,
    readers: usize,
}

#[derive(Debug)]
struct Slot {
    update: Arc<Update>,
    bytes: usize,
    /// Viewers who have not read it. At zero it can go, once it is the first.
    unread: usize,
}

/// What a viewer read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) updates: Vec<Arc<Update>>,
    /// The viewer had fallen off: what it missed is gone, and it goes on at the end.
    pub(super) fell_off: bool,
    /// Nothing is left to read.
    pub(super) drained: bool,
}

impl Ring {
    /// The place after the newest update.
    pub(super) fn end(&self) -> u64 {
        self.start + self.slots.len() as u64
    }

    /// What the slots hold on to.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn readers(&self) -> usize {
        self.readers
    }

    /// A viewer begins; its place is the end.
    pub(super) fn enter(&mut self) -> u64 {
        self.readers += 1;
        self.end()
    }

    /// A viewer at that place goes.
    pub(super) fn leave(&mut self, place: u64) {
        self.readers -= 1;
        self.take_unread(place, usize::MAX);
    }

    /// Takes an update for all who are here now. Whoever is too far behind falls off.
    pub(super) fn push(&mut self, update: &Arc<Update>) {
        let bytes = update.bytes();
        self.slots.push_back(Slot { update: Arc::clone(update), bytes, unread: self.readers });
        self.bytes += bytes;
        while self.slots.len() > RING_UPDATES || (self.bytes > RING_BYTES && self.slots.len() > 1) {
            self.drop_first();
        }
    }

    /// Throws the older half away, to make room for others.
    pub(super) fn halve(&mut self) {
        for _ in 0..self.slots.len().div_ceil(2) {
            self.drop_first();
        }
    }

    /// Reads from a place on, so many at most, and moves it.
    pub(super) fn read(&mut self, place: &mut u64, most: usize) -> Read {
        if *place < self.start {
            *place = self.end();
            self.take_unread(0, usize::MAX);
            return Read { fell_off: true, drained: true, ..Read::default() };
        }
        let updates = self.take_unread(*place, most);
        *place += updates.len() as u64;
        Read { updates, fell_off: false, drained: *place == self.end() }
    }

    /// A viewer is done with these; what nobody has left to read goes.
    fn take_unread(&mut self, from: u64, most: usize) -> Vec<Arc<Update>> {
        let first =
            usize::try_from(from.saturating_sub(self.start)).unwrap_or(usize::MAX).min(self.slots.len());
        let last = first.saturating_add(most).min(self.slots.len());
        let taken = self.slots.range_mut(first..last).map(|slot| {
            slot.unread -= 1;
            Arc::clone(&slot.update)
        });
        let taken = taken.collect();
        while self.slots.front().is_some_and(|slot| slot.unread == 0) {
            self.drop_first();
        }
        taken
    }

    fn drop_first(&mut self) {
        if let Some(slot) = self.slots.pop_front() {
            self.start += 1;
            self.bytes -= slot.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use graflow_model::{Project, Seq};

    use super::*;
    use crate::live::UpdateKind;
    use crate::liveness::Turned;

    fn update(seq: u64) -> Arc<Update> {
        let turned = Turned { project: Project::default(), execution_id: "x".into(), lost_since: None };
        Arc::new(Update::new(UpdateKind::Turned(turned), Seq(seq)))
    }

    fn seqs(read: &Read) -> Vec<u64> {
        read.updates.iter().map(|update| update.seq.0).collect()
    }

    #[test]
    fn everybody_reads_everything_once_and_what_all_have_read_goes() {
        let mut ring = Ring::default();
        ring.push(&update(1));
        let (mut one, mut other) = (ring.enter(), ring.enter());
        (2..=4).for_each(|seq| ring.push(&update(seq)));
        assert_eq!(seqs(&ring.read(&mut one, 2)), [2, 3]);
        assert_eq!(seqs(&ring.read(&mut one, 2)), [4]);
        assert!(ring.bytes() > 0, "the other has read nothing");
        let read = ring.read(&mut other, 9);
        assert_eq!((seqs(&read), read.drained, read.fell_off), (vec![2, 3, 4], true, false));
        assert_eq!((ring.bytes(), ring.slots.len()), (0, 0));
        assert!(ring.read(&mut other, 9).updates.is_empty());
    }

    #[test]
    fn who_goes_leaves_nothing_behind() {
        let mut ring = Ring::default();
        let (mut one, other) = (ring.enter(), ring.enter());
        (1..=3).for_each(|seq| ring.push(&update(seq)));
        ring.read(&mut one, 2);
        ring.leave(other);
        assert_eq!((ring.slots.len(), ring.readers()), (1, 1));
        ring.leave(one);
        assert_eq!((ring.slots.len(), ring.bytes()), (0, 0));
    }

    #[test]
    fn who_falls_off_is_told_once_and_the_others_are_not() {
        let mut ring = Ring::default();
        let (mut slow, mut quick) = (ring.enter(), ring.enter());
        for seq in 0..RING_UPDATES as u64 + 10 {
            ring.push(&update(seq));
            assert_eq!(seqs(&ring.read(&mut quick, 1)), [seq]);
        }
        assert_eq!(ring.slots.len(), RING_UPDATES);
        let read = ring.read(&mut slow, 1);
        assert!(read.fell_off && read.updates.is_empty() && read.drained);
        assert_eq!(ring.slots.len(), 0);
        ring.push(&update(7));
        let read = ring.read(&mut slow, 1);
        assert_eq!((seqs(&read), read.fell_off), (vec![7], false));
    }

    #[test]
    fn making_room_takes_the_oldest() {
        let mut ring = Ring::default();
        let (mut slow, mut quick) = (ring.enter(), ring.enter());
        (0..9).for_each(|seq| ring.push(&update(seq)));
        ring.read(&mut quick, 6);
        ring.halve();
        assert_eq!(ring.slots.len(), 4);
        assert_eq!(seqs(&ring.read(&mut quick, 9)), [6, 7, 8]);
        assert!(ring.read(&mut slow, 9).fell_off);
    }
}
