//! The machine itself.

mod answers;

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use fastrand::Rng;
use graflow_model::{Event, EventType, ExecutionId, Project, Timestamp};

use super::Encoder;
use crate::clock::micros;
use crate::queue::Drops;
use crate::spool::{Backlog, Frame, Limits, Pushed};
use crate::statistics::{Reach, Statistics};
use crate::transport::{Answer, Post};

/// From so many waiting events on, a request does not wait for the interval.
const BIG_BATCH: u64 = 1_000;
/// How often a folder is searched for files of dead producers.
const ADOPT_EVERY_US: i64 = 30_000_000;
/// How often a transport is asked again that left everything in the spool.
const LEFT_AGAIN_US: i64 = 1_000_000;
/// Executions of which the end of a full producer tells what they lost.
const MOST_LAST_WORDS: usize = 500;
/// An event longer than this has no place in a request.
const SMALLEST_BATCH: usize = 1;

/// The two clocks, read once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Moment {
    pub(crate) time: Timestamp,
    pub(crate) mono_us: i64,
}

/// What the sender is told.
#[derive(Debug)]
pub(crate) enum Input {
    /// These events came in, and so many had no room in the queue; perhaps none, when only time has passed.
    Taken(Vec<Event>, Drops),
    /// The request in flight was answered.
    Answered(Answer),
    /// These executions were opened or closed by hand.
    Opened(ExecutionId),
    Closed(ExecutionId),
    /// Somebody waits for everything to be delivered.
    Hurry,
}

/// What the sender wants.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// A request to send.
    pub(crate) post: Option<Post>,
    /// When to come back, if nothing else happens before.
    pub(crate) wake_at_us: Option<i64>,
    /// What people should know, each kind once.
    pub(crate) warnings: Vec<String>,
}

/// The numbers that the sender goes by.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    pub(crate) batch: Limits,
    pub(crate) interval: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) retry_first: Duration,
    pub(crate) retry_longest: Duration,
}

#[derive(Debug)]
pub(crate) struct Sender {
    project: Project,
    tuning: Tuning,
    encoder: Encoder,
    backlog: Backlog,
    rng: Rng,
    open: BTreeSet<ExecutionId>,
    /// Dropped events that no note tells of yet.
    untold: Drops,
    in_flight: Option<InFlight>,
    /// Events of this producer that went into the backlog, and that left it.
    pushed: u64,
    settled: u64,
    batch_events: usize,
    hurry: bool,
    failures: u32,
    not_before_us: i64,
    /// Whether `not_before_us` is the other side's wish, which haste does not override.
    asked_to_wait: bool,
    last_post_us: Option<i64>,
    next_heartbeat_us: i64,
    next_adopt_us: i64,
    statistics: Statistics,
    warned: BTreeSet<&'static str>,
}

#[derive(Debug, Clone, Copy)]
struct InFlight {
    /// Events without the heartbeat.
    events: usize,
    own: bool,
}

impl Sender {
    pub(crate) fn new(
        project: Project,
        tuning: Tuning,
        encoder: Encoder,
        backlog: Backlog,
        rng: Rng,
    ) -> Self {
        Self {
            project,
            batch_events: tuning.batch.events,
            tuning,
            encoder,
            backlog,
            rng,
            open: BTreeSet::new(),
            untold: Drops::default(),
            in_flight: None,
            pushed: 0,
            settled: 0,
            hurry: false,
            failures: 0,
            not_before_us: i64::MIN,
            asked_to_wait: false,
            last_post_us: None,
            next_heartbeat_us: i64::MIN,
            next_adopt_us: i64::MIN,
            statistics: Statistics::default(),
            warned: BTreeSet::new(),
        }
    }

    /// Takes an input in and says what to do next.
    pub(crate) fn step(&mut self, input: Input, now: Moment) -> Output {
        let mut output = Output::default();
        match input {
            Input::Taken(events, drops) => self.take(events, &drops, now, &mut output),
            Input::Answered(answer) => self.answered(answer, now, &mut output),
            Input::Opened(execution_id) => {
                self.open.insert(execution_id);
            }
            Input::Closed(execution_id) => {
                self.open.remove(&execution_id);
            }
            Input::Hurry => {
                self.hurry = true;
                if !self.asked_to_wait {
                    self.not_before_us = i64::MIN;
                }
            }
        }
        self.plan(now, &mut output);
        output
    }

