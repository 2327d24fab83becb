//! What happens in one world, in which order, and what must hold.
//!
//! * P1: what was acknowledged is there after every crash.
//! * P2: what a producer took is there in the end.
//! * P3: every event is there once, however often it was sent.
//! * P4: the state is what a fold in any order gives.
//! * P5: a viewer is told of every event once, in order, or begins anew; its rows are those that reads say.
//! * P8: a server starts after every crash.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;

use anyhow::{Context as _, bail, ensure};
use fastrand::Rng;
use graflow_client::simulation::Wish;
use graflow_client::{Answer, Post};
use graflow_lineage::store::Store as _;
use graflow_model::{ExecutionId, ExecutionState, Project, Seq};
use graflow_store::files::Fault;

use super::producer::Producer;
use super::server::{Machine, later};
use super::viewer::Viewer;

const SECOND: i64 = 1_000_000;
/// So long things happen; then faults end, and everything must come to rest.
const TROUBLE: i64 = 60 * SECOND;
/// Everything has come to rest by then.
const REST: i64 = 3_600 * SECOND;

/// What one world was like; equal for equal seeds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    events: u64,
    steps: u64,
    server_crashes: u64,
    producer_deaths: u64,
    disk_faults: u64,
    clock_jumps: u64,
    lost_messages: u64,
    resyncs: u64,
    /// Of everything that happened, in order.
    trace: u64,
}

/// What can happen.
#[derive(Debug)]
enum Happening {
    Produce(usize),
    Wake(usize, u64),
    Receive { from: usize, life: u64, post: Post, again: bool },
    Hear { producer: usize, life: u64, answer: Answer },
    Die(usize),
    Crash,
    Start,
    Fault,
    Heal,
    Jump,
    Look(usize),
    Cut(usize),
}

struct World {
    random: Rng,
    now_us: i64,
    /// What is to come, by time and in the order it was planned.
    agenda: BTreeMap<(i64, u64), Happening>,
    planned: u64,
    producers: Vec<Producer>,
    machine: Machine,
    viewers: Vec<Viewer>,
    outcome: Outcome,
}

/// Lets a world happen from a seed.
///
/// # Errors
/// When something that must hold does not.
pub fn run(seed: u64) -> anyhow::Result<Outcome> {
    let place = tempfile::tempdir()?;
    let mut random = Rng::with_seed(seed);
    let producers =
        (0..3).map(|name| Producer::new(name, place.path().join(format!("spool-{name}")), random.fork()));
    let mut world = World {
        producers: producers.collect(),
        machine: Machine::new(place.path().join("store")),
        viewers: (0..2).map(|_| Viewer::default()).collect(),
        random,
        now_us: 0,
        agenda: BTreeMap::new(),
        planned: 0,
        outcome: Outcome::default(),
    };
    world.plan(0, Happening::Start);
    for producer in 0..world.producers.len() {
        world.plan(1, Happening::Produce(producer));
        world.plan_fault(20, Happening::Die(producer));
    }
    for viewer in 0..world.viewers.len() {
        world.plan(1, Happening::Look(viewer));
        world.plan_fault(10, Happening::Cut(viewer));
    }
    for (seconds, fault) in [(15, Happening::Crash), (10, Happening::Fault), (20, Happening::Jump)] {
        world.plan_fault(seconds, fault);
    }
    world.run().with_context(|| format!("at {:.6} s of the world", micros_to_seconds(world.now_us)))?;
    world.check()?;
    Ok(world.outcome)
}

impl World {
    /// Takes what comes next, until nothing is left to happen.
    fn run(&mut self) -> anyhow::Result<()> {
        let mut ended = false;
        while let Some(((at_us, number), happening)) = self.agenda.pop_first() {
            self.now_us = at_us;
            if at_us > TROUBLE && !ended {
                ended = true;
                self.end_trouble()?;
            }
            ensure!(at_us < REST, "no rest within an hour");
            let clocks = self.producers.iter().map(|producer| &producer.clock).chain([&self.machine.clock]);
            clocks.for_each(|clock| clock.set(at_us));
            let told = format!("{at_us} {number} {happening:?}");
            self.outcome.trace = self.outcome.trace.rotate_left(5) ^ fingerprint(&told);
            self.outcome.steps += 1;
            self.happen(happening)?;
            if ended && self.is_at_rest() {
                return Ok(());
            }
        }
        bail!("nothing happens any more, and yet not everything is delivered")
    }

