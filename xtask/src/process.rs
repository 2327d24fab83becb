//! Running other programs and looking at what they say.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// What a program said and how it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    /// Standard output and error together, as the lines came.
    pub(crate) output: String,
}

/// What programs said that were run to be shown, since it was last taken.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Takes what programs said that [`run_shown`] ran since the last call.
pub(crate) fn take_said() -> String {
    std::mem::take(&mut *SAID.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The command as a person would type it.
pub(crate) fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let shown: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let program = shown[0].rsplit('/').next().unwrap_or_default();
    std::iter::once(program).chain(shown[1..].iter().map(AsRef::as_ref)).collect::<Vec<_>>().join(" ")
}

/// Runs a program to its end, passing on every line as it comes and keeping it.
pub(crate) fn run_shown(command: &mut Command) -> anyhow::Result<Finished> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start `{}`", line_of(command)))?;
    let output = std::thread::scope(|scope| {
        let (sender, lines) = std::sync::mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            let sender = sender.clone();
            scope.spawn(move || pass_on(stdout, std::io::stdout(), &sender));
        }
        if let Some(stderr) = child.stderr.take() {
            scope.spawn(move || pass_on(stderr, std::io::stderr(), &sender));
        }
        lines.into_iter().collect::<String>()
    });
    let status = child.wait().with_context(|| format!("failed to wait for `{}`", line_of(command)))?;
    SAID.lock().unwrap_or_else(PoisonError::into_inner).push_str(&output);
    Ok(Finished { status, output })
}

fn pass_on(from: impl Read, mut to: impl std::io::Write, keep: &std::sync::mpsc::Sender<String>) {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    // A program that writes what is no text is passed on as it is and kept as far as it is text.
    while matches!(reader.read_until(b'\n', &mut line), Ok(read) if read > 0) {
        // Nobody to show it to is no reason to stop the program.
        drop(to.write_all(&line).and_then(|()| to.flush()));
        drop(keep.send(String::from_utf8_lossy(&line).into_owned()));
        line.clear();
    }
}

/// Runs a program that must succeed, showing what it says.
pub(crate) fn check(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("failed to start `{}`", line_of(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line_of(command));
    }
    Ok(())
}

/// Waits for a child, at most so long; none when it still runs.
pub(crate) fn wait_at_most(child: &mut Child, limit: Duration) -> anyhow::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().context("failed to wait for a program")? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Asks a child to end, and ends it when it does not.
pub(crate) fn stop(child: &mut Child, patience: Duration) -> anyhow::Result<()> {
    if cfg!(unix) {
        // The standard library can only kill; a server wants to be asked.
        let asked =
            Command::new("kill").args(["-TERM", &child.id().to_string()]).stderr(Stdio::null()).status();
        if asked.is_ok_and(|status| status.success()) && wait_at_most(child, patience)?.is_some() {
            return Ok(());
        }
    }
    if child.try_wait()?.is_none() {
        child.kill().context("failed to stop a program")?;
    }
    child.wait().context("failed to wait for a program")?;
    Ok(())
}