    /// Events of this producer that were kept, ever: what a flush waits for.
    pub(crate) fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Events of this producer that are out of its hands, ever.
    pub(crate) fn settled(&self) -> u64 {
        self.settled
    }

    /// Whether everything that is not delivered is on disk.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.backlog.is_memory_empty()
    }

    /// Whether there is something to deliver, and somebody who takes it.
    pub(crate) fn is_delivering(&self) -> bool {
        self.statistics.reach == Reach::Good && (self.in_flight.is_some() || !self.backlog.is_empty())
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let (spool_bytes, memory_bytes) = self.backlog.bytes();
        Statistics {
            pending: self.pushed - self.settled,
            delivered: self.statistics.delivered,
            spool_bytes,
            memory_bytes,
            torn_bytes: self.backlog.torn_bytes(),
            disk_error: self.backlog.disk_error().map(str::to_owned),
            ..self.statistics.clone()
        }
    }

    /// Ends cleanly: delivered files leave the disk, the others are for whoever comes next. What has no room there is
    /// lost with this process; it is counted, and told in notes, for which there is room beyond the limit. Gives what
    /// people should know.
    pub(crate) fn close(&mut self, now: Moment) -> Option<String> {
        let mut given_up = 0;
        for frame in self.backlog.give_up_memory() {
            // Their numbers are not given again: the other side may have them, if only the answer is missing.
            given_up += frame.count_as_dropped(&mut self.untold);
            self.settled += frame.events as u64;
        }
        self.statistics.dropped += given_up;
        let why = self.backlog.disk_error().unwrap_or("there is no spool").to_owned();
        let last_words = self.last_words(now);
        self.backlog.close();
        (given_up > 0).then(|| match last_words {
            Ok(()) => format!("{given_up} events are lost with the end of this process: {why}"),
            Err(error) => {
                format!("{given_up} events are lost with the end of this process, untold: {why}; {error}")
            }
        })
    }

    /// Tells of what no note told yet.
    fn last_words(&mut self, now: Moment) -> io::Result<()> {
        let untold = std::mem::take(&mut self.untold);
        for (execution_id, dropped) in untold.by_execution.iter().take(MOST_LAST_WORDS) {
            let note = self.encoder.drop_note(execution_id, *dropped, now);
            // A note is far below the limit of an event.
            let _ = self.encoder.add(note);
        }
        self.encoder.frame().map_or(Ok(()), |frame| self.backlog.push_last(&frame))
    }

    fn take(&mut self, events: Vec<Event>, drops: &Drops, now: Moment, output: &mut Output) {
        self.statistics.dropped += drops.total;
        self.untold.add(drops);
        let mut executions = Vec::with_capacity(events.len().min(1_024));
        for event in events {
            self.follow(&event);
            let execution_id = event.execution_id.clone();
            if self.encode(event, output) {
                executions.push(execution_id);
            }
            if self.encoder.is_full() {
                self.keep(&mut executions);
            }
        }
        self.keep(&mut executions);
        self.tell_drops(now, output);
        if let Some(error) = self.backlog.disk_error() {
            let message = format!("events are not written to the spool: {error}");
            self.warn("disk", message, output);
        } else {
            self.warned.remove("disk");
        }
    }

    /// Executions that begin and end here are alive in between.
    fn follow(&mut self, event: &Event) {
        let Some(execution_id) = &event.execution_id else { return };
        if event.event_type == EventType::WorkflowStarted {
            self.open.insert(execution_id.clone());
        } else if event.event_type.is_workflow_end() {
            self.open.remove(execution_id);
        }
    }

    fn encode(&mut self, event: Event, output: &mut Output) -> bool {
        let Err(too_large) = self.encoder.add(event) else { return true };
        self.statistics.invalid += 1;
        let message = format!("an event of {} bytes is longer than any server takes", too_large.bytes);
        self.warn("too_large", message, output);
        false
    }

    /// Moves what is encoded to the backlog.
    fn keep(&mut self, executions: &mut Vec<Option<ExecutionId>>) {
        if let Some(Frame { bytes, events }) = self.encoder.frame() {
            match self.backlog.push(Frame { bytes, events }) {
                Pushed::Disk | Pushed::Memory => self.pushed += events as u64,
                Pushed::Refused => {
                    self.encoder.take_back(events);
                    for execution_id in executions.iter() {
                        self.untold.count(execution_id.as_ref(), 1);
                    }
                    self.statistics.dropped += executions.len() as u64;
                }
            }
        }
        executions.clear();
    }

    /// Puts a note into each execution that lost events, as soon as there is room for it.
    fn tell_drops(&mut self, now: Moment, output: &mut Output) {
        if self.untold.total == 0 {
            return;
        }
        let message = format!("{} events dropped: queue and spool are full", self.statistics.dropped);
        self.warn("dropped", message, output);
        let untold = std::mem::take(&mut self.untold);
        for (execution_id, dropped) in &untold.by_execution {
            let note = self.encoder.drop_note(execution_id, *dropped, now);
            self.encode(note, output);
        }
        let Some(frame) = self.encoder.frame() else { return };
        let events = frame.events;
        match self.backlog.push(frame) {
            Pushed::Disk | Pushed::Memory => self.pushed += events as u64,
            Pushed::Refused => {
                self.encoder.take_back(events);
                self.untold = untold;
            }
        }
    }

    fn plan(&mut self, now: Moment, output: &mut Output) {
        if self.in_flight.is_some() {
            return;
        }
        if self.backlog.is_own_empty() {
            // Also what was left to the folder's owner, or lost to a damaged disk, is out of our hands.
            self.settled = self.pushed;
        }
        if now.mono_us < self.not_before_us {
            if self.has_work() {
                output.wake_at_us = Some(self.not_before_us);
            }
            return;
        }
        if self.statistics.reach == Reach::Good
            && self.backlog.is_own_empty()
            && now.mono_us >= self.next_adopt_us
        {
            self.next_adopt_us = now.mono_us.saturating_add(ADOPT_EVERY_US);
            self.backlog.adopt();
        }
        let heartbeat = !self.open.is_empty() && now.mono_us >= self.next_heartbeat_us;
        let interval_ends =
            self.last_post_us.map_or(i64::MIN, |at| at.saturating_add(micros(self.tuning.interval)));
        let big = self.pushed - self.settled >= BIG_BATCH;
        let may_post = heartbeat || self.hurry || big || now.mono_us >= interval_ends;
        if may_post {
            output.post = self.post(heartbeat, now);
        }
        if output.post.is_none() {
            self.hurry = false;
            // Something waits, and yet nothing could be read: the disk may be better later.
            let again = if may_post { now.mono_us.saturating_add(LEFT_AGAIN_US) } else { interval_ends };
            let interval = (!self.backlog.is_empty()).then_some(again);
            let heartbeat = (!self.open.is_empty()).then_some(self.next_heartbeat_us);
            output.wake_at_us = [interval, heartbeat].into_iter().flatten().min();
        }
    }

    fn has_work(&self) -> bool {
        !self.backlog.is_empty() || !self.open.is_empty()
    }

    fn post(&mut self, heartbeat: bool, now: Moment) -> Option<Post> {
        let limits = Limits { events: self.batch_events.max(SMALLEST_BATCH), ..self.tuning.batch };
        let batch = self.backlog.read(limits);
        if batch.is_none() && !heartbeat {
            return None;
        }
        let own = self.backlog.is_own_in_hand();
        let batch = batch.unwrap_or_default();
        let flight = InFlight { events: batch.events, own };
        let (mut body, mut events) = (batch.body, batch.events);
        if heartbeat {
            self.encoder.heartbeat(self.open.iter(), now, &mut body);
            events += 1;
            self.next_heartbeat_us = now.mono_us.saturating_add(micros(self.tuning.heartbeat));
        }
        self.in_flight = Some(flight);
        self.last_post_us = Some(now.mono_us);
        self.statistics.requests += 1;
        Some(Post { project: self.project.clone(), body, events })
    }

    /// Says something once, until it has been well again.
    fn warn(&mut self, kind: &'static str, message: String, output: &mut Output) {
        if self.warned.insert(kind) {
            output.warnings.push(message);
        }
    }
}
