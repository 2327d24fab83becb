//! The pages: checked and built before the program is, and looked at with a browser afterwards.

use super::steps::surroundings;
use super::{Setting, Tally};
use crate::process;
use crate::web;

/// What is checked of the sources, and why; each counts as one.
const CHECKS: [&str; 5] = [
    // Types, of the server's answers too: they are made from spec/openapi.json.
    "check",
    "lint",
    "format:check",
    "build",
    // How much a browser has to load.
    "size",
];

/// Types, lints, format, unit tests, build and size.
pub(super) fn check(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    web::node()?;
    process::check(&mut web::npm(setting.workspace, &["ci"]))?;
    let mut tally = Tally::default();
    for script in CHECKS {
        let mut npm = web::npm(setting.workspace, &["run", script]);
        tally = tally + Tally::of_check(&process::run_shown(&mut npm)?);
    }
    let mut tests = web::npm(setting.workspace, &["test"]);
    Ok(tally + Tally::of_vitest(&process::run_shown(tests.env("NO_COLOR", "1"))?))
}

/// The pages of the real server, in a real browser, over runs of the real examples.
pub(super) fn browser(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    web::node()?;
    let mut tests = web::npm(setting.workspace, &["run", "e2e"]);
    surroundings(setting, &mut tests)
        .env("NO_COLOR", "1")
        .env("GRAFLOW_PROGRAMS", setting.workspace.path("target/debug"));
    Ok(Tally::of_vitest(&process::run_shown(&mut tests)?))
}
