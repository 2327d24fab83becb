//! Checks that are written in Python, because they read what only Python has: its packages.

use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::steps::surroundings;
use super::{Setting, Tally, tools};
use crate::process;
use crate::server::{Server, free_port};

/// The page that compares the two graflows is complete; and a page that is not would be found out.
pub(super) fn parity(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    let mut tests = python(setting)?;
    tests.args(["-m", "unittest", "discover", "tools/parity"]);
    let mut check = python(setting)?;
    check.arg("tools/parity");
    Ok(Tally::of_check(&process::run_shown(&mut tests)?) + Tally::of_check(&process::run_shown(&mut check)?))
}

/// Real task graphs go into a real server, and come back as they are.
pub(super) fn wfcommons(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    let workspace = setting.workspace;
    // As the other steps build, so that nothing is compiled twice.
    process::check(workspace.cargo().args(["build", "--workspace", "--lib", "--bins", "--examples"]))?;
    let data = workspace.path("target/wfcommons-data");
    if data.exists() {
        // What a run before it left behind would be what it finds.
        std::fs::remove_dir_all(&data).with_context(|| format!("failed to remove {}", data.display()))?;
    }
    let mut program = workspace.command(workspace.path("target/debug/graflow"));
    surroundings(setting, &mut program).env("GRAFLOW_LINEAGE_DATA_DIR", &data);
    let mut tests = python(setting)?;
    tests.args(["-m", "unittest", "discover", "tools/wfcommons"]);
    let tests = Tally::of_check(&process::run_shown(&mut tests)?);
    let server = Server::start(program, free_port()?)?;
    let mut load = python(setting)?;
    load.args(["tools/wfcommons", server.url()]);
    let finished = process::run_shown(&mut load);
    server.stop(Duration::from_secs(10))?;
    Ok(tests + Tally::of_check(&finished?))
}

/// The Python that has the packages, leaving no compiled files in the checkout.
fn python(setting: &Setting<'_>) -> anyhow::Result<Command> {
    let mut command = setting.workspace.command(tools::python(setting)?);
    surroundings(setting, &mut command).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}
