//! `cargo xtask`: everything a developer of this repository runs.
//!
//! Plain Rust instead of shell scripts, so that it runs and reads the same everywhere. It depends on none of the
//! project's own crates: it must work when they do not compile.

mod demo;
mod generate;
mod process;
mod release;
mod server;
mod test;
mod tidy;
mod torture;
mod web;
mod wheel;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Everything a developer of this repository runs.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build a release, start a server, run the main example on this checkout and show what it did.
    Demo(demo::Options),
    /// Run every check and test there is; the last line is `N passed, N failed`.
    Test(test::Options),
    /// Break things on purpose and print what held: kills, full disks, overload, servers that misbehave.
    Torture(torture::Options),
    /// Run libFuzzer on every way into the system; needs a C++ compiler.
    Fuzz(torture::FuzzOptions),
    /// Check the rules of the house: crate arrows, manifests, licences, file lengths, links.
    Tidy,
    /// Write the generated files again: `spec/` and `docs/reference/cli.md`.
    Generate,
    /// Build the pages, which the next build of the program takes in; needs Node.
    Web,
    /// Build the archive to install from: program, manual, completions, systemd unit, nginx configuration.
    Release(release::Options),
    /// Build the Python package: the wheel, with the native core and the program `graflow` in it.
    Wheel(wheel::Options),
}

fn main() -> ExitCode {
    match run(&Args::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match command {
        Command::Demo(options) => demo::run(&workspace, options),
        Command::Test(options) => test::run(&workspace, options),
        Command::Torture(options) => torture::run(&workspace, options),
        Command::Fuzz(options) => torture::fuzz(&workspace, options),
        Command::Tidy => tidy::run(&workspace),
        Command::Generate => generate::run(&workspace),
        Command::Web => web::run(&workspace),
        Command::Release(options) => release::run(&workspace, options),
        Command::Wheel(options) => wheel::run(&workspace, options),
    }
}
