//! Checks that are written in Python, because they read what only Python has: its packages.

use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::steps::surroundings;
use super::{Setting, Tally, tools};
use crate::process;
use crate::server::Server;
use crate::wheel;

/// Where our Python is; each of these folders is a program.
const PROGRAMS: [&str; 2] = ["tools/parity", "tools/wfcommons"];

/// Linted, formatted and typed.
pub(super) fn lint(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    let ruff = |arguments: &[&str]| {
        let mut ruff = python(setting)?;
        ruff.args(["-m", "ruff"]).args(arguments).args(["--no-cache", "tools", "python"]);
        Ok(Tally::of_check(&process::run_shown(&mut ruff)?))
    };
    let mypy = |program: &&str| {
        let mut mypy = python(setting)?;
        // In its folder, as it runs: its modules import each other by their plain names.
        mypy.current_dir(setting.workspace.path(program));
        mypy.args(["-m", "mypy", "--config-file", "../pyproject.toml", "--cache-dir"]);
        mypy.arg(setting.workspace.path("target/mypy")).arg(".");
        Ok(Tally::of_check(&process::run_shown(&mut mypy)?))
    };
    let checks = [ruff(&["check"]), ruff(&["format", "--check"])];
    checks.into_iter().chain(PROGRAMS.iter().map(mypy)).sum()
}

/// The wheel is built and installed, and its tests run real workflows beside a real server.
pub(super) fn package(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    let workspace = setting.workspace;
    let wheel = wheel::build(setting, true)?;
    let python = tools::package_python(setting)?;
    tools::redis_server(setting)?;
    let mut pip = workspace.command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]);
    process::check(pip.arg("--force-reinstall").arg(&wheel))?;
    let mut mypy = workspace.command(&python);
    mypy.current_dir(workspace.path("python")).args(["-m", "mypy", "src", "tests"]);
    let mut pytest = workspace.command(&python);
    surroundings(setting, &mut pytest).env("PYTHONDONTWRITEBYTECODE", "1");
    pytest.current_dir(workspace.path("python")).args(["-m", "pytest"]);
    let typed = Tally::of_check(&process::run_shown(&mut mypy)?);
    Ok(typed + Tally::of_pytest(&process::run_shown(&mut pytest)?))
}

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
    let server = Server::start(program, &["--port", "0"])?;
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
