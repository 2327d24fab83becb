//! The fault suite, for seconds.

use super::steps::surroundings;
use super::{Setting, Tally};
use crate::{process, torture};

/// Every scenario, briefly, with what the build step built. The seed stands in what it prints.
pub(super) fn run(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    let mut suite = torture::suite(setting.workspace);
    let finished = process::run_shown(surroundings(setting, suite.arg("--short")))?;
    Ok(Tally::of_last_line(&finished))
}
