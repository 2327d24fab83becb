//! What can be typed. What it means is [`crate::config`]'s.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use graflow_client::environment;

use crate::commands::{
    backup, clear, delete, doctor, export, graph, history, import, list, logs, open, rebuild, restore, run,
    serve, show, status, wait, watch,
};
use crate::exit::Exit;
use crate::output::ColorChoice;

/// Workflows whose every run can be read afterwards.
#[derive(Debug, Parser)]
#[command(name = "graflow", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_long_help = exit_codes())]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve, read and keep the lineage of workflows.
    #[command(arg_required_else_help = true)]
    Lineage(Box<Lineage>),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Write the manual's pages, one a command, for packages.
    #[command(hide = true)]
    Manual {
        /// The folder to write them to.
        folder: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Lineage {
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    pub(crate) command: LineageCommand,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Shared {
    /// The data folder; the user's own when not said.
    #[arg(long, global = true, value_name = "DIR", env = environment::DATA_DIR, help_heading = "Shared options")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The server to ask; the owner of the data folder when not said.
    #[arg(long, global = true, value_name = "URL", env = environment::URL, help_heading = "Shared options")]
    pub(crate) url: Option<String>,
    /// A file that holds the server's token, alone.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Shared options")]
    pub(crate) token_file: Option<PathBuf>,
    /// Print JSON, for programs.
    #[arg(long, global = true, help_heading = "Shared options")]
    pub(crate) json: bool,
    /// When to use colour; `auto` = on a terminal, unless `NO_COLOR` is set.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        help_heading = "Shared options"
    )]
    pub(crate) color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LineageCommand {
    /// Keep what workflows send, and answer over REST and WebSocket.
    Serve(serve::Options),
    /// Run a program, and show where its lineage can be looked at.
    Run(run::Options),
    /// Say whether a server is up and what is kept.
    Status(status::Options),
    /// List executions, newest first.
    #[command(alias = "ls")]
    List(list::Options),
    /// Show an execution: findings, what it was, and the tree of what ran.
    Show(show::Options),
    /// Print an execution's log lines.
    Logs(logs::Options),
    /// Watch executions, or one of them, live.
    Watch(watch::Options),
    /// Wait until an execution has ended; the exit code is its outcome.
    Wait(wait::Options),
    /// Print an execution's graph as Mermaid, DOT or JSON.
    Graph(graph::Options),
    /// List a task's executions over all runs, newest first.
    History(history::Options),
    /// Open the pages in a browser.
    Open(open::Options),
    /// Delete executions.
    #[command(alias = "rm")]
    Delete(delete::Options),
    /// Delete every execution.
    Clear(clear::Options),
    /// Write events as they were received, a line each.
    Export(export::Options),
    /// Take in events from a file.
    Import(import::Options),
    /// Copy the data folder, also while it is written.
    Backup(backup::Options),
    /// Put a backup into the data folder.
    Restore(restore::Options),
    /// Throw derived data away and derive it from the log again.
    Rebuild(rebuild::Options),
    /// Look for what is wrong: folder, log, database, server, spool.
    Doctor(doctor::Options),
}

/// The codes that scripts rely on, below the help.
fn exit_codes() -> String {
    let lines =
        Exit::ALL.iter().map(|(exit, meaning)| format!("  {:>3}  {}", *exit as u8, meaning.replace('`', "")));
    std::iter::once("Exit codes:".to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// The command as clap knows it, for completions and the reference page.
pub(crate) fn command() -> clap::Command {
    <Args as clap::CommandFactory>::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
