//! `cargo xtask torture`: the fault suite, and `cargo xtask fuzz`: libFuzzer on every way into the system.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::process;
use crate::workspace::Workspace;

/// What `graflow-torture` is told; it says itself what it takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// `--rounds N`, `--seed S`, `--only NAME`, `--short`, `--list`; `--help` after `--` says more.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// What to fuzz, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct FuzzOptions {
    /// Only this target: a program in `fuzz/src/bin`.
    #[arg(long)]
    only: Option<String>,
    /// Seconds for each.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
}

/// The programs in `fuzz/src/bin`.
const TARGETS: [&str; 6] = ["event", "body", "query", "segment", "spool", "socket"];

/// What makes the compiler count which branches an input takes; libFuzzer steers by it.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=16";

/// Builds the program and the suite, and runs it.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    process::check(workspace.cargo().args([
        "build",
        "--package",
        "graflow-cli",
        "--package",
        "graflow-torture",
    ]))?;
    let status = suite(workspace).args(&options.arguments).status().context("failed to start the suite")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The suite, as it was built last.
pub(crate) fn suite(workspace: &Workspace) -> Command {
    workspace.command(workspace.path("target/debug/graflow-torture"))
}

/// Builds the programs in `fuzz/`, and runs each; it ends with the first find, which is written to `target/fuzz/finds`.
pub(crate) fn fuzz(workspace: &Workspace, options: &FuzzOptions) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = options.only.as_deref().filter(|name| !TARGETS.contains(name)) {
        bail!("no fuzz target is called `{unknown}`; targets: {}", TARGETS.join(", "));
    }
    let host = host(workspace)?;
    let mut build = workspace.cargo();
    build.env("RUSTFLAGS", COVERAGE);
    // With a target named, the flags are not for build scripts and macros, which run without libFuzzer.
    build.args([
        "build",
        "--release",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--target-dir",
        "target/fuzz",
        "--target",
    ]);
    process::check(build.arg(&host))?;
    for target in
        TARGETS.into_iter().filter(|target| options.only.as_deref().is_none_or(|only| only == *target))
    {
        let corpus = workspace.path("target/fuzz/corpus").join(target);
        let finds = workspace.path("target/fuzz/finds").join(target);
        for folder in [&corpus, &finds] {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        println!("\n== {target}");
        let mut fuzz =
            workspace.command(workspace.path("target/fuzz").join(&host).join("release").join(target));
        fuzz.arg(corpus).arg(workspace.path("fuzz/corpus").join(target));
        fuzz.arg(format!("-max_total_time={}", options.seconds)).args([
            "-timeout=20",
            "-rss_limit_mb=4096",
            "-print_final_stats=1",
        ]);
        process::check(fuzz.arg(format!("-artifact_prefix={}/", finds.display())))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The machine that we compile on, as the compiler calls it.
fn host(workspace: &Workspace) -> anyhow::Result<String> {
    let output = workspace.command("rustc").arg("-vV").output().context("failed to run rustc")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it runs on")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fuzz_target_has_a_program_and_a_corpus() {
        let workspace = Workspace::find().unwrap();
        let names = |folder: &str| {
            let entries = std::fs::read_dir(workspace.path(folder)).unwrap();
            let mut names: Vec<_> = entries
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            names.sort();
            names
        };
        let mut targets = TARGETS.map(str::to_owned).to_vec();
        targets.sort();
        assert_eq!(names("fuzz/src/bin"), targets);
        assert_eq!(names("fuzz/corpus"), targets);
    }
}
