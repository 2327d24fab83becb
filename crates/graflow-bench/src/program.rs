//! A server that is measured: started on a folder of its own, killed when it is dropped.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// One that runs.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Program {
    /// The lineage server beside this program, on a folder.
    pub(crate) fn lineage(program: Option<&Path>, folder: &Path) -> anyhow::Result<Self> {
        let beside = beside("graflow")?;
        let program = program.unwrap_or(&beside);
        ensure!(
            program.is_file(),
            "there is no {}; build it with `cargo build --release`",
            program.display()
        );
        let folder = folder.as_os_str();
        let arguments = ["lineage", "--data-dir"].map(OsStr::new).into_iter().chain([folder]);
        Self::start(program, arguments.chain(["serve", "--port", "0"].map(OsStr::new)))
    }

    /// The reference.
    pub(crate) fn bare() -> anyhow::Result<Self> {
        let this = std::env::current_exe().context("failed to find this program")?;
        Self::start(&this, [OsStr::new("bare")])
    }

    fn start<'a>(program: &Path, arguments: impl IntoIterator<Item = &'a OsStr>) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("failed to start {}", program.display()))?;
        let mut said = String::new();
        let read = child.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut said));
        let address = said.trim().trim_start_matches("http://").parse();
        let program = Self { child, address: address.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))) };
        read.transpose().context("failed to read where it listens")?;
        ensure!(program.address.port() != 0, "it did not say where it listens but: {said:?}");
        Ok(program)
    }

    /// The processor time that it has used.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let line = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold anything; the numbers begin behind it, the state first.
        let (_, numbers) = line.rsplit_once(')').context("no numbers in /proc/*/stat")?;
        let ticks =
            numbers.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second()))
    }

    /// Bytes in memory.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kibibytes = line.split_whitespace().next().context("no number in VmRSS")?;
        Ok(kibibytes.parse::<u64>()? * 1_024)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nobody is left to hear that it ended before.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe().context("failed to find this program")?;
    Ok(this.with_file_name(name))
}
