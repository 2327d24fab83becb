//! `graflow lineage list`

use graflow_model::{ExecutionStatus, Timestamp, WorkflowName};
use graflow_wire::Execution;

use crate::config::Config;
use crate::exit::Exit;
use crate::output::{Align, Table, Terminal, Tone, age, clean, count, duration, execution_mark};
use crate::source::{ExecutionsQuery, Source};
use crate::time_argument::{TimeArgument, parse_time};

/// Which executions, and how many.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    filter: Filter,
    /// How many at most.
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: usize,
}

/// Which executions; everything that is said must hold.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Filter {
    /// Only of this workflow.
    #[arg(long, value_name = "NAME")]
    pub(crate) workflow: Option<WorkflowName>,
    /// Only in this state; may be given several times.
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub(crate) status: Vec<ExecutionStatus>,
    /// Only with this label.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_label)]
    pub(crate) label: Vec<(String, String)>,
    /// Only started at or after: a time, a day, or how long ago, such as 2h or 7d.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) since: Option<TimeArgument>,
    /// Only started before.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) before: Option<TimeArgument>,
}

impl Filter {
    /// Whether nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.workflow.is_none()
            && self.status.is_empty()
            && self.label.is_empty()
            && self.since.is_none()
            && self.before.is_none()
    }

    /// The question to the server.
    pub(crate) fn query(&self, now: Timestamp, limit: usize) -> ExecutionsQuery {
        ExecutionsQuery {
            workflow_name: self.workflow.clone(),
            status: self.status.clone(),
            labels: self.label.clone(),
            started_after: self.since.map(|time| time.resolve(now)),
            started_before: self.before.map(|time| time.resolve(now)),
            limit,
            ..ExecutionsQuery::default()
        }
    }
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is no label; write it as key=value")),
    }
}

/// Lists them.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let source = Source::open(config).await?;
    let now = config.now();
    let (executions, more) = source.newest(options.filter.query(now, options.limit)).await?;
    if config.json {
        config.print_json(&serde_json::json!({ "executions": executions }))?;
        return Ok(Exit::Ok);
    }
    config.print_lines(&lines(config.terminal, now, &executions))?;
    if executions.is_empty() {
        eprintln!(
            "{}",
            if options.filter.is_empty() { "nothing has run yet" } else { "no execution is like that" }
        );
    } else if more {
        eprintln!("there are more; -n shows more of them");
    }
    Ok(Exit::Ok)
}

/// A line for each, under headings.
pub(crate) fn lines(terminal: Terminal, now: Timestamp, executions: &[Execution]) -> Vec<String> {
    if executions.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(
        &[
            ("status", Align::Left),
            ("workflow", Align::Left),
            ("started", Align::Right),
            ("took", Align::Right),
            ("tasks", Align::Right),
            ("failed", Align::Right),
            ("id", Align::Left),
        ],
        1,
    );
    let short = short_ids(executions);
    for (execution, short) in executions.iter().zip(short) {
        let mark = execution_mark(execution.status);
        let failed = if execution.failed_tasks > 0 { count(execution.failed_tasks) } else { String::new() };
        table.row(vec![
            (format!("{} {}", mark.shape(terminal), execution.status), mark.tone),
            (clean(execution.workflow_name.as_str()), Tone::Bold),
            (age(now, execution.start_time), Tone::Plain),
            (execution.duration.map(duration).unwrap_or_default(), Tone::Plain),
            (count(execution.total_tasks), Tone::Plain),
            (failed, Tone::Bad),
            (clean(&short), Tone::Dim),
        ]);
    }
    table.lines(terminal)
}

/// The ids, cut to what tells these executions apart; at least eight characters, to stay telling for a while.
fn short_ids(executions: &[Execution]) -> Vec<String> {
    let ids: Vec<&str> = executions.iter().map(|execution| execution.execution_id.as_str()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    let alike =
        |pair: &[&str]| pair[0].chars().zip(pair[1].chars()).take_while(|(one, other)| one == other).count();
    let longest = sorted.windows(2).map(alike).max().unwrap_or(0);
    // Two more than needed: ids that begin with the time are alike for long, and the next one comes soon.
    let length = (longest + 3).max(8);
    ids.iter().map(|id| id.chars().take(length).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read() {
        assert_eq!(parse_label("env=prod=1"), Ok(("env".to_owned(), "prod=1".to_owned())));
        assert!(parse_label("env").is_err());
        assert!(parse_label("=x").is_err());
    }
}