    fn happen(&mut self, happening: Happening) -> anyhow::Result<()> {
        let in_trouble = self.now_us <= TROUBLE;
        match happening {
            Happening::Produce(producer) if in_trouble => {
                let wish = self.producers[producer].produce();
                self.grant(producer, wish);
                self.plan_within(SECOND, Happening::Produce(producer));
            }
            Happening::Wake(producer, life) if life == self.producers[producer].life => {
                let wish = self.producers[producer].wake();
                self.grant(producer, wish);
            }
            Happening::Receive { from, life, post, again } => self.receive(from, life, &post, again)?,
            Happening::Hear { producer, life, answer } if life == self.producers[producer].life => {
                let wish = self.producers[producer].hears(answer);
                self.grant(producer, wish);
            }
            Happening::Die(producer) if in_trouble => {
                self.outcome.producer_deaths += 1;
                let wish = self.producers[producer].die();
                self.grant(producer, wish);
                self.plan_fault(20, Happening::Die(producer));
            }
            Happening::Crash if in_trouble => {
                self.crash()?;
                self.plan_fault(15, Happening::Crash);
            }
            Happening::Start if self.machine.running.is_none() => {
                self.machine.start()?;
            }
            Happening::Fault if in_trouble => {
                self.break_disk();
                self.plan_fault(10, Happening::Fault);
            }
            Happening::Heal => self.machine.disk.set_capacity(None),
            Happening::Jump if in_trouble => {
                self.outcome.clock_jumps += 1;
                let by_us = self.random.i64(-86_400 * SECOND..86_400 * SECOND);
                let which = self.random.usize(0..=self.producers.len());
                self.producers.get(which).map_or(&self.machine.clock, |producer| &producer.clock).jump(by_us);
                self.plan_fault(20, Happening::Jump);
            }
            Happening::Look(viewer) => {
                if let Some(running) = &self.machine.running {
                    settle(running)?;
                    self.viewers[viewer].look(&running.manager, self.random.usize(1..200))?;
                    running.manager.tick();
                }
                self.plan_within(SECOND / 2, Happening::Look(viewer));
            }
            Happening::Cut(viewer) if in_trouble => {
                self.viewers[viewer].cut();
                self.plan_fault(10, Happening::Cut(viewer));
            }
            _ => {}
        }
        Ok(())
    }

    /// What a producer wants is put on its way: a request may be lost, late, or come twice.
    fn grant(&mut self, producer: usize, wish: Wish) {
        let life = self.producers[producer].life;
        if let Some(at_us) = wish.wake_at_us {
            self.plan(at_us.max(self.now_us + 1), Happening::Wake(producer, life));
        }
        let Some(post) = wish.post else { return };
        if self.is_lost() {
            // Given up after its time.
            let answer = later("no answer came");
            self.plan(self.now_us + 30 * SECOND, Happening::Hear { producer, life, answer });
            return;
        }
        if self.random.u8(..) < 20 {
            let at_us = self.now_us + self.random.i64(1..10 * SECOND);
            self.plan(at_us, Happening::Receive { from: producer, life, post: post.clone(), again: true });
        }
        self.plan_within(SECOND / 10, Happening::Receive { from: producer, life, post, again: false });
    }

    fn receive(&mut self, producer: usize, life: u64, post: &Post, again: bool) -> anyhow::Result<()> {
        let answer = if let Some(answer) = self.machine.take(post)? {
            answer
        } else {
            // It cannot write any more: it is started anew, and whoever asked finds nobody.
            self.crash()?;
            later("the connection broke")
        };
        if again {
            return Ok(());
        }
        if self.is_lost() {
            let answer = later("no answer came");
            self.plan(self.now_us + 30 * SECOND, Happening::Hear { producer, life, answer });
        } else {
            self.plan_within(SECOND / 10, Happening::Hear { producer, life, answer });
        }
        Ok(())
    }

    fn crash(&mut self) -> anyhow::Result<()> {
        if self.machine.running.is_none() {
            return Ok(());
        }
        self.outcome.server_crashes += 1;
        let lose_tables = self.random.u8(..) < 60;
        self.machine.crash(self.random.u64(..), lose_tables)?;
        self.viewers.iter_mut().for_each(Viewer::cut);
        self.plan_within(5 * SECOND, Happening::Start);
        Ok(())
    }

    /// The log's disk refuses the next write or sync, or is full for some seconds.
    fn break_disk(&mut self) {
        self.outcome.disk_faults += 1;
        let disk = self.machine.disk.clone();
        match self.random.u8(0..5) {
            0 => disk.plan(Fault::Sync(ErrorKind::Other)),
            1 => disk.plan(Fault::Write(self.random.usize(0..300), ErrorKind::Other)),
            2 => disk.plan(Fault::Create(ErrorKind::Other)),
            3 => disk.plan(Fault::Write(self.random.usize(0..300), ErrorKind::StorageFull)),
            _ => {
                disk.set_capacity(Some(self.random.usize(0..100_000)));
                self.plan_within(5 * SECOND, Happening::Heal);
            }
        }
    }

