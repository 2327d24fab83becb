//! What was typed, and what stands in the environment, made into what it means.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use graflow_client::{Endpoint, environment};
use graflow_local::DataFolder;
use graflow_model::Timestamp;
use serde::Serialize;

use crate::args::Shared;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Terminal;

/// What every command works with.
#[derive(Debug)]
pub(crate) struct Config {
    /// How standard output is written to.
    pub(crate) terminal: Terminal,
    /// How standard error is.
    pub(crate) stderr: Terminal,
    /// Whether a program reads it.
    pub(crate) json: bool,
    /// The data folder.
    pub(crate) data_dir: PathBuf,
    /// The server that was named; none = whoever owns the data folder.
    pub(crate) endpoint: Option<Endpoint>,
    /// The token: what a client sends, and what `serve` asks for.
    pub(crate) token: Option<String>,
}

impl Config {
    pub(crate) fn resolve(shared: &Shared) -> anyhow::Result<Self> {
        let token = match &shared.token_file {
            Some(file) => Some(read_token(file)?),
            None => environment::variable(environment::TOKEN),
        };
        let data_dir = match &shared.data_dir {
            Some(folder) => folder.clone(),
            None => match DataFolder::default_place() {
                Ok(folder) => folder.path().to_owned(),
                Err(error) => return Err(Failure::of(Exit::Usage, &error).hint("or say --data-dir").into()),
            },
        };
        let endpoint = match shared.url.as_deref().filter(|url| !url.is_empty()) {
            None => None,
            Some(url) => {
                let endpoint =
                    Endpoint::parse(url).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
                Some(endpoint.with_token(token.clone()))
            }
        };
        Ok(Self {
            terminal: Terminal::of_stdout(shared.color),
            stderr: Terminal::of_stderr(shared.color),
            json: shared.json,
            data_dir,
            endpoint,
            token,
        })
    }

    /// The time now. Commands show ages; nothing is decided by it.
    #[expect(clippy::unused_self, reason = "where a test would set the clock")]
    pub(crate) fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// Lines for a person.
    #[expect(clippy::unused_self, reason = "said like the other ways to print")]
    pub(crate) fn print_lines(&self, lines: &[String]) -> anyhow::Result<()> {
        let mut text = lines.join("\n");
        if !lines.is_empty() {
            text.push('\n');
        }
        write(&text)
    }

    /// Text as it is.
    #[expect(clippy::unused_self, reason = "said like the other ways to print")]
    pub(crate) fn print_text(&self, text: &str) -> anyhow::Result<()> {
        write(text)
    }

    /// JSON for a program.
    pub(crate) fn print_json(&self, what: &impl Serialize) -> anyhow::Result<()> {
        let mut text = if self.terminal.interactive {
            serde_json::to_string_pretty(what)
        } else {
            serde_json::to_string(what)
        }
        .context("failed to write JSON")?;
        text.push('\n');
        write(&text)
    }
}

fn write(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("failed to write to standard output")
}

fn read_token(file: &std::path::Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::new(Exit::Usage, format!("the token file {} cannot be read: {error}", file.display()))
    })?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) || !token.is_ascii() {
        let failure = Failure::new(Exit::Usage, format!("{} holds no token", file.display()));
        return Err(failure
            .hint("put one line of letters and digits in it: `openssl rand -hex 32 > FILE`")
            .into());
    }
    Ok(token.to_owned())
}
