//! The joins that the fold is made of: each takes events in any order, any number of times, to one value.

use std::sync::Arc;

use crate::event::Event;
use crate::id::EventId;
use crate::row::{DurationSource, Span};
use crate::time::Timestamp;

/// The value of the earliest event that had one, by (time, event id).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Earliest<T>(Option<(Timestamp, EventId, T)>);

impl<T> Default for Earliest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Earliest<T> {
    /// Takes the value of `event`; says whether it is the earliest now.
    pub(crate) fn join(&mut self, event: &Event, value: T) -> bool {
        let earlier = self.0.as_ref().is_none_or(|(time, id, _)| (event.time, &event.event_id) < (*time, id));
        if earlier {
            self.0 = Some((event.time, event.event_id.clone(), value));
        }
        earlier
    }

    /// The value.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, _, value)| value)
    }

    /// When, by the event that has it.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        self.0.as_ref().map(|(time, _, _)| *time)
    }
}

/// The time of an event on both of its producer's clocks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moment {
    pub(crate) time: Timestamp,
    mono_us: Option<i64>,
    /// Host and boot; monotonic times compare only where it is equal.
    clock_domain: Option<Arc<str>>,
}

impl Moment {
    pub(crate) fn of(event: &Event) -> Self {
        Self {
            time: event.time,
            mono_us: event.mono_us,
            clock_domain: event
                .producer
                .as_ref()
                .and_then(|producer| producer.clock_domain())
                .filter(|_| event.mono_us.is_some())
                .map(Arc::from),
        }
    }

    /// Whether both were told by one machine, so that their order is beyond doubt.
    pub(crate) fn same_clock(&self, other: &Self) -> bool {
        self.clock_domain.is_some() && self.clock_domain == other.clock_domain
    }

    /// Microseconds from `start` to here and how they were measured; may be negative.
    fn micros_since(&self, start: &Self) -> (i64, DurationSource) {
        match (start.mono_us, self.mono_us) {
            (Some(from), Some(to)) if self.same_clock(start) => {
                (to.saturating_sub(from), DurationSource::Mono)
            }
            _ => (self.time.micros_since(start.time), DurationSource::Wall),
        }
    }

    /// How long it took from `start` to here; a negative time reads as none at all.
    pub(crate) fn span_since(&self, start: &Self) -> Span {
        let (micros, source) = self.micros_since(start);
        Span { micros: u64::try_from(micros).unwrap_or(0), source }
    }

    /// Whether this is before `start` though it cannot be.
    pub(crate) fn is_before(&self, start: &Self) -> bool {
        self.micros_since(start).0 < 0
    }
}

/// Every end that was told of one thing. The one with the greatest rank counts, ties by smallest event id;
/// the others are kept for people to see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ends<T>(Vec<End<T>>);

/// One end that was told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End<T> {
    rank: u8,
    pub(crate) event_id: EventId,
    pub(crate) moment: Moment,
    pub(crate) value: T,
}

impl<T> Default for Ends<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Ends<T> {
    /// Takes one; says whether it was new.
    pub(crate) fn join(&mut self, event: &Event, rank: u8, value: T) -> bool {
        if self.0.iter().any(|end| end.event_id == event.event_id) {
            return false;
        }
        let place = self.0.partition_point(|end| {
            (std::cmp::Reverse(end.rank), &end.event_id) < (std::cmp::Reverse(rank), &event.event_id)
        });
        self.0
            .insert(place, End { rank, event_id: event.event_id.clone(), moment: Moment::of(event), value });
        true
    }

    /// The end that counts.
    pub(crate) fn winner(&self) -> Option<&End<T>> {
        self.0.first()
    }

    /// The ends that do not count.
    pub(crate) fn losers(&self) -> &[End<T>] {
        self.0.get(1..).unwrap_or_default()
    }
}
