//! Ids of events that came without a `producer_seq`.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use graflow_model::{EventId, Project, Timestamp};

/// How many events back an id is surely known.
pub const WINDOW_EVENTS: usize = 2_000_000;
/// How long an id is surely known if the window is not full, in microseconds.
pub const WINDOW_MICROS: i64 = 24 * 3600 * 1_000_000;
/// What a hash set of 2^18 places holds before it would double.
const GENERATION_EVENTS: usize = (1 << 18) / 8 * 7;

/// An event id of a project, as 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdHash(pub u128);

impl IdHash {
    /// The hash of an id.
    pub fn of(project: &Project, event_id: &EventId) -> Self {
        Self(super::wide_hash(project.as_str(), event_id.as_str()))
    }
}

impl std::hash::Hash for IdHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::try_from(self.0 & u128::from(u64::MAX)).unwrap_or_default());
    }
}

/// It is a hash already.
#[derive(Clone, Copy, Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A window of ids: exact for the last two million or 24 hours, whichever is less.
///
/// Ids are kept in generations of a fixed size, and the oldest generation is forgotten as a whole: that costs
/// no queue beside the sets (45 MB when full) and no work per id, and a lookup looks at ten sets at most.
#[derive(Debug, Default)]
pub struct RecentIds {
    generations: VecDeque<Generation>,
}

#[derive(Debug)]
struct Generation {
    ids: HashSet<IdHash, BuildHasherDefault<AsIs>>,
    newest: Timestamp,
}

impl RecentIds {
    /// Adds an id; false if it is known.
    pub fn insert(&mut self, id: IdHash, now: Timestamp) -> bool {
        self.forget_old(now);
        if self.generations.iter().any(|generation| generation.ids.contains(&id)) {
            return false;
        }
        match self.generations.back_mut() {
            Some(generation) if generation.ids.len() < GENERATION_EVENTS => {
                generation.newest = generation.newest.max(now);
                generation.ids.insert(id);
            }
            _ => {
                let mut ids = HashSet::default();
                ids.insert(id);
                self.generations.push_back(Generation { ids, newest: now });
            }
        }
        true
    }

    /// Takes an id out again.
    pub fn remove(&mut self, id: IdHash) {
        for generation in self.generations.iter_mut().rev() {
            if generation.ids.remove(&id) {
                break;
            }
        }
    }

    /// How many ids are known.
    pub fn len(&self) -> usize {
        self.generations.iter().map(|generation| generation.ids.len()).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn forget_old(&mut self, now: Timestamp) {
        while let Some(oldest) = self.generations.front() {
            let full = self.len() - oldest.ids.len() >= WINDOW_EVENTS;
            let old = now.micros_since(oldest.newest) > WINDOW_MICROS;
            if !full && !old {
                break;
            }
            self.generations.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> IdHash {
        IdHash(u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 1)
    }

    fn at_hour(hour: i64) -> Timestamp {
        Timestamp::from_micros(hour * 3_600_000_000)
    }

    #[test]
    fn the_last_two_millions_are_known_and_memory_ends_there() {
        let mut ids = RecentIds::default();
        for number in 0..3_000_000 {
            assert!(ids.insert(id(number), at_hour(0)));
        }
        assert!(ids.len() < WINDOW_EVENTS + 2 * GENERATION_EVENTS);
        for number in (1_000_000..3_000_000).step_by(997) {
            assert!(!ids.insert(id(number), at_hour(0)), "{number}");
        }
        // 2^18 places of 17 bytes each, a generation.
        assert!(ids.generations.len() <= 10, "{}", ids.generations.len());
        assert!(ids.generations.iter().all(|generation| generation.ids.capacity() <= GENERATION_EVENTS));
    }

    #[test]
    fn a_day_later_they_are_forgotten() {
        let mut ids = RecentIds::default();
        assert!(ids.insert(id(1), at_hour(0)));
        assert!(!ids.insert(id(1), at_hour(23)));
        assert!(ids.insert(id(2), at_hour(25)));
        assert_eq!(ids.len(), 1);
        // A clock that was set back forgets nothing.
        assert!(!ids.insert(id(2), at_hour(-90)));
    }

    #[test]
    fn the_project_is_part_of_the_id() {
        let (a, b) = (Project::from("ab"), Project::from("a"));
        assert_ne!(IdHash::of(&a, &"c".into()), IdHash::of(&b, &"bc".into()));
        assert_eq!(IdHash::of(&a, &"c".into()), IdHash::of(&a, &"c".into()));
    }
}
