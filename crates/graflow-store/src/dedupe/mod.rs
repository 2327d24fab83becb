//! Exactly-once: which events are new, decided before they get a number.
//!
//! An event with a `producer_seq` is known by project, producer and that number: per producer,
//! [`SeqIntervals`] hold every number that was taken. An event without one is known by its `event_id`, for the last two million such
//! events or 24 hours ([`RecentIds`]); an older resend gets a new number and changes no state, because the
//! fold knows events by their id.
//!
//! [`Dedupe`] does no I/O. Verdicts are provisional until [`Dedupe::commit`]; [`Dedupe::roll_back`] forgets them when
//! the events did not reach the disk. Producers that it does not know yet it names ([`Dedupe::knows`]), and the
//! caller teaches them to it from what is stored ([`Dedupe::learn`]).

mod recent_ids;
mod seq_intervals;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use graflow_model::{Event, EventId, ProducerId, Project, Seq, Timestamp};

pub use recent_ids::{IdHash, RecentIds, WINDOW_EVENTS, WINDOW_MICROS};
pub use seq_intervals::{IntervalsError, MAX_INTERVALS, SeqIntervals};

use seq_intervals::Inserted;

/// Producers kept in memory; more are forgotten, longest unused first, once what they sent is stored.
const RESIDENT_PRODUCERS: usize = 8192;

/// Numbers per producer for which the event id is remembered, to tell a resend from a reused number.
const REMEMBERED_IDS: usize = 128;

/// What an event is known by.
#[derive(Clone, Copy, Debug)]
pub struct EventKey<'a> {
    /// Whose it is.
    pub project: &'a Project,
    /// Its producer and that producer's count, if it says both.
    pub producer: Option<(&'a ProducerId, u64)>,
    /// Its id.
    pub event_id: &'a EventId,
}

impl<'a> EventKey<'a> {
    /// The key of an event.
    pub fn of(project: &'a Project, event: &'a Event) -> Self {
        let producer = event.producer.as_ref().zip(event.producer_seq);
        Self { project, producer, event_id: &event.event_id }
    }
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Never seen.
    New,
    /// Taken before.
    Duplicate,
    /// The producer gave the same number to another event.
    ProducerSeqReused,
    /// The producer left more gaps in its numbers than are kept.
    TooManyGaps,
}

/// A point between two verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(usize);

/// The memory of what was taken.
#[derive(Debug, Default)]
pub struct Dedupe {
    producers: HashMap<ProducerKey, Producer>,
    recent_ids: RecentIds,
    /// The newest verdicts of "new", which a roll-back takes away again.
    provisional: Vec<Provisional>,
    /// Everything up to here is stored, so that a producer can be learnt again from what is stored.
    stored: Seq,
    commits: u64,
    last_producer: Option<(Project, ProducerId, ProducerKey)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ProducerKey(u128);

#[derive(Debug, Default)]
struct Producer {
    taken: SeqIntervals,
    /// (`producer_seq`, hash of the event id), at `producer_seq` modulo the length.
    ids: Vec<(u64, u64)>,
    /// The newest number under which something of it was committed.
    newest: Seq,
    used: u64,
}

#[derive(Debug)]
enum Provisional {
    Numbered { key: ProducerKey, producer_seq: u64, replaced: (u64, u64) },
    ById(IdHash),
}

impl Dedupe {
    /// A memory that knows the event ids that were stored.
    pub fn new(recent_ids: RecentIds) -> Self {
        Self { recent_ids, ..Self::default() }
    }

    /// Whether the producer's numbers are in memory. If not, [`learn`](Self::learn) them before its events are
    /// judged.
    pub fn knows(&mut self, project: &Project, producer: &ProducerId) -> bool {
        let key = self.producer_key(project, producer);
        self.producers.contains_key(&key)
    }

    /// Takes over the numbers that are stored for a producer; none for a new one.
    pub fn learn(&mut self, project: &Project, producer: &ProducerId, taken: SeqIntervals) {
        let key = self.producer_key(project, producer);
        self.producers.insert(key, Producer { taken, used: self.commits, ..Producer::default() });
    }

    /// Says what an event is, and remembers it if it is new.
    pub fn judge(&mut self, key: EventKey<'_>, now: Timestamp) -> Verdict {
        let Some((producer, producer_seq)) = key.producer else {
            let id = IdHash::of(key.project, key.event_id);
            if !self.recent_ids.insert(id, now) {
                return Verdict::Duplicate;
            }
            self.provisional.push(Provisional::ById(id));
            return Verdict::New;
        };
        let producer_key = self.producer_key(key.project, producer);
        let producer = self.producers.entry(producer_key).or_default();
        producer.used = self.commits;
        let id = short_hash(key.event_id);
        match producer.taken.insert(producer_seq) {
            Inserted::New => {
                let replaced = producer.remember(producer_seq, id);
                self.provisional.push(Provisional::Numbered { key: producer_key, producer_seq, replaced });
                Verdict::New
            }
            Inserted::Present => match producer.remembered(producer_seq) {
                Some(known) if known != id => Verdict::ProducerSeqReused,
                _ => Verdict::Duplicate,
            },
            Inserted::Full => Verdict::TooManyGaps,
        }
    }

