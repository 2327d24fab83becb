//! The steps of `cargo xtask test`.
//!
//! They all build with the same profile, the same flags and the whole workspace, so that cargo compiles a library
//! once for running it and once for looking at it. Warnings are made errors in clippy and rustdoc only: `RUSTFLAGS`
//! would be part of what cargo tells builds apart by.

use std::io::IsTerminal as _;
use std::process::Command;

use super::{Setting, Tally, examples, python, tools, torture, web};
use crate::process::{self, Finished};
use crate::{generate, tidy};

/// One step.
#[derive(Debug)]
pub(crate) struct Step {
    /// What `--only` calls it.
    pub(crate) name: &'static str,
    /// What it shows, for people.
    pub(crate) what: &'static str,
    /// Whether nothing after it can run when it fails.
    pub(crate) others_need_it: bool,
    /// Runs it.
    pub(crate) run: fn(&Setting<'_>) -> anyhow::Result<Tally>,
}

/// All of them, cheap ones first.
pub(crate) const ALL: &[Step] = &[
    Step { name: "tools", what: "what tests need is installed", others_need_it: true, run: tools::run },
    step("fmt", "rustfmt has nothing to change", fmt),
    step("tidy", "the rules of the house hold", |setting| tidy::check(setting.workspace)),
    // Before anything compiles the server, which takes the built pages in.
    step("web", "the pages: types, lints, tests, build and size", web::check),
    step("clippy", "no lint warns, in any target", clippy),
    step("rustdoc", "the documentation builds, every link in it leads somewhere", rustdoc),
    step("build", "libraries, programs, examples and tests compile", build),
    step("generated", "generated files are as their generators write them", generated),
    step("tests", "unit and integration tests", tests),
    step("doctests", "examples in the documentation compile and run", doctests),
    step("benches", "benchmarks run, once and unmeasured", benches),
    step("examples", "the programs in examples/ run to their end", examples::run),
    step("torture", "what is killed, starved and lied to loses nothing: for seconds", torture::run),
    step("browser", "the pages of the real server in a real browser", web::browser),
    step("python", "ruff and mypy find nothing in our Python", python::lint),
    step("package", "the Python package records what graflow runs", python::package),
    step("parity", "docs/parity.md has every public name of graflow for Python", python::parity),
    step("wfcommons", "the graphs of two scientific workflows are read back as they are", python::wfcommons),
];

const fn step(
    name: &'static str,
    what: &'static str,
    run: fn(&Setting<'_>) -> anyhow::Result<Tally>,
) -> Step {
    Step { name, what, others_need_it: false, run }
}

/// Runs cargo with these arguments, in surroundings that keep tests away from the user's own data.
fn cargo(
    setting: &Setting<'_>,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> anyhow::Result<Finished> {
    let mut command = setting.workspace.cargo();
    command.args(arguments).envs(environment.iter().copied());
    process::run_shown(surroundings(setting, &mut command))
}

/// What every program under test sees.
pub(super) fn surroundings<'a>(setting: &Setting<'_>, command: &'a mut Command) -> &'a mut Command {
    command
        .env("CARGO_TERM_COLOR", if std::io::stderr().is_terminal() { "always" } else { "never" })
        .env("GRAFLOW_LINEAGE_DATA_DIR", setting.workspace.path("target/test-data"))
        .env("INSTA_UPDATE", "no")
        .env_remove("GRAFLOW_LINEAGE")
        .env_remove("GRAFLOW_LINEAGE_URL")
        .env_remove("GRAFLOW_LINEAGE_TOKEN")
        .env_remove("GRAFLOW_LINEAGE_PROJECT")
        .env_remove("GRAFLOW_LINEAGE_LABELS")
        .env_remove("UPDATE_SPEC")
}

fn fmt(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    // Only the names: `cargo fmt` shows the rest by doing it.
    Ok(Tally::of_check(&cargo(setting, &["fmt", "--all", "--check", "--", "-l"], &[])?))
}

fn clippy(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    Ok(Tally::of_check(&cargo(setting, &arguments, &[])?))
}

fn rustdoc(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items"];
    Ok(Tally::of_check(&cargo(setting, &arguments, &[("RUSTDOCFLAGS", "-D warnings")])?))
}

fn build(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    // `--examples` makes cargo take the features of dev-dependencies too, as `cargo test` does below.
    let programs = cargo(setting, &["build", "--workspace", "--lib", "--bins", "--examples"], &[])?;
    let tests = cargo(setting, &["test", "--workspace", "--tests", "--no-run"], &[])?;
    Ok(Tally::of_check(&programs) + Tally::of_check(&tests))
}

fn generated(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    let before = generate::texts(setting.workspace)?;
    let mut generators = generate::generators(setting.workspace);
    let finished = process::run_shown(surroundings(setting, &mut generators).env("UPDATE_SPEC", "1"))?;
    let after = generate::texts(setting.workspace)?;
    let mut tally = Tally::of_check(&finished);
    for (file, text) in &after {
        let fault = match (before.get(file).unwrap_or(&None), text) {
            (_, None) => "no generator writes it",
            (None, Some(_)) => "was missing; it is written now, commit it",
            (Some(old), Some(new)) if old != new => {
                "was stale; it is written anew, look at the change and commit it"
            }
            _ => {
                tally = tally + Tally::PASSED;
                continue;
            }
        };
        println!("error: {}: {fault}", file.display());
        tally = tally + Tally::FAILED;
    }
    Ok(tally)
}

fn tests(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    Ok(Tally::of_tests(&cargo(setting, &["test", "--workspace", "--tests", "--no-fail-fast"], &[])?))
}

fn doctests(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    Ok(Tally::of_tests(&cargo(setting, &["test", "--workspace", "--doc", "--no-fail-fast"], &[])?))
}

fn benches(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    Ok(Tally::of_programs(&cargo(setting, &["test", "--workspace", "--bench", "*"], &[])?))
}
