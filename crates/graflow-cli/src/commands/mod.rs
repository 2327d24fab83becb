//! A file for each subcommand: what it takes, and what it does.

pub(crate) mod backup;
pub(crate) mod clear;
pub(crate) mod completions;
pub(crate) mod delete;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod manual;
pub(crate) mod open;
pub(crate) mod rebuild;
pub(crate) mod restore;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod wait;
pub(crate) mod watch;

use std::process::ExitCode;

use anyhow::Context as _;

use crate::args::{Args, Command, LineageCommand};
use crate::config::Config;
use crate::logging;

/// Does what was typed.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Completions { shell } => completions::run(shell).map(Into::into),
        Command::Manual { folder } => manual::run(&folder).map(Into::into),
        Command::Lineage(lineage) => {
            if !matches!(lineage.command, LineageCommand::Serve(_)) {
                logging::for_command();
            }
            let config = Config::resolve(&lineage.shared)?;
            let runtime = tokio::runtime::Runtime::new().context("failed to start the runtime")?;
            runtime.block_on(lineage_command(&config, lineage.command))
        }
    }
}

async fn lineage_command(config: &Config, command: LineageCommand) -> anyhow::Result<ExitCode> {
    let exit = match command {
        // It ends as the program does that it runs.
        LineageCommand::Run(options) => return run::run(config, options).await,
        LineageCommand::Serve(options) => serve::run(config, options).await,
        LineageCommand::Status(options) => status::run(config, options).await,
        LineageCommand::List(options) => list::run(config, options).await,
        LineageCommand::Show(options) => show::run(config, options).await,
        LineageCommand::Logs(options) => logs::run(config, options).await,
        LineageCommand::Watch(options) => watch::run(config, options).await,
        LineageCommand::Wait(options) => wait::run(config, options).await,
        LineageCommand::Graph(options) => graph::run(config, options).await,
        LineageCommand::History(options) => history::run(config, options).await,
        LineageCommand::Open(options) => open::run(config, options).await,
        LineageCommand::Delete(options) => delete::run(config, options).await,
        LineageCommand::Clear(options) => clear::run(config, options).await,
        LineageCommand::Export(options) => export::run(config, options).await,
        LineageCommand::Import(options) => import::run(config, options).await,
        LineageCommand::Rebuild(options) => rebuild::run(config, options).await,
        LineageCommand::Backup(options) => backup::run(config, options).await,
        LineageCommand::Restore(options) => restore::run(config, options).await,
        LineageCommand::Doctor(options) => doctor::run(config, options).await,
    };
    exit.map(Into::into)
}
