//! What answers mean: what is delivered, what is sent again and when.

use std::time::Duration;

use graflow_wire::PostAnswer;

use super::{InFlight, LEFT_AGAIN_US, Moment, Output, SMALLEST_BATCH, Sender};
use crate::clock::micros;
use crate::statistics::Reach;
use crate::transport::Answer;

/// The longest that a server's `Retry-After` is believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);

impl Sender {
    pub(super) fn answered(&mut self, answer: Answer, now: Moment, output: &mut Output) {
        let Some(flight) = self.in_flight.take() else { return };
        self.asked_to_wait = false;
        match answer {
            Answer::Taken(answer) => self.taken(flight, &answer, output),
            Answer::Refused { reason } => self.refused(flight, reason, output),
            Answer::Later { retry_after, reason } => {
                self.backlog.put_back();
                self.failures = self.failures.saturating_add(1);
                // From here the backoff sets the pace, not the interval.
                self.last_post_us = None;
                self.statistics.retries += 1;
                self.statistics.reach = Reach::Failing;
                let wait = retry_after.map(|wait| wait.min(LONGEST_RETRY_AFTER));
                self.asked_to_wait = wait.is_some();
                let wait = wait.unwrap_or_else(|| self.backoff());
                self.not_before_us = now.mono_us.saturating_add(micros(wait));
                let message = format!("events cannot be delivered now and are kept: {reason}");
                self.warn("later", message, output);
                self.statistics.last_error = Some(reason);
            }
            Answer::LeaveInSpool => {
                self.backlog.put_back();
                self.backlog.release();
                self.statistics.reach = Reach::LeftInSpool;
                self.failures = 0;
                self.next_adopt_us = now.mono_us;
                self.not_before_us = now.mono_us.saturating_add(LEFT_AGAIN_US);
            }
        }
    }

    fn taken(&mut self, flight: InFlight, answer: &PostAnswer, output: &mut Output) {
        if flight.events > 0 {
            self.settle(flight);
        }
        self.failures = 0;
        self.not_before_us = i64::MIN;
        self.statistics.reach = Reach::Good;
        self.statistics.duplicates += answer.duplicates;
        self.warned.remove("later");
        self.batch_events = (self.batch_events * 2).min(self.tuning.batch.events);
        let invalid = answer.invalid.len() as u64;
        if flight.own {
            self.statistics.delivered += (flight.events as u64).saturating_sub(invalid);
        }
        self.statistics.invalid += invalid;
        if let Some(first) = answer.invalid.first() {
            let message = format!("the server refused {invalid} events: {:?}: {}", first.code, first.message);
            self.warn("invalid", message, output);
        }
    }

    /// The body as a whole was refused: find the event that is to blame by halving, and leave it behind.
    fn refused(&mut self, flight: InFlight, reason: String, output: &mut Output) {
        self.failures = 0;
        if flight.events > SMALLEST_BATCH {
            self.backlog.put_back();
            self.batch_events = flight.events / 2;
            self.statistics.retries += 1;
        } else if flight.events == SMALLEST_BATCH {
            self.settle(flight);
            self.statistics.invalid += 1;
        }
        self.not_before_us = i64::MIN;
        let message = format!("the server refused a request: {reason}");
        self.warn("refused", message, output);
        self.statistics.last_error = Some(reason);
    }

    fn settle(&mut self, flight: InFlight) {
        self.backlog.settle();
        if flight.own {
            self.settled += flight.events as u64;
        }
    }

    /// Waits longer after each failure, and never as long as the others that wait.
    fn backoff(&mut self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        let full = self.tuning.retry_first.saturating_mul(1 << doublings).min(self.tuning.retry_longest);
        full.mul_f64(0.5 + self.rng.f64() / 2.0)
    }
}
