//! `graflow lineage logs`

use std::fmt::Write as _;
use std::time::Duration;

use graflow_model::{Seq, TaskId};
use graflow_wire::LogLine;

use crate::config::Config;
use crate::execution_id::ExecutionName;
use crate::exit::Exit;
use crate::output::{Terminal, Tone, clean, time_of_day};
use crate::source::{LogsQuery, Source};

/// How often a followed log is asked for.
const PAUSE: Duration = Duration::from_millis(250);

/// Whose lines.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The beginning or the end of its id, `latest`, or `latest:WORKFLOW`.
    #[arg(value_name = "ID", default_value = "latest")]
    id: ExecutionName,
    /// Only of this task.
    #[arg(long)]
    task: Option<TaskId>,
    /// Only from this level up.
    #[arg(long, value_parser = ["trace", "debug", "info", "warning", "error"])]
    level: Option<String>,
    /// Go on until the execution has ended.
    #[arg(short, long)]
    follow: bool,
}

/// Prints them.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let source =
        if options.follow { Source::open_to_follow(config).await? } else { Source::open(config).await? };
    let execution_id = options.id.resolve(&source).await?;
    let mut query = LogsQuery {
        execution_id: execution_id.clone(),
        task_id: options.task.clone(),
        level: options.level.clone(),
        after: Seq::ZERO,
        cursor: None,
    };
    let mut printed = 0_u64;
    loop {
        // Asked before the lines are: what is written before the end is printed before we stop.
        let ended = !options.follow || source.execution(&execution_id).await?.status.is_ended();
        loop {
            let page = source.logs(&query).await?;
            for line in &page.logs {
                query.after = query.after.max(line.seq);
                printed += 1;
                if config.json {
                    config.print_text(&format!("{}\n", serde_json::to_string(line)?))?;
                } else {
                    config.print_lines(&[text(config.terminal, line)])?;
                }
            }
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        if ended {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    if printed == 0 {
        eprintln!("no log lines{}", if options.task.is_some() { " of this task" } else { "" });
    }
    Ok(Exit::Ok)
}

fn text(terminal: Terminal, line: &LogLine) -> String {
    let tone = match line.level.to_ascii_lowercase().as_str() {
        "error" | "critical" | "fatal" => Tone::Bad,
        "warning" | "warn" => Tone::Warn,
        "debug" | "trace" => Tone::Dim,
        _ => Tone::Plain,
    };
    let level = terminal.paint(tone, &format!("{:<7}", clean(&line.level)));
    let task = line.task_id.as_ref().map(|task| format!("{} ", clean(task.as_str()))).unwrap_or_default();
    let mut fields = String::new();
    for (name, value) in line.fields.iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        // Writing to a string cannot fail.
        let _ = write!(fields, " {}={}", clean(name), clean(&value));
    }
    let cut =
        line.cut.map(|cut| format!(" ({cut} more lines were cut here by the limit)")).unwrap_or_default();
    format!(
        "{} {level} {}{}{}{cut}",
        terminal.paint(Tone::Dim, &time_of_day(line.time)),
        terminal.paint(Tone::Bold, &task),
        clean(&line.message),
        terminal.paint(Tone::Dim, &fields),
    )
}
