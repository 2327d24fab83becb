//! A program that runs workflows, and dies now and then.

use std::path::PathBuf;
use std::sync::Arc;

use fastrand::Rng;
use graflow_client::simulation::{SimulatedSender, Wish};
use graflow_client::spool::{DiskFiles, Files, SpoolFile};
use graflow_client::{Answer, Identity, Settings};
use graflow_model::event::{TaskCompleted, WorkflowEnded};
use graflow_model::{Clock as _, Event, EventType};

use super::clock::SimulatedClock;

/// A program with its spool; it survives its own deaths.
#[derive(Debug)]
pub(super) struct Producer {
    name: usize,
    folder: PathBuf,
    sender: SimulatedSender,
    pub(super) clock: Arc<SimulatedClock>,
    random: Rng,
    /// Names the life, so that answers to a dead one are not heard.
    pub(super) life: u64,
    next_event: u64,
    /// The run that is open, and its task that is.
    run: Option<(u64, Option<u64>)>,
    runs: u64,
    /// Ids of everything that was handed in.
    pub(super) handed: Vec<Event>,
}

impl Producer {
    pub(super) fn new(name: usize, folder: PathBuf, mut random: Rng) -> Self {
        let sender = sender(name, 1, &folder, random.u64(..));
        let clock = Arc::default();
        Self {
            name,
            folder,
            sender,
            clock,
            random,
            life: 1,
            next_event: 0,
            run: None,
            runs: 0,
            handed: Vec::new(),
        }
    }

    /// Some things happen in the program.
    pub(super) fn produce(&mut self) -> Wish {
        let events: Vec<Event> = (0..self.random.u64(1..8)).map(|_| self.next()).collect();
        self.hand_in(events)
    }

    /// Ends what is open, so that nothing is left to wait for.
    pub(super) fn finish(&mut self) -> Wish {
        let mut events = Vec::new();
        while self.run.is_some() {
            events.push(self.end());
        }
        self.hand_in(events)
    }

    pub(super) fn wake(&mut self) -> Wish {
        self.hand_in(Vec::new())
    }

    pub(super) fn hears(&mut self, answer: Answer) -> Wish {
        self.sender.answer(answer, self.clock.now(), self.clock.mono())
    }

    /// The process dies, perhaps in the middle of a write, and another one begins on the same spool.
    pub(super) fn die(&mut self) -> Wish {
        self.life += 1;
        let seed = self.random.u64(..);
        // Dropping the old one frees its locks; it gets no chance to tidy up.
        self.sender = sender(self.name, self.life, &self.folder, seed);
        if self.random.bool() {
            self.tear();
        }
        self.wake()
    }

    /// Whether everything has left.
    pub(super) fn is_done(&self) -> bool {
        let is_empty = || std::fs::read_dir(&self.folder).map_or(true, |mut files| files.next().is_none());
        self.sender.statistics().pending == 0 && (is_empty() || self.sender.statistics().spool_bytes == 0)
    }

    fn hand_in(&mut self, events: Vec<Event>) -> Wish {
        self.handed.extend(events.iter().cloned());
        self.sender.take(events, self.clock.now(), self.clock.mono())
    }

    /// A part of a frame at the end of a file that nobody holds.
    fn tear(&mut self) {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return };
        let mut files: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
        files.sort();
        if let Some(last) = files.last()
            && let Ok(mut bytes) = std::fs::read(last)
        {
            bytes.extend_from_slice(&[200, 0, 0, 0, 1, 2, 3]);
            // A spool that cannot be written is no torn one, that is all.
            let _ = std::fs::write(last, bytes);
        }
    }

    fn next(&mut self) -> Event {
        match &mut self.run {
            None => {
                self.runs += 1;
                self.run = Some((self.runs, None));
                self.event(EventType::WorkflowStarted)
            }
            Some((_, task @ None)) if self.random.u8(..) < 200 => {
                *task = Some(self.next_event);
                self.event(EventType::TaskStarted)
            }
            Some((_, Some(_))) if self.random.u8(..) < 40 => self.event(EventType::Note),
            Some(_) => self.end(),
        }
    }

    /// Ends the task that is open, else the run.
    fn end(&mut self) -> Event {
        if let Some((run, Some(_))) = self.run {
            let event = self.event(EventType::TaskCompleted).with_data(&TaskCompleted::default());
            self.run = Some((run, None));
            event
        } else {
            let event = self.event(EventType::WorkflowCompleted).with_data(&WorkflowEnded::default());
            self.run = None;
            event
        }
    }

    fn event(&mut self, event_type: EventType) -> Event {
        self.next_event += 1;
        let id = format!("p{}-{}", self.name, self.next_event);
        let mut event = Event::new(id.into(), event_type, self.clock.now());
        event.mono_us = Some(self.clock.mono_us());
        event.workflow_name = Some("simulated".into());
        if let Some((run, task)) = self.run {
            event.execution_id = Some(format!("p{}-run-{run}", self.name).into());
            if let Some(task) = task {
                event.task_id = Some(format!("task-{}", task % 3).into());
                event.task_execution_id = Some(format!("p{}-task-{task}", self.name).into());
            }
        }
        event
    }
}

fn sender(name: usize, life: u64, folder: &PathBuf, seed: u64) -> SimulatedSender {
    let identity = Identity::new("simulated", "boot", u32::try_from(name).unwrap_or(u32::MAX), life);
    let settings = Settings { batch_events: 20, ..Settings::default() };
    SimulatedSender::new(&settings, &identity, Box::new(InOrder(DiskFiles::new(folder))), seed)
}

/// A folder whose names come in order, as no real one promises: else the same seed would not do the same.
#[derive(Debug)]
struct InOrder(DiskFiles);

impl Files for InOrder {
    fn names(&self) -> std::io::Result<Vec<String>> {
        let mut names = self.0.names()?;
        names.sort();
        Ok(names)
    }

    fn create(&self, name: &str) -> std::io::Result<Box<dyn SpoolFile>> {
        self.0.create(name)
    }

    fn open_unheld(&self, name: &str) -> std::io::Result<Option<Box<dyn SpoolFile>>> {
        self.0.open_unheld(name)
    }

    fn length(&self, name: &str) -> std::io::Result<u64> {
        self.0.length(name)
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.0.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        self.0.rename(from, to)
    }
}
