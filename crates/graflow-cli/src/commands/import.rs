//! `graflow lineage import`

use std::io::{BufRead, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use graflow_client::ClientError;
use graflow_wire::{InvalidEvent, PostAnswer};
use serde_json::json;

use crate::compression;
use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Progress, count, plural};
use crate::source::{Source, failure};

/// Events and bytes of one request: well below what a server takes.
const BATCH_EVENTS: u64 = 5_000;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// A line longer than this is no event; it is not even held.
const LINE_BYTES: u64 = 2 * graflow_model::limits::EVENT_BYTES as u64;
/// How long a server that is busy is waited for, in all.
const PATIENCE: Duration = Duration::from_mins(2);
/// Events that could not be taken, told one by one.
const TOLD: usize = 10;

/// What to read.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A file with one event a line, as `export` writes it; .gz and .zst are decompressed. `-` = standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Hands every line in. What is there already stays as it is: doing it twice does no harm.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let mut reader = compression::reader(&options.file)?;
    let source = Source::open_or_create(config).await?;
    let mut import = Import::default();
    let mut progress = Progress::new("events", None);
    let mut batch = Batch::default();
    let mut line_number = 0_u64;
    loop {
        let line =
            read_line(&mut reader).with_context(|| format!("failed to read {}", options.file.display()))?;
        let Some(line) = line else { break };
        line_number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if line_number == 1 && line.trim_ascii_start().starts_with(b"[") {
            let failure = Failure::new(Exit::Usage, "this is a JSON array, not one event a line");
            return Err(failure
                .hint("make lines of it: `jq -c '.[]' FILE | graflow lineage import -`")
                .into());
        }
        batch.push(line_number, &line);
        if batch.is_full() {
            import.send(&source, std::mem::take(&mut batch)).await?;
            progress.at(import.read);
        }
    }
    import.send(&source, batch).await?;
    progress.done();
    // They are on disk; who asks next wants to see them.
    let mut progress = Progress::new("making it readable, event", None);
    source.wait_until_readable(|event| progress.at(event)).await?;
    progress.done();
    import.say(config)
}

#[derive(Debug, Default)]
struct Batch {
    body: Vec<u8>,
    /// The line in the file of each event.
    lines: Vec<u64>,
}

impl Batch {
    fn push(&mut self, number: u64, line: &[u8]) {
        self.body.extend_from_slice(line.trim_ascii_end());
        self.body.push(b'\n');
        self.lines.push(number);
    }

    fn is_full(&self) -> bool {
        self.lines.len() as u64 >= BATCH_EVENTS || self.body.len() >= BATCH_BYTES
    }
}

#[derive(Debug, Default)]
struct Import {
    read: u64,
    accepted: u64,
    duplicates: u64,
    dropped: u64,
    invalid: u64,
    /// The first of them: the line, and what is wrong with it.
    told: Vec<(u64, InvalidEvent)>,
}

impl Import {
    async fn send(&mut self, source: &Source, batch: Batch) -> anyhow::Result<()> {
        if batch.lines.is_empty() {
            return Ok(());
        }
        let answer = post(source, batch.body).await?;
        self.read += batch.lines.len() as u64;
        self.accepted += answer.accepted;
        self.duplicates += answer.duplicates;
        self.dropped += answer.dropped;
        self.invalid += answer.invalid.len() as u64;
        for event in answer.invalid {
            if self.told.len() < TOLD {
                self.told.push((batch.lines.get(event.index).copied().unwrap_or(0), event));
            }
        }
        Ok(())
    }

    fn say(&self, config: &Config) -> anyhow::Result<Exit> {
        for (line, event) in &self.told {
            // Each line is a text of its own to the server.
            eprintln!("line {line}: {}", event.message.replace(" at line 1 column ", ", column "));
        }
        if self.invalid > self.told.len() as u64 {
            eprintln!("and {} more", count(self.invalid - self.told.len() as u64));
        }
        if self.invalid > 0 {
            eprintln!("hint: everything else is stored; mend these lines and import the file again");
        }
        if config.json {
            config.print_json(&json!({
                "read": self.read,
                "accepted": self.accepted,
                "duplicates": self.duplicates,
                "dropped": self.dropped,
                "invalid": self.invalid,
            }))?;
        } else {
            let parts = [
                (self.duplicates, "there already"),
                (self.dropped, "of deleted executions, left out"),
                (self.invalid, "that cannot be taken"),
            ];
            let more: Vec<String> = parts
                .iter()
                .filter(|(number, _)| *number > 0)
                .map(|(number, what)| format!("{} {what}", count(*number)))
                .collect();
            let more = if more.is_empty() { String::new() } else { format!("; {}", more.join(", ")) };
            config.print_lines(&[format!("imported {}{more}", plural(self.accepted, "event"))])?;
        }
        Ok(if self.invalid > 0 { Exit::Incomplete } else { Exit::Ok })
    }
}

/// A server that is busy says so and is asked again.
async fn post(source: &Source, body: Vec<u8>) -> anyhow::Result<PostAnswer> {
    let mut pause = Duration::from_millis(100);
    let start = tokio::time::Instant::now();
    loop {
        match source.post_events(body.clone()).await {
            Err(ClientError::Refused { status, .. })
                if status.as_u16() == 503 && start.elapsed() < PATIENCE =>
            {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            answer => return answer.map_err(failure),
        }
    }
}

/// A line without its end; of one that is too long only as much as shows that it is.
fn read_line(reader: &mut dyn BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = (&mut *reader).take(LINE_BYTES).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && read as u64 == LINE_BYTES {
        skip_line(reader)?;
    }
    Ok(Some(line))
}

fn skip_line(reader: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let (found, used) = {
            let buffer = reader.fill_buf()?;
            match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (true, at + 1),
                None => (buffer.is_empty(), buffer.len()),
            }
        };
        reader.consume(used);
        if found {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_one_read() {
        let most = usize::try_from(LINE_BYTES).unwrap();
        let text = format!("{}\n{{}}\nlast", "x".repeat(3 * most));
        let mut reader = std::io::Cursor::new(text);
        let lengths: Vec<usize> = std::iter::from_fn(|| read_line(&mut reader).unwrap())
            .map(|line| line.trim_ascii_end().len())
            .collect();
        assert_eq!(lengths, [most, 2, 4]);
    }
}
