//! `graflow lineage wait`

use std::time::Duration;

use serde_json::json;

use crate::config::Config;
use crate::execution_id::ExecutionName;
use crate::exit::Exit;
use crate::output::{clean, duration, execution_mark};
use crate::source::Source;
use crate::time_argument::parse_duration;

/// How often it is asked. A run that ends is told within this time.
const PAUSE: Duration = Duration::from_millis(250);

/// For which execution, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The beginning or the end of its id, `latest`, or `latest:WORKFLOW`.
    #[arg(value_name = "ID", default_value = "latest")]
    id: ExecutionName,
    /// Give up after this time, such as 90s or 2h.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,
}

/// Waits, and ends with the outcome.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let start = tokio::time::Instant::now();
    let source = Source::open_to_follow(config).await?;
    let execution_id = options.id.resolve(&source).await?;
    loop {
        let execution = source.execution(&execution_id).await?;
        if let Some(exit) = Exit::of_outcome(execution.status) {
            if config.json {
                config.print_json(&json!({ "execution": execution }))?;
            } else {
                let mark = execution_mark(execution.status);
                let took = execution
                    .duration
                    .map(|seconds| format!(" after {}", duration(seconds)))
                    .unwrap_or_default();
                let name = clean(execution.workflow_name.as_str());
                config.print_lines(&[format!(
                    "{} {name} {}{took}",
                    mark.painted(config.terminal),
                    execution.status
                )])?;
            }
            return Ok(exit);
        }
        if options.timeout.is_some_and(|timeout| start.elapsed() >= timeout) {
            eprintln!("{execution_id} is still {}", execution.status);
            return Ok(Exit::TimedOut);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