    /// What was judged since the last commit is on disk, under numbers up to `newest`.
    pub fn commit(&mut self, newest: Seq) {
        for provisional in self.provisional.drain(..) {
            if let Provisional::Numbered { key, .. } = provisional
                && let Some(producer) = self.producers.get_mut(&key)
            {
                producer.newest = newest;
            }
        }
        self.commits += 1;
        if self.producers.len() > RESIDENT_PRODUCERS + RESIDENT_PRODUCERS / 8 {
            self.forget_idle_producers();
        }
    }

    /// A point that [`roll_back_to`](Self::roll_back_to) goes back to; good until the next commit.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.provisional.len())
    }

    /// What was judged since the last commit did not reach the disk.
    pub fn roll_back(&mut self) {
        self.roll_back_to(Savepoint(0));
    }

    /// What was judged since then will not reach the disk.
    pub fn roll_back_to(&mut self, savepoint: Savepoint) {
        for provisional in self.provisional.drain(savepoint.0.min(self.provisional.len())..).rev() {
            match provisional {
                Provisional::ById(id) => self.recent_ids.remove(id),
                Provisional::Numbered { key, producer_seq, replaced } => {
                    if let Some(producer) = self.producers.get_mut(&key) {
                        producer.taken.remove(producer_seq);
                        producer.restore(producer_seq, replaced);
                    }
                }
            }
        }
    }

    /// Everything up to `seq` is stored where [`learn`](Self::learn) gets it from.
    pub fn set_stored(&mut self, seq: Seq) {
        self.stored = self.stored.max(seq);
    }

    fn forget_idle_producers(&mut self) {
        let stored = self.stored;
        let mut idle: Vec<_> = self
            .producers
            .iter()
            .filter(|(_, producer)| producer.newest <= stored)
            .map(|(key, producer)| (producer.used, *key))
            .collect();
        idle.sort_unstable_by_key(|(used, _)| *used);
        let too_many = self.producers.len().saturating_sub(RESIDENT_PRODUCERS);
        for (_, key) in idle.into_iter().take(too_many) {
            self.producers.remove(&key);
        }
    }

    /// Neighbours in a batch nearly always share their producer, so its key is computed once for all of them.
    fn producer_key(&mut self, project: &Project, producer: &ProducerId) -> ProducerKey {
        if let Some((known_project, known_producer, key)) = &self.last_producer
            && known_producer == producer
            && known_project == project
        {
            return *key;
        }
        let key = ProducerKey(wide_hash(project.as_str(), producer.as_str()));
        self.last_producer = Some((project.clone(), producer.clone(), key));
        key
    }
}

impl Producer {
    fn remember(&mut self, producer_seq: u64, id: u64) -> (u64, u64) {
        if self.ids.is_empty() {
            self.ids.resize(REMEMBERED_IDS, (0, 0));
        }
        self.restore(producer_seq, (producer_seq, id))
    }

    /// Puts an entry where `producer_seq` belongs, and gives the one that stood there.
    fn restore(&mut self, producer_seq: u64, entry: (u64, u64)) -> (u64, u64) {
        self.slot(producer_seq).map_or((0, 0), |slot| std::mem::replace(slot, entry))
    }

    fn remembered(&mut self, producer_seq: u64) -> Option<u64> {
        let (known, id) = *self.slot(producer_seq)?;
        (known == producer_seq && id != 0).then_some(id)
    }

    fn slot(&mut self, producer_seq: u64) -> Option<&mut (u64, u64)> {
        let at = usize::try_from(producer_seq % REMEMBERED_IDS as u64).ok()?;
        self.ids.get_mut(at)
    }
}

/// Never 0, which stands for an empty place.
fn short_hash(event_id: &EventId) -> u64 {
    let mut hasher = DefaultHasher::new();
    event_id.hash(&mut hasher);
    hasher.finish() | 1
}

