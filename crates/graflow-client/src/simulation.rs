//! The sender without its thread: for simulations, which are the clock and the network themselves.

use std::time::Duration;

use fastrand::Rng;
use graflow_model::{Event, Timestamp};

use crate::identity::Identity;
use crate::producer::Settings;
use crate::queue::Drops;
use crate::sender::{Encoder, Input, Moment, Sender, Tuning};
use crate::spool::{Backlog, Files, Limits};
use crate::statistics::Statistics;
use crate::transport::{Answer, Post};

/// The sender of a producer, driven by hand. Dropping it is a process that dies.
#[derive(Debug)]
pub struct SimulatedSender(Sender);

/// What it wants.
#[derive(Debug, Default)]
pub struct Wish {
    /// To send this; the next one comes only after [`SimulatedSender::answer`].
    pub post: Option<Post>,
    /// To be woken then at the latest, in microseconds of the monotonic clock.
    pub wake_at_us: Option<i64>,
}

impl SimulatedSender {
    /// A sender that keeps its spool in `files`.
    pub fn new(settings: &Settings, identity: &Identity, files: Box<dyn Files>, seed: u64) -> Self {
        let tuning = Tuning {
            batch: Limits { events: settings.batch_events, bytes: settings.batch_bytes },
            interval: settings.interval,
            heartbeat: settings.heartbeat,
            retry_first: settings.retry_first,
            retry_longest: settings.retry_longest,
        };
        let (producer, project) = (identity.producer().clone(), settings.project.clone());
        let backlog = Backlog::new(
            Some(files),
            producer.clone(),
            project.clone(),
            settings.spool_bytes,
            settings.memory_bytes,
        );
        let encoder = Encoder::new(producer, Rng::with_seed(seed));
        Self(Sender::new(project, tuning, encoder, backlog, Rng::with_seed(seed)))
    }

    /// Hands events in, or none when only time has passed.
    pub fn take(&mut self, events: Vec<Event>, time: Timestamp, mono: Duration) -> Wish {
        self.step(Input::Taken(events, Drops::default()), time, mono)
    }

    /// What became of the post that is on its way.
    pub fn answer(&mut self, answer: Answer, time: Timestamp, mono: Duration) -> Wish {
        self.step(Input::Answered(answer), time, mono)
    }

    /// What it counts.
    pub fn statistics(&self) -> Statistics {
        self.0.statistics()
    }

    fn step(&mut self, input: Input, time: Timestamp, mono: Duration) -> Wish {
        let output = self.0.step(input, Moment { time, mono_us: crate::clock::micros(mono) });
        Wish { post: output.post, wake_at_us: output.wake_at_us }
    }
}
