//! Starts the lineage server and waits until it answers.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::process;

/// A server that runs; it is ended when this is dropped, whatever happened in between.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts `graflow` as a server, with these arguments besides; it answers when this returns.
    pub(crate) fn start(mut program: Command, arguments: &[&str]) -> anyhow::Result<Self> {
        program.args(["lineage", "serve"]).args(arguments);
        let mut child = program
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start `{}`", process::line_of(&program)))?;
        let said = child.stdout.take();
        let mut server = Self { child, url: String::new() };
        // It says where it is once it listens.
        if let Some(said) = said {
            BufReader::new(said).read_line(&mut server.url).context("failed to read the server's address")?;
        }
        server.url.truncate(server.url.trim_end().len());
        if server.url.is_empty() {
            let status = server.child.wait().context("failed to wait for the server")?;
            bail!("the server ended before it answered: {status}");
        }
        Ok(server)
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("failed to wait for the server")
    }

    /// Asks it to end, and ends it when it does not.
    pub(crate) fn stop(mut self, patience: Duration) -> anyhow::Result<()> {
        process::stop(&mut self.child, patience)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of one that was not stopped yet; nobody is left to hear what goes wrong.
        if matches!(self.ended(), Ok(None)) {
            drop(process::stop(&mut self.child, Duration::from_secs(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_is_no_server() {
        let error = Server::start(Command::new("false"), &[]).unwrap_err().to_string();
        assert!(error.starts_with("the server ended before it answered: "), "{error}");
    }
}
