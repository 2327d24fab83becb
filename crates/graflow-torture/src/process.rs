//! Processes that are started, and always ended.

use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// A child that is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        Ok(Self(
            command
                .spawn()
                .with_context(|| format!("failed to start {}", command.get_program().display()))?,
        ))
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.0.kill().context("failed to kill a process")?;
        self.0.wait().context("failed to wait for a process")?;
        Ok(())
    }

    /// Asks it to end, as a service manager does, and waits.
    pub(crate) fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        asked.context("failed to run kill")?;
        self.wait(Duration::from_secs(30))
    }

    pub(crate) fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.0.try_wait().context("failed to wait for a process")? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("a process that should have ended runs after {} s", limit.as_secs());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Bytes of memory that it holds, and the most that it ever held.
    pub(crate) fn memory(&self) -> anyhow::Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
        };
        bytes("VmRSS:").zip(bytes("VmHWM:")).context("the system does not say how much memory a process has")
    }

    /// Files and sockets that it has open.
    pub(crate) fn descriptors(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.0.id()))?.count())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nobody is left to hear what goes wrong.
        let _ = self.kill();
    }
}

/// Tries again until it holds.
pub(crate) fn eventually(
    what: &str,
    limit: Duration,
    mut holds: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    loop {
        if holds()? {
            return Ok(began.elapsed());
        }
        if began.elapsed() > limit {
            bail!("after {} s still not: {what}", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(25));
    }
}
