//! The program `graflow`: serves lineage, and shows it on the command line.
//!
//! The only place that wires everything together. [`args`] says what can be typed, [`config`] what it means here,
//! `commands/` has a file for each subcommand, [`source`] is where they read from, and [`output`] and [`tree`] are how
//! things look. Standard output carries data, standard error talk; [`exit::Exit`] lists the codes to end with.

mod args;
mod commands;
mod compression;
mod config;
mod execution_id;
mod exit;
mod failure;
mod gauges;
mod graph_text;
mod logging;
mod output;
mod owned_folder;
#[cfg(test)]
mod reference;
mod source;
mod time_argument;
mod tree;
mod view;

use std::process::ExitCode;

use clap::Parser as _;

/// Every event makes many small pieces of memory on one thread that another gives back: what the system's allocator
/// is slowest at. A fifth of the server's processor time went there while events came in.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = args::Args::parse();
    commands::run(args).unwrap_or_else(|error| failure::report(&error).into())
}
