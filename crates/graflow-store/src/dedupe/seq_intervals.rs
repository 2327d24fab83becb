//! Which of a producer's numbers were taken.

/// The most intervals kept of one producer. A producer that needs more has lost events more than 65,000 times.
pub const MAX_INTERVALS: usize = 65_536;

/// A set of numbers as intervals: one for a producer that lost nothing (its end is the watermark), one more for
/// every gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeqIntervals {
    /// First and last number of each, rising, never touching.
    intervals: Vec<(u64, u64)>,
}

/// Stored intervals that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the numbers taken from a producer cannot be read back")]
pub struct IntervalsError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    New,
    Present,
    Full,
}

impl SeqIntervals {
    /// Whether a number is in the set.
    pub fn contains(&self, number: u64) -> bool {
        let at = self.after(number);
        self.intervals[..at].last().is_some_and(|(_, last)| number <= *last)
    }

    /// Numbers up to the greatest that are missing, as intervals.
    pub fn gaps(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.intervals.windows(2).map(|pair| (pair[0].1 + 1, pair[1].0 - 1))
    }

    /// Adds a number.
    pub(crate) fn insert(&mut self, number: u64) -> Inserted {
        // Almost always the next one.
        if let Some((_, last)) = self.intervals.last_mut()
            && last.checked_add(1) == Some(number)
        {
            *last = number;
            return Inserted::New;
        }
        if self.contains(number) {
            return Inserted::Present;
        }
        let at = self.after(number);
        let follows =
            at.checked_sub(1).filter(|before| self.intervals[*before].1.checked_add(1) == Some(number));
        let precedes = Some(at).filter(|at| {
            self.intervals.get(*at).is_some_and(|(first, _)| number.checked_add(1) == Some(*first))
        });
        match (follows, precedes) {
            (Some(before), Some(after)) => {
                self.intervals[before].1 = self.intervals[after].1;
                self.intervals.remove(after);
            }
            (Some(before), None) => self.intervals[before].1 = number,
            (None, Some(after)) => self.intervals[after].0 = number,
            (None, None) if self.intervals.len() >= MAX_INTERVALS => return Inserted::Full,
            (None, None) => self.intervals.insert(at, (number, number)),
        }
        Inserted::New
    }

    /// Takes a number out again.
    pub(crate) fn remove(&mut self, number: u64) {
        if !self.contains(number) {
            return;
        }
        let at = self.after(number) - 1;
        let (first, last) = self.intervals[at];
        match (first == number, last == number) {
            (true, true) => {
                self.intervals.remove(at);
            }
            (true, false) => self.intervals[at].0 = number + 1,
            (false, true) => self.intervals[at].1 = number - 1,
            (false, false) => {
                self.intervals[at].1 = number - 1;
                self.intervals.insert(at + 1, (number + 1, last));
            }
        }
    }

    /// As bytes: the distance of each bound from the one before, as varints.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.intervals.len() * 4);
        let mut before = 0;
        for (first, last) in &self.intervals {
            crate::varint::write(&mut bytes, first - before);
            crate::varint::write(&mut bytes, last - first);
            before = *last;
        }
        bytes
    }

    /// From what [`encode`](Self::encode) wrote.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, IntervalsError> {
        let mut intervals = Vec::new();
        let mut before = 0_u64;
        while !bytes.is_empty() {
            let gap = crate::varint::read(&mut bytes).ok_or(IntervalsError)?;
            let length = crate::varint::read(&mut bytes).ok_or(IntervalsError)?;
            let first = before.checked_add(gap).ok_or(IntervalsError)?;
            let last = first.checked_add(length).ok_or(IntervalsError)?;
            if gap < 2 && !intervals.is_empty() {
                return Err(IntervalsError);
            }
            intervals.push((first, last));
            before = last;
        }
        Ok(Self { intervals })
    }

    /// Index of the first interval that begins after `number`.
    fn after(&self, number: u64) -> usize {
        self.intervals.partition_point(|(first, _)| *first <= number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_of_numbers(steps in prop::collection::vec((any::<bool>(), 0_u64..40), 0..200)) {
            let mut intervals = SeqIntervals::default();
            let mut model = BTreeSet::new();
            for (insert, number) in steps {
                if insert {
                    let inserted = intervals.insert(number);
                    prop_assert_eq!(inserted == Inserted::New, model.insert(number));
                } else {
                    intervals.remove(number);
                    model.remove(&number);
                }
                for number in 0..41 {
                    prop_assert_eq!(intervals.contains(number), model.contains(&number));
                }
                let touching = intervals.intervals.windows(2).any(|pair| pair[0].1 + 1 >= pair[1].0);
                prop_assert!(!touching, "{:?}", intervals);
            }
            prop_assert_eq!(SeqIntervals::decode(&intervals.encode()), Ok(intervals));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = SeqIntervals::decode(&bytes);
        }
    }

    #[test]
    fn gaps_are_what_is_missing() {
        let mut intervals = SeqIntervals::default();
        for number in [1, 2, 5, 9, u64::MAX, 0] {
            assert_eq!(intervals.insert(number), Inserted::New);
        }
        assert_eq!(intervals.insert(u64::MAX), Inserted::Present);
        assert_eq!(intervals.gaps().collect::<Vec<_>>(), [(3, 4), (6, 8), (10, u64::MAX - 1)]);
        assert_eq!(SeqIntervals::decode(&intervals.encode()), Ok(intervals));
    }

    #[test]
    fn a_producer_full_of_gaps_is_refused_and_may_fill_them() {
        let mut intervals = SeqIntervals::default();
        for number in 0..MAX_INTERVALS as u64 {
            assert_eq!(intervals.insert(number * 2), Inserted::New);
        }
        assert_eq!(intervals.insert(MAX_INTERVALS as u64 * 2), Inserted::Full);
        assert_eq!(intervals.insert(1), Inserted::New);
        assert_eq!(intervals.insert(MAX_INTERVALS as u64 * 2), Inserted::New);
    }
}