    fn is_lost(&mut self) -> bool {
        let lost = self.now_us <= TROUBLE && self.random.u8(..) < 25;
        self.outcome.lost_messages += u64::from(lost);
        lost
    }

    fn end_trouble(&mut self) -> anyhow::Result<()> {
        // A power cut to end with: planned faults are gone with it.
        self.machine.disk.set_capacity(None);
        self.crash()?;
        if self.machine.running.is_none() {
            self.plan_within(SECOND, Happening::Start);
        }
        for producer in 0..self.producers.len() {
            let wish = self.producers[producer].finish();
            self.grant(producer, wish);
        }
        Ok(())
    }

    fn is_at_rest(&self) -> bool {
        let under_way =
            |happening: &Happening| matches!(happening, Happening::Receive { .. } | Happening::Hear { .. });
        self.machine.running.is_some()
            && self.producers.iter().all(Producer::is_done)
            && !self.agenda.values().any(under_way)
    }

    /// What must hold in the end.
    fn check(&mut self) -> anyhow::Result<()> {
        self.machine.check_acknowledged()?;
        let stored = self.machine.stored()?;
        let running = self.machine.running.as_ref().context("no server runs")?;
        settle(running)?;
        let handed: Vec<_> = self.producers.iter().flat_map(|producer| &producer.handed).collect();
        for event in &handed {
            ensure!(
                stored.iter().any(|stored| stored.event.event_id == event.event_id),
                "handed in and not there: {}",
                event.event_id
            );
        }
        ensure!(handed.len() == stored.len(), "{} events handed in, {} there", handed.len(), stored.len());
        self.outcome.events = stored.len() as u64;
        let mut shuffled: Vec<_> = stored.iter().map(|stored| &stored.event).collect();
        self.random.shuffle(&mut shuffled);
        let mut states: BTreeMap<ExecutionId, ExecutionState> = BTreeMap::new();
        for event in shuffled {
            let Some(id) = &event.execution_id else { continue };
            states.entry(id.clone()).or_insert_with(|| ExecutionState::new(id.clone())).apply(event);
        }
        for (id, state) in &states {
            let read = running.store.execution(&Project::default(), id)?.value;
            ensure!(
                read == Some(state.execution_row()),
                "{read:?}, but a fold in another order says {:?}",
                state.execution_row()
            );
        }
        for viewer in &mut self.viewers {
            // Twice: once to come back, once to take what came meanwhile; then all of it.
            for _ in 0..3 {
                viewer.look(&running.manager, 100_000)?;
            }
            let expected: Vec<Seq> =
                stored.iter().map(|stored| stored.seq).filter(|seq| *seq > viewer.began).collect();
            ensure!(
                viewer.told == expected,
                "a viewer was told of {} events of {}",
                viewer.told.len(),
                expected.len()
            );
            viewer.check(&running.manager)?;
            self.outcome.resyncs += viewer.resyncs;
        }
        Ok(())
    }

    fn plan(&mut self, at_us: i64, happening: Happening) {
        self.planned += 1;
        self.agenda.insert((at_us, self.planned), happening);
    }

    fn plan_within(&mut self, most_us: i64, happening: Happening) {
        let at_us = self.now_us + self.random.i64(1..most_us);
        self.plan(at_us, happening);
    }

    /// Somewhen within twice so many seconds.
    fn plan_fault(&mut self, seconds: i64, happening: Happening) {
        self.plan_within(2 * seconds * SECOND, happening);
    }
}

/// Waits until the tables have everything: what reads and viewers see then depends on the seed alone.
fn settle(running: &super::server::Running) -> anyhow::Result<()> {
    let last = running.store.last_seq();
    let read = running.store.execution(&Project::default(), &ExecutionId::from("none"))?;
    ensure!(read.as_of_seq >= last, "a read says {}, {last} was acknowledged a minute ago", read.as_of_seq);
    Ok(())
}

fn fingerprint(text: &str) -> u64 {
    // FNV-1a: the same on every machine and in every release, unlike the standard library's.
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn micros_to_seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

impl Outcome {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            events: self.events + other.events,
            steps: self.steps + other.steps,
            server_crashes: self.server_crashes + other.server_crashes,
            producer_deaths: self.producer_deaths + other.producer_deaths,
            disk_faults: self.disk_faults + other.disk_faults,
            clock_jumps: self.clock_jumps + other.clock_jumps,
            lost_messages: self.lost_messages + other.lost_messages,
            resyncs: self.resyncs + other.resyncs,
            trace: self.trace ^ other.trace,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} events, {} server crashes, {} producer deaths, {} disk faults, {} clock jumps, {} lost messages, {} resyncs",
            self.events,
            self.server_crashes,
            self.producer_deaths,
            self.disk_faults,
            self.clock_jumps,
            self.lost_messages,
            self.resyncs
        )
    }
}
