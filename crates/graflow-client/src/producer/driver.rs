//! The thread that drives the sender: queue, clock and network in, requests out.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use graflow_model::{Clock, ExecutionId};

use crate::clock::SystemClock;
use crate::queue::{Drops, Queue};
use crate::sender::{Input, Moment, Sender};
use crate::source::Source;
use crate::statistics::{Reach, Statistics};
use crate::transport::{Answer, Delivery, Transport};

/// While events come in, the queue is emptied this often, and nobody has to be woken for it.
const LINGER: Duration = Duration::from_millis(5);
/// The thread goes to sleep when nothing came in for this long.
const ACTIVE_US: i64 = 100_000;
/// An upper bound to any sleep, so that a clock that jumps does no harm.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// So many events are encoded at once.
const PART: usize = 4_096;

/// How a flush ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has everything that was handed in before.
    Delivered,
    /// It is all on disk, and will be delivered by this process or a later one.
    Spooled,
    /// Time ran out, and some of it is in memory only.
    Incomplete,
}

/// What the handles tell the thread.
#[derive(Debug)]
pub(super) enum Command {
    Open(ExecutionId),
    Close(ExecutionId),
    Flush(mpsc::Sender<Outcome>),
    Stop(Stop),
}

/// Put everything on disk, answer, and end; not before what is under way has arrived, if that is soon.
#[derive(Debug)]
pub(super) struct Stop {
    /// What dead producers left is delivered until then, at the most.
    pub(super) until_us: i64,
    pub(super) answer: mpsc::Sender<()>,
}

/// What handles and thread share, beside the queue.
#[derive(Debug, Default)]
pub(super) struct Desk {
    commands: Mutex<Vec<Command>>,
    statistics: Mutex<Statistics>,
}

impl Desk {
    pub(super) fn command(&self, command: Command) {
        lock(&self.commands).push(command);
    }

    pub(super) fn statistics(&self) -> Statistics {
        lock(&self.statistics).clone()
    }
}

/// The thread's own state.
pub(super) struct Driver<S: Source> {
    pub(super) queue: Arc<Queue<S>>,
    pub(super) source: S,
    pub(super) desk: Arc<Desk>,
    pub(super) sender: Sender,
    pub(super) transport: Box<dyn Transport>,
}

/// Somebody waits until `target` events have been settled.
struct Flush {
    target: u64,
    /// Requests that had failed when it began: it wants one more try than that.
    retries: u64,
    answer: mpsc::Sender<Outcome>,
}

impl<S: Source> Driver<S> {
    pub(super) async fn run(mut self) {
        let mut items = Vec::new();
        let mut in_flight: Option<Delivery> = None;
        let mut flushes: Vec<Flush> = Vec::new();
        let mut stop: Option<Stop> = None;
        let mut active_until = i64::MIN;
        loop {
            let commands = std::mem::take(&mut *lock(&self.desk.commands));
            let now = now();
            // The queue is taken after the commands: what was handed in before a flush is in hand for it.
            let drops = self.queue.take(&mut items);
            if !items.is_empty() {
                active_until = now.mono_us + ACTIVE_US;
            }
            let mut wake_at_us = self.take(&mut items, drops, now, &mut in_flight);
            for command in commands {
                let input = match command {
                    Command::Open(execution_id) => Input::Opened(execution_id),
                    Command::Close(execution_id) => Input::Closed(execution_id),
                    Command::Flush(answer) => {
                        let retries = self.sender.statistics().retries;
                        flushes.push(Flush { target: self.sender.pushed(), retries, answer });
                        Input::Hurry
                    }
                    Command::Stop(asked) => {
                        stop = Some(asked);
                        Input::Hurry
                    }
                };
                wake_at_us = self.step(input, now, &mut in_flight);
            }
            // First, so that whoever flushed finds the figures of after it.
            *lock(&self.desk.statistics) = self.sender.statistics();
            self.answer_flushes(&mut flushes);
            if let Some(asked) = &stop {
                // A program that runs for a moment only has no other time for what an earlier one could not deliver.
                if asked.until_us > now.mono_us && self.sender.is_delivering() {
                    wake_at_us = Some(wake_at_us.map_or(asked.until_us, |at| at.min(asked.until_us)));
                } else {
                    drop(in_flight.take());
                    self.end(&asked.answer);
                    return;
                }
            }

            let sleep = Self::sleep(wake_at_us, active_until);
            if let Some(answer) = self.wait(&mut in_flight, sleep).await {
                in_flight = None;
                let now = self::now();
                self.step(Input::Answered(answer), now, &mut in_flight);
            }
        }
    }

