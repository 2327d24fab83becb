//! Where the ids of events come from.

use graflow_model::EventId;

use crate::sink::Moment;

/// Makes ids of events, each of which names one event for ever.
pub trait EventIds: Send + 'static {
    /// The id of an event of this time.
    fn next_id(&mut self, at: Moment) -> EventId;
}

/// UUIDs of version 7: ordered by time, else random.
#[derive(Debug, Default)]
pub struct RandomIds {
    random: fastrand::Rng,
}

impl EventIds for RandomIds {
    fn next_id(&mut self, at: Moment) -> EventId {
        let millis = u64::try_from(at.wall_us / 1_000).unwrap_or(0);
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        EventId::from(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().to_string())
    }
}

impl<F: FnMut(Moment) -> EventId + Send + 'static> EventIds for F {
    fn next_id(&mut self, at: Moment) -> EventId {
        self(at)
    }
}
