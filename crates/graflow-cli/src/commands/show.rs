//! `graflow lineage show`

use serde_json::json;

use crate::config::Config;
use crate::execution_id::ExecutionName;
use crate::exit::Exit;
use crate::source::Source;
use crate::view::{Page, Rows};

/// More task executions than this are not asked for: the graph says enough.
const TASK_EXECUTIONS: usize = 20_000;

/// Which execution, and how much of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The beginning or the end of its id, `latest`, or `latest:WORKFLOW`.
    #[arg(value_name = "ID", default_value = "latest")]
    id: ExecutionName,
    /// Only what failed, with every error in full.
    #[arg(long)]
    failed: bool,
    /// Every task, also when there are thousands.
    #[arg(long, conflicts_with = "failed")]
    all: bool,
    /// The graph as it stood then: an event's number, or a time.
    #[arg(long, value_name = "SEQ|TIME")]
    at: Option<String>,
}

/// Shows it.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let source = Source::open(config).await?;
    let execution_id = options.id.resolve(&source).await?;
    let execution = source.execution(&execution_id).await?;
    let graph = source.graph(&execution_id, options.at.as_deref()).await?;
    let findings = source.findings(&execution_id).await?;
    // What stood then has no times of its own: the rows are those of now.
    let task_executions = match &options.at {
        None => source.task_executions(&execution_id, TASK_EXECUTIONS).await?,
        Some(_) => None,
    };
    let page = Page { execution, findings, graph, task_executions };
    if config.json {
        config.print_json(&json!({
            "execution": page.execution,
            "findings": page.findings,
            "graph": page.graph,
            "task_executions": page.task_executions,
        }))?;
        return Ok(Exit::Ok);
    }
    let rows = match () {
        () if options.failed => Rows::Failed,
        () if options.all => Rows::All,
        () => Rows::Summary,
    };
    config.print_lines(&page.lines(config.terminal, config.now(), rows))?;
    Ok(Exit::Ok)
}
