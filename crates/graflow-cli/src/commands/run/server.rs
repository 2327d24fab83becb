//! A server that stays for a while after the program has ended.

use std::fs::{File, OpenOptions};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use graflow_client::{Endpoint, environment};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::source;

/// It ends after so long without a request or a viewer.
const IDLE_EXIT: &str = "30m";
/// It answers within this time, or something is wrong. Reading a long log takes a while.
const PATIENCE: Duration = Duration::from_mins(2);
/// What it logs, in the data folder.
const LOG: &str = "serve.log";

/// Starts it on the first free port from 8000; it answers when this returns.
pub(super) async fn start(config: &Config) -> anyhow::Result<Endpoint> {
    std::fs::create_dir_all(&config.data_dir).map_err(|error| cannot_write(config, &error))?;
    let log = open_log(config)?;
    let program = std::env::current_exe().context("failed to find this program")?;
    let mut command = Command::new(program);
    command.args(["lineage", "serve", "--or-next-port", "--idle-exit", IDLE_EXIT, "--data-dir"]);
    command.arg(&config.data_dir).env_remove(environment::URL);
    if let Some(token) = &config.token {
        command.env(environment::TOKEN, token);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    // Ctrl-C is meant for the program that runs, not for the server.
    #[cfg(unix)]
    command.process_group(0);
    let mut server = command.spawn().context("failed to start a server")?;
    let mut said = String::new();
    if let Some(stdout) = server.stdout.take() {
        let mut lines = BufReader::new(stdout);
        tokio::time::timeout(PATIENCE, lines.read_line(&mut said)).await.ok();
    }
    if said.trim().is_empty() {
        // Somebody else may have been faster.
        if let Some(endpoint) = source::server(config).await {
            return Ok(endpoint);
        }
        let failure = Failure::new(Exit::Unexpected, "a server could not be started");
        return Err(failure.hint(format!("it said why in {}", config.data_dir.join(LOG).display())).into());
    }
    let endpoint = Endpoint::parse(said.trim()).context("the server said no address")?;
    Ok(endpoint.with_token(config.token.clone()))
}

fn open_log(config: &Config) -> Result<File, Failure> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(config.data_dir.join(LOG))
        .map_err(|error| cannot_write(config, &error))
}

fn cannot_write(config: &Config, error: &std::io::Error) -> Failure {
    let message = format!("the data folder {} cannot be written: {error}", config.data_dir.display());
    Failure::new(Exit::Folder, message).hint("choose another folder with --data-dir")
}
