//! A real server in a process of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use graflow_local::DataFolder;

use crate::process::Process;
use crate::{Setting, http};

/// A start may take so long: the promise.
pub(crate) const MOST_START: Duration = Duration::from_secs(5);
/// And so long before we give up waiting.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that answers. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) port: u16,
    /// From the start of the process to the first answer.
    pub(crate) started_in: Duration,
}

impl Server {
    pub(crate) fn start(setting: &Setting, folder: &Path) -> anyhow::Result<Self> {
        Self::start_by(&mut Command::new(&setting.program), folder)
    }

    /// Starts it by a command that becomes `graflow`, such as `prlimit … graflow`.
    pub(crate) fn start_by(command: &mut Command, folder: &Path) -> anyhow::Result<Self> {
        let log = log_of(folder);
        let began = Instant::now();
        command.args(["lineage", "serve", "--port", "0"]).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::options().create(true).append(true).open(&log)?);
        let mut process = Process::start(clean(command, folder))?;
        loop {
            if let Some(status) = process.0.try_wait()? {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("the server ended before it answered: {status}\n{}", last_lines(&said));
            }
            if let Some(port) = port_of(folder, process.0.id())
                && http::get(port, "/health").is_ok_and(|answer| answer.status == 200)
            {
                return Ok(Self { process, port, started_in: began.elapsed() });
            }
            ensure!(began.elapsed() < PATIENCE, "the server does not answer within a minute");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether it runs and answers; anything else is what it ended with.
    pub(crate) fn is_well(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.process.0.try_wait()? {
            bail!("the server ended: {status}");
        }
        let answer = http::get(self.port, "/health").context("the server does not answer")?;
        ensure!(answer.status == 200, "the server is not well: {}", answer.status);
        Ok(())
    }
}

/// Runs a command of `graflow lineage` to its end.
pub(crate) fn run(setting: &Setting, folder: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(&setting.program);
    command.arg("lineage").args(arguments).stdin(Stdio::null());
    clean(&mut command, folder).output().context("failed to run graflow")
}

/// What a command said, for people.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Nothing of the caller's own surroundings, and this data folder.
fn clean<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command
        .env_remove("GRAFLOW_LINEAGE")
        .env_remove("GRAFLOW_LINEAGE_URL")
        .env_remove("GRAFLOW_LINEAGE_TOKEN")
        .env_remove("GRAFLOW_LINEAGE_PROJECT")
        .env("GRAFLOW_LINEAGE_DATA_DIR", folder)
}

fn port_of(folder: &Path, pid: u32) -> Option<u16> {
    let text = std::fs::read_to_string(DataFolder::at(folder).path().join("server.json")).ok()?;
    let owner: graflow_local::Owner = serde_json::from_str(&text).ok()?;
    let url = owner.url.filter(|_| owner.pid == pid)?;
    url.rsplit(':').next()?.parse().ok()
}

/// Beside the folder, so that the folder holds only what is its own.
fn log_of(folder: &Path) -> PathBuf {
    folder.with_extension("server-log")
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
