//! A deterministic simulation of the whole: producers, network, intake, log, tables, fold and live stream, with faults in time,
//! network and disk.
//!
//! The parts are the real ones; only their clocks, their disk and the network between them are ours. One thread decides what
//! happens next, by chance that begins at a seed, and nothing waits for a real clock. So a seed that fails fails again:
//! `cargo xtask torture --only simulation --seed S --rounds 1`. What must hold is said in [`world`].

mod clock;
mod producer;
mod server;
mod viewer;
mod world;

use anyhow::Context as _;

use crate::Setting;
pub use world::{Outcome, run};

/// Worlds, one a seed; the first has the seed that is asked for.
pub(crate) fn scenario(setting: &Setting) -> anyhow::Result<String> {
    let rounds = setting.rounds(20, 500);
    let mut sum = Outcome::default();
    for seed in (0..rounds).map(|round| setting.seed.wrapping_add(round)) {
        let outcome = run(seed)
            .with_context(|| format!("cargo xtask torture --only simulation --seed {seed} --rounds 1"))?;
        sum = sum.plus(&outcome);
    }
    Ok(format!("{rounds} worlds: {sum}"))
}