fn wide_hash(project: &str, text: &str) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(project.len() as u64).to_le_bytes());
    hasher.update(project.as_bytes());
    hasher.update(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    struct Sent {
        project: Project,
        producer: Option<(ProducerId, u64)>,
        event_id: EventId,
    }

    impl Sent {
        fn key(&self) -> EventKey<'_> {
            let producer = self.producer.as_ref().map(|(producer, seq)| (producer, *seq));
            EventKey { project: &self.project, producer, event_id: &self.event_id }
        }
    }

    fn numbered(producer: &str, producer_seq: u64, event_id: &str) -> Sent {
        let producer = Some((ProducerId::from(producer), producer_seq));
        Sent { project: Project::default(), producer, event_id: EventId::from(event_id) }
    }

    /// Honest producers: an event has one number and one id, for ever.
    fn sent() -> impl Strategy<Value = Sent> {
        let numbered = (0_u8..3, 0_u8..3, 1_u64..40).prop_map(|(project, producer, seq)| Sent {
            project: Project::from(format!("project {project}")),
            producer: Some((ProducerId::from(format!("producer {producer}")), seq)),
            event_id: EventId::from(format!("{producer} {seq}")),
        });
        let by_id = (0_u8..3, 0_u8..40).prop_map(|(project, id)| Sent {
            project: Project::from(format!("project {project}")),
            producer: None,
            event_id: EventId::from(format!("id {id}")),
        });
        prop_oneof![numbered, by_id]
    }

    proptest! {
        #[test]
        fn batches_sent_three_times_shuffled_are_taken_once(
            (once, shuffled) in prop::collection::vec(prop::collection::vec(sent(), 1..10), 1..12).prop_flat_map(|batches| {
                let thrice = [batches.clone(), batches.clone(), batches.clone()].concat();
                (Just(batches), Just(thrice).prop_shuffle())
            }),
            failures in prop::collection::vec(any::<bool>(), 40),
        ) {
            let mut dedupe = Dedupe::default();
            let mut accepted = Vec::new();
            // A batch that fails is sent again at the end, as a client would.
            let mut queue: std::collections::VecDeque<_> = shuffled.into_iter().zip(failures).collect();
            while let Some((batch, fails)) = queue.pop_front() {
                let new: Vec<_> = batch.iter().filter(|sent| dedupe.judge(sent.key(), NOW) == Verdict::New).cloned().collect();
                if fails {
                    dedupe.roll_back();
                    queue.push_back((batch, false));
                } else {
                    dedupe.commit(Seq(1));
                    accepted.extend(new);
                }
            }
            let expected: HashSet<_> = once.concat().into_iter().collect();
            prop_assert_eq!(accepted.len(), expected.len(), "nothing twice");
            prop_assert_eq!(accepted.into_iter().collect::<HashSet<_>>(), expected, "nothing missing");
        }
    }

    #[test]
    fn a_reused_number_is_told_apart_from_a_resend_while_its_id_is_remembered() {
        let mut dedupe = Dedupe::default();
        let mut judge = |sent: &Sent| dedupe.judge(sent.key(), NOW);
        assert_eq!(judge(&numbered("p", 1, "a")), Verdict::New);
        assert_eq!(judge(&numbered("p", 1, "a")), Verdict::Duplicate);
        assert_eq!(judge(&numbered("p", 1, "b")), Verdict::ProducerSeqReused);
        assert_eq!(judge(&numbered("q", 1, "b")), Verdict::New, "numbers are per producer");
        for seq in 2..200 {
            assert_eq!(judge(&numbered("p", seq, "x")), Verdict::New);
        }
        assert_eq!(judge(&numbered("p", 1, "b")), Verdict::Duplicate, "too long ago to tell");
        assert_eq!(judge(&numbered("p", 150, "b")), Verdict::ProducerSeqReused);
    }

    #[test]
    fn a_roll_back_leaves_what_was_committed() {
        let mut dedupe = Dedupe::default();
        let (old, new) = (numbered("p", 1, "a"), numbered("p", 129, "b"));
        assert_eq!(dedupe.judge(old.key(), NOW), Verdict::New);
        dedupe.commit(Seq(1));
        assert_eq!(dedupe.judge(new.key(), NOW), Verdict::New);
        dedupe.roll_back();
        assert_eq!(dedupe.judge(numbered("p", 1, "c").key(), NOW), Verdict::ProducerSeqReused);
        assert_eq!(dedupe.judge(new.key(), NOW), Verdict::New);
    }

    #[test]
    fn idle_producers_leave_memory_only_once_stored_and_can_be_learnt_again() {
        let mut dedupe = Dedupe::default();
        let project = Project::default();
        let count = RESIDENT_PRODUCERS + RESIDENT_PRODUCERS / 8 + 1;
        for seq in 1..=count as u64 {
            let sent = numbered(&format!("p{seq}"), 1, "a");
            assert_eq!(dedupe.judge(sent.key(), NOW), Verdict::New);
            dedupe.commit(Seq(seq));
        }
        assert!(dedupe.knows(&project, &"p1".into()), "nothing is stored yet");
        dedupe.set_stored(Seq(500));
        dedupe.commit(Seq(count as u64));
        assert!(!dedupe.knows(&project, &"p1".into()) && !dedupe.knows(&project, &"p500".into()));
        assert!(dedupe.knows(&project, &"p501".into()));
        let mut stored = SeqIntervals::default();
        stored.insert(1);
        dedupe.learn(&project, &"p1".into(), stored);
        assert_eq!(dedupe.judge(numbered("p1", 1, "a").key(), NOW), Verdict::Duplicate);
        assert_eq!(dedupe.judge(numbered("p1", 2, "b").key(), NOW), Verdict::New);
    }
}
