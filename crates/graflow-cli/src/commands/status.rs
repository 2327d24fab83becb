//! `graflow lineage status`

use std::fmt::Write as _;

use graflow_model::ExecutionStatus;
use graflow_wire::{MetricsSummary, Retention, ServerInfo};
use serde_json::json;

use crate::config::Config;
use crate::exit::Exit;
use crate::output::{Tone, age, bytes, count, duration, execution_mark, pairs, plural};
use crate::source::Source;

/// Takes nothing of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

/// Says whether a server is up and what is kept.
pub(crate) async fn run(config: &Config, Options {}: Options) -> anyhow::Result<Exit> {
    let source = Source::open(config).await?;
    let info = source.server().await?;
    let metrics = source.metrics().await?;
    let url = source.endpoint().map(ToString::to_string);
    if config.json {
        config.print_json(&json!({
            "running": url.is_some(),
            "url": url,
            "data_dir": config.endpoint.is_none().then_some(&config.data_dir),
            "server": info,
            "metrics": metrics,
        }))?;
        return Ok(Exit::Ok);
    }
    config.print_lines(&lines(config, url.as_deref(), &info, &metrics))?;
    Ok(Exit::Ok)
}

/// How much is kept, of how much at the most.
fn kept(retention: &Retention) -> String {
    let of = |limit: Option<String>| limit.map_or_else(String::new, |limit| format!(" of {limit}"));
    let mut words = vec![
        format!("{}{} executions", count(retention.kept_executions), of(retention.executions.map(count))),
        format!("{}{} on disk", bytes(retention.kept_bytes), of(retention.bytes.map(bytes))),
    ];
    words.extend(retention.age.map(|age| format!("{} days after their end", age / 86_400)));
    words.join(", ")
}

fn lines(config: &Config, url: Option<&str>, info: &ServerInfo, metrics: &MetricsSummary) -> Vec<String> {
    let terminal = config.terminal;
    let mut facts: Vec<(&str, String)> = Vec::new();
    if let Some(url) = url {
        let up = terminal.paint(Tone::Good, "up");
        let since = age(info.time, info.started_time);
        facts.push(("server", format!("{up} at {url}, started {since}")));
        facts.push(("version", info.version.clone()));
        facts.push(("viewers", count(info.viewers)));
    } else {
        let none = terminal.paint(Tone::Warn, "none");
        facts.push(("server", format!("{none} owns this folder; `graflow lineage serve` starts one")));
    }
    if config.endpoint.is_none() {
        facts.push(("data", config.data_dir.display().to_string()));
    }
    let by_status: Vec<String> = ExecutionStatus::ALL
        .iter()
        .filter_map(|status| Some((status, *metrics.executions_by_status.get(status)?)))
        .filter(|(_, number)| *number > 0)
        .map(|(status, number)| {
            format!("{} {} {status}", execution_mark(*status).painted(terminal), count(number))
        })
        .collect();
    let detail = if by_status.is_empty() { String::new() } else { format!(": {}", by_status.join(", ")) };
    facts.push(("executions", format!("{}{detail}", count(metrics.total_executions))));
    let mut tasks = plural(metrics.total_tasks, "task execution");
    if metrics.total_tasks > 0 {
        // Writing to a string cannot fail.
        let _ = write!(tasks, ", {:.1} % completed", metrics.success_rate * 100.0);
        if let (Some(median), Some(slow)) = (metrics.task_duration.p50, metrics.task_duration.p95) {
            let _ = write!(tasks, "; median {}, 95 % within {}", duration(median), duration(slow));
        }
    }
    facts.push(("tasks", tasks));
    if let Some(retention) = &info.retention {
        facts.push(("kept", kept(retention)));
    }
    facts.push(("events", format!("up to number {}", count(info.last_seq.0))));
    pairs(terminal, &facts)
}
