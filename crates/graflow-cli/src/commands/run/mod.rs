//! `graflow lineage run`: a program, a server beside it, and two lines about what it did.

mod outcome;
mod program;
mod server;

use std::ffi::OsString;
use std::process::{ExitCode, ExitStatus};

use anyhow::Context as _;
use graflow_client::{Endpoint, environment};

use self::outcome::Outcome;
use self::program::Program;
use super::open::launch;
use crate::config::Config;
use crate::output::{Terminal, Tone};
use crate::source::{self, Source};

/// The label that every execution of one `run` carries.
const LABEL: &str = "run";

/// Which program.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Open the page in a browser.
    #[arg(long)]
    open: bool,
    /// Say nothing about it but what goes wrong.
    #[arg(long, short)]
    quiet: bool,
    /// The Python that runs a script; the one of the active environment when not said.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<OsString>,
    /// A Python script (`*.py`), or a program.
    #[arg(value_name = "SCRIPT")]
    script: OsString,
    /// What the script is given.
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs it, and ends as it ends.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<ExitCode> {
    let program = Program::find(&options.script, options.python.as_deref())?;
    let talk = Talk { terminal: config.stderr, quiet: options.quiet };
    let endpoint = match source::server(config).await {
        Some(endpoint) => endpoint,
        None => server::start(config).await?,
    };
    let run = name();
    let page = endpoint.url(&format!("/executions?label.{LABEL}={run}"));
    talk.say(&format!("{} {page}", talk.terminal.paint(Tone::Dim, "lineage:")));
    if options.open && !launch(page.as_str()) {
        talk.say("no browser could be started here; open the address above");
    }

    let mut command = program.command(&options.arguments);
    command.env(environment::LABELS, labels(environment::variable(environment::LABELS), &run));
    command.env("GRAFLOW_LINEAGE", "1");
    // A server that was named stands in the environment or does now; any other is found by its folder.
    command.env(environment::DATA_DIR, &config.data_dir);
    if config.endpoint.is_some() {
        command.env(environment::URL, endpoint.url("/").as_str());
    }
    if let Some(token) = &config.token {
        command.env(environment::TOKEN, token);
    }
    let mut child = command.spawn().map_err(|error| program.cannot_start(&error))?;
    let status = wait(&mut child).await.context("failed to wait for the program")?;

    tell(&talk, &endpoint, &run, &program).await;
    Ok(code(status))
}

/// What is said about the program, on standard error: standard output is the program's own.
struct Talk {
    terminal: Terminal,
    quiet: bool,
}

impl Talk {
    fn say(&self, line: &str) {
        if !self.quiet {
            eprintln!("{line}");
        }
    }
}

/// One line for each execution. What cannot be asked is said, and changes nothing about how the program ended.
async fn tell(talk: &Talk, endpoint: &Endpoint, run: &str, program: &Program) {
    if talk.quiet {
        return;
    }
    let asked = async { Outcome::wait_for(&Source::to_server(endpoint.clone())?, LABEL, run).await }.await;
    match asked {
        Ok(outcome) if outcome.is_empty() => {
            eprintln!("nothing was recorded\nhint: {}", program.hint_when_nothing_is_recorded());
        }
        Ok(outcome) => outcome.lines(talk.terminal, endpoint).iter().for_each(|line| talk.say(line)),
        Err(error) => eprintln!("what it did cannot be said: {}", format_args!("{error:#}")),
    }
}

/// Waits for the program. Ctrl-C reaches it as well, and it decides what that means.
async fn wait(child: &mut tokio::process::Child) -> std::io::Result<ExitStatus> {
    loop {
        tokio::select! {
            status = child.wait() => return status,
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

/// The program's own code; 128 and the signal's number when a signal ended it, as shells say it.
fn code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    ExitCode::from(u8::try_from(status.code().or(signal).unwrap_or(1)).unwrap_or(1))
}

/// What nobody else calls their run: the time and the process.
fn name() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", now.as_micros(), std::process::id())
}

fn labels(given: Option<String>, run: &str) -> String {
    let own = format!("{LABEL}={run}");
    given.map_or(own.clone(), |given| format!("{given},{own}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn labels_of_the_environment_stay() {
        assert_eq!(super::labels(None, "7"), "run=7");
        assert_eq!(super::labels(Some("team=a,env=prod".into()), "7"), "team=a,env=prod,run=7");
    }
}
