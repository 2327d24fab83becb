//! `graflow lineage export`

use std::io::Write as _;
use std::path::PathBuf;

use graflow_model::ExecutionId;

use super::list::Filter;
use crate::compression::Writer;
use crate::config::Config;
use crate::execution_id::ExecutionName;
use crate::exit::Exit;
use crate::output::{Progress, plural};
use crate::source::{ExecutionsQuery, Source};

/// Executions whose ids are held at a time.
const EXECUTIONS: usize = 1_000;

/// What, and where to.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Beginnings of ids, `latest`, or `latest:WORKFLOW`; every execution when none is named.
    #[arg(value_name = "ID")]
    ids: Vec<ExecutionName>,
    #[command(flatten)]
    filter: Filter,
    /// The file; its ending says how it is compressed: .gz or .zst. Standard output when not said.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes every event as its producer wrote it, one a line, execution by execution, each in the order of its log.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let source = Source::open(config).await?;
    let mut writer = Writer::create(options.output.as_deref())?;
    let mut exported = Exported { executions: 0, events: 0, progress: Progress::new("events", None) };
    for name in &options.ids {
        let id = name.resolve(&source).await?;
        exported.execution(&source, &id, &mut writer).await?;
    }
    if options.ids.is_empty() {
        let mut query: ExecutionsQuery = options.filter.query(config.now(), EXECUTIONS);
        loop {
            let page = source.executions(&query).await?;
            for execution in &page.executions {
                exported.execution(&source, &execution.execution_id, &mut writer).await?;
            }
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
    }
    writer.finish()?;
    exported.progress.done();
    eprintln!(
        "exported {} of {}",
        plural(exported.events, "event"),
        plural(exported.executions, "execution")
    );
    Ok(Exit::Ok)
}

struct Exported {
    executions: u64,
    events: u64,
    progress: Progress,
}

impl Exported {
    async fn execution(
        &mut self,
        source: &Source,
        id: &ExecutionId,
        writer: &mut Writer,
    ) -> anyhow::Result<()> {
        let mut cursor = None;
        loop {
            let page = source.events(id, cursor.as_deref()).await?;
            for logged in &page.events {
                writer.write_all(one_line(logged.event.get()).as_bytes())?;
                writer.write_all(b"\n")?;
                self.events += 1;
            }
            self.progress.at(self.events);
            cursor = page.next_cursor;
            if cursor.is_none() {
                self.executions += 1;
                return Ok(());
            }
        }
    }
}

/// Line breaks in JSON stand between its parts only: in a text they are written as `\n`.
fn one_line(event: &str) -> String {
    event.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_and_says_the_same() {
        let written = "{\n  \"message\": \"a\\nb\"\r\n}";
        let line = one_line(written);
        assert!(!line.contains('\n'));
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&line), value(written));
    }
}
