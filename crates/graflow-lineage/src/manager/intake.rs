//! Events in.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use graflow_model::event::{EventType, Payload};
use graflow_model::{EventError, Project, Seq};

use super::LineageManager;
use crate::ingest::{self, BodyError, BodyFormat};
use crate::store::{AppendError, Appended, Batch, EventResult, Incoming, Receipt};

/// A body that was read and handed to the store; the answer is to come.
#[derive(Debug)]
pub struct Ingest {
    receipt: Option<Receipt>,
    last_seq: Seq,
    places: Vec<Place>,
    unknown_types: Vec<(usize, Arc<str>)>,
}

/// What is known of an event before the store has answered.
#[derive(Debug, Clone)]
enum Place {
    Handed,
    Heartbeat,
    Invalid(EventError),
}

/// What became of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// One result an event, in the order of the body; none for a heartbeat, which is heard and not kept.
    pub results: Vec<Option<EventResult>>,
    /// The last number given so far, to whichever project.
    pub last_seq: Seq,
    /// Types that this version does not know, each with the place of its first event; at most [`UNKNOWN_TYPES`].
    pub unknown_types: Vec<(usize, Arc<str>)>,
}

/// How many types that it does not know one answer names.
pub const UNKNOWN_TYPES: usize = 20;

impl LineageManager {
    /// Whether events would be taken now: asked before a body is read, so that what is sent away costs little.
    ///
    /// # Errors
    /// When no event would be.
    pub fn has_room(&self) -> Result<(), AppendError> {
        self.store.has_room()
    }

    /// Hears the heartbeats in the lines of a body that is sent away: a run does not count as lost because the server
    /// has too much to do.
    pub fn hear_heartbeats(&self, project: &Project, body: &[u8]) {
        for incoming in ingest::heartbeats(body) {
            self.heartbeat(project, &incoming);
        }
    }

    /// Reads a body and hands its events to the store. They are on disk when [`Ingest::finish`] answers.
    ///
    /// A heartbeat without `producer_seq` is a sign of life and nothing else: it is not logged.
    ///
    /// # Errors
    /// When the body is refused as a whole.
    pub fn ingest(&self, project: &Project, body: &[u8], format: BodyFormat) -> Result<Ingest, BodyError> {
        let parsed = ingest::parse(body, format)?;
        self.invalid.fetch_add(parsed.invalid.len() as u64, Ordering::Relaxed);
        let mut places = vec![Place::Handed; parsed.total];
        for invalid in parsed.invalid {
            places[invalid.index] = Place::Invalid(invalid.error);
        }
        let mut events = Vec::with_capacity(parsed.events.len());
        let mut unknown_types: Vec<(usize, Arc<str>)> = Vec::new();
        for (index, incoming) in parsed.events {
            if let EventType::Other(name) = &incoming.event.event_type
                && unknown_types.len() < UNKNOWN_TYPES
                && unknown_types.iter().all(|(_, known)| known != name)
            {
                unknown_types.push((index, Arc::clone(name)));
            }
            if incoming.event.event_type == EventType::Heartbeat && incoming.event.producer_seq.is_none() {
                self.heartbeat(project, &incoming);
                places[index] = Place::Heartbeat;
            } else {
                events.push(incoming);
            }
        }
        let receipt = (!events.is_empty()).then(|| {
            let received = self.clock().now();
            self.store.append(Batch { project: project.clone(), received, events })
        });
        Ok(Ingest { receipt, last_seq: self.store.last_seq(), places, unknown_types })
    }

    fn heartbeat(&self, project: &Project, incoming: &Incoming) {
        let Ok(Payload::Heartbeat(heartbeat)) = incoming.event.payload() else { return };
        for execution_id in incoming.event.execution_id.iter().chain(&heartbeat.executions) {
            self.live.heartbeat(project, execution_id);
        }
    }
}

impl Ingest {
    /// Waits until the events are on disk.
    ///
    /// # Errors
    /// When none of them was taken.
    pub async fn finish(self) -> Result<Ingested, AppendError> {
        let appended = match self.receipt {
            Some(receipt) => receipt.await?,
            None => Appended { results: Vec::new(), last_seq: self.last_seq },
        };
        let mut stored = appended.results.into_iter();
        let results = self.places.into_iter().map(|place| match place {
            Place::Handed => stored.next(),
            Place::Heartbeat => None,
            Place::Invalid(error) => Some(EventResult::Invalid(error)),
        });
        Ok(Ingested {
            results: results.collect(),
            last_seq: appended.last_seq,
            unknown_types: self.unknown_types,
        })
    }
}
