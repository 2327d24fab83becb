//! What is broken, one file a theme. To add a scenario, add a line to [`ALL`].

mod crowd;
mod disk;
mod kill;
mod owners;
mod spool;

use std::time::{Duration, Instant};

use crate::{Setting, simulation};

/// A way to break things, and what must hold all the same.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What `--only` calls it.
    pub name: &'static str,
    /// What holds, for people.
    pub what: &'static str,
    /// Runs it: figures for people, or what did not hold.
    pub run: fn(&Setting) -> anyhow::Result<String>,
    /// Whether it mounts a disk of its own, which needs root.
    mounts: bool,
}

/// How a scenario ended.
#[derive(Debug)]
pub struct Verdict {
    /// Which.
    pub scenario: Scenario,
    /// How long it took.
    pub time: Duration,
    /// Figures, or what did not hold.
    pub outcome: anyhow::Result<String>,
}

/// Those that hold, and are run when none is named.
pub const ALL: &[Scenario] = &[
    scenario(
        "kill",
        "kill -9 of server and producers: every acknowledged event is there, once; start within 5 s",
        kill::run,
    ),
    scenario(
        "bad-servers",
        "a server that hangs, talks rubbish, breaks off, is away: all arrives once, the program never waits",
        spool::bad_servers,
    ),
    scenario(
        "disk-full",
        "507 while the disk is full, 200 after, without a restart; nothing acknowledged is lost",
        disk::full,
    )
    .mounting(),
    scenario(
        "read-only",
        "a folder that may not be written is refused with a hint, and can be read",
        disk::read_only,
    )
    .mounting(),
    scenario(
        "flipped-byte",
        "damage in tables, spool and log is repaired, put aside or named; nothing wrong is given out",
        disk::flipped,
    ),
    scenario("two-owners", "of servers on one folder one wins, the others say who", owners::run),
    scenario("descriptors", "no file can be opened any more: well again without hands", crowd::descriptors),
    scenario(
        "slow-loris",
        "half requests on many connections: others are served, they are given up",
        crowd::slow_loris,
    ),
    scenario(
        "spool-limit",
        "no room in the spool: what is dropped is counted, the rest arrives",
        spool::limit,
    ),
    scenario(
        "gzip-bomb",
        "bodies that become a thousand times larger are refused in bounded memory",
        crowd::gzip_bomb,
    ),
    scenario("viewers", "stalled viewers cost bounded memory and slow nobody", crowd::viewers),
    scenario(
        "overload",
        "200 or 503 with Retry-After, bounded memory, acknowledged is stored",
        crowd::overload,
    ),
];

/// Those that run only when they are named: they do not hold yet.
pub const UNSETTLED: &[Scenario] = &[scenario(
    "simulation",
    "producers, network, log, tables and viewers with faults in time, network and disk: nothing lost, nothing twice, viewers right",
    simulation::scenario,
)];

const fn scenario(
    name: &'static str,
    what: &'static str,
    run: fn(&Setting) -> anyhow::Result<String>,
) -> Scenario {
    Scenario { name, what, run, mounts: false }
}

impl Scenario {
    /// Marks one that mounts a disk of its own.
    const fn mounting(mut self) -> Self {
        self.mounts = true;
        self
    }

    /// Whether this process has the rights that it needs.
    pub fn may_run(&self) -> bool {
        !self.mounts || disk::may_mount()
    }

    /// Runs it, and says on standard output how it went.
    pub fn run(self, setting: &Setting) -> Verdict {
        let began = Instant::now();
        let outcome = (self.run)(setting);
        Verdict { scenario: self, time: began.elapsed(), outcome }
    }
}