    fn end(mut self, answer: &mpsc::Sender<()>) {
        if let Some(lost) = self.sender.close(now()) {
            tracing::warn!("{lost}");
        }
        *lock(&self.desk.statistics) = self.sender.statistics();
        // A transport may own a store; it is closed when we say that we ended.
        drop(self.transport);
        // Whoever asked may have stopped waiting.
        let _ = answer.send(());
    }

    /// Turns what came out of the queue into events, a part at a time.
    fn take(
        &mut self,
        items: &mut Vec<S::Item>,
        mut drops: Drops,
        now: Moment,
        in_flight: &mut Option<Delivery>,
    ) -> Option<i64> {
        let mut events = Vec::new();
        for item in items.drain(..) {
            self.source.translate(item, &mut events);
            if events.len() >= PART {
                let part = Input::Taken(std::mem::take(&mut events), std::mem::take(&mut drops));
                self.step(part, now, in_flight);
                // Whoever waits for the end of very much sees that it comes nearer.
                *lock(&self.desk.statistics) = self.sender.statistics();
            }
        }
        self.step(Input::Taken(events, drops), now, in_flight)
    }

    /// Steps, starts what is to be sent, and says when to come back.
    fn step(&mut self, input: Input, now: Moment, in_flight: &mut Option<Delivery>) -> Option<i64> {
        let output = self.sender.step(input, now);
        for warning in output.warnings {
            tracing::warn!("{warning}");
        }
        if let Some(post) = output.post {
            *in_flight = Some(self.transport.post(post));
        }
        output.wake_at_us
    }

    fn sleep(wake_at_us: Option<i64>, active_until: i64) -> Sleep {
        let now = now().mono_us;
        let until = wake_at_us.map_or(LONGEST_SLEEP, |at| {
            let micros = u64::try_from(at.saturating_sub(now)).unwrap_or(0);
            Duration::from_micros(micros).min(LONGEST_SLEEP)
        });
        if now < active_until { Sleep::Linger(until.min(LINGER)) } else { Sleep::UntilWoken(until) }
    }

    async fn wait(&self, in_flight: &mut Option<Delivery>, sleep: Sleep) -> Option<Answer> {
        let delivery = async {
            match in_flight {
                Some(delivery) => delivery.await,
                None => std::future::pending().await,
            }
        };
        match sleep {
            Sleep::Linger(time) => tokio::select! {
                answer = delivery => Some(answer),
                () = tokio::time::sleep(time) => None,
            },
            Sleep::UntilWoken(time) => tokio::select! {
                answer = delivery => Some(answer),
                () = tokio::time::sleep(time) => None,
                () = self.queue.woken() => None,
            },
        }
    }

    fn answer_flushes(&self, flushes: &mut Vec<Flush>) {
        if flushes.is_empty() {
            return;
        }
        let statistics = self.sender.statistics();
        let left_in_spool = statistics.reach == Reach::LeftInSpool;
        flushes.retain(|flush| {
            let outcome = if self.sender.settled() >= flush.target {
                if left_in_spool { Outcome::Spooled } else { Outcome::Delivered }
            } else if statistics.retries > flush.retries && self.sender.is_on_disk() {
                Outcome::Spooled
            } else {
                return true;
            };
            // Whoever asked may have stopped waiting.
            let _ = flush.answer.send(outcome);
            false
        });
    }
}

enum Sleep {
    /// Events are coming in: look again soon.
    Linger(Duration),
    /// Nothing comes in: sleep until somebody says so.
    UntilWoken(Duration),
}

pub(super) fn now() -> Moment {
    Moment { time: SystemClock.now(), mono_us: SystemClock.mono_us() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
