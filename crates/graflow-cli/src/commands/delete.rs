//! `graflow lineage delete`

use std::io::{IsTerminal as _, Write as _};

use graflow_model::ExecutionId;
use graflow_wire::{DeleteRequest, DeletedAnswer};

use super::list::Filter;
use crate::config::Config;
use crate::execution_id::ExecutionName;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{count, plural};
use crate::source::Source;

/// Which executions.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Beginnings of ids, `latest`, or `latest:WORKFLOW`.
    #[arg(value_name = "ID")]
    ids: Vec<ExecutionName>,
    #[command(flatten)]
    filter: Filter,
    /// Only say what would be deleted.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Deletes them, after asking.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    if options.ids.is_empty() && options.filter.is_empty() {
        let failure = Failure::new(Exit::Usage, "nothing says which executions to delete");
        return Err(failure
            .hint("name ids, or say --workflow, --status, --label, --since or --before; `clear` deletes all")
            .into());
    }
    let source = Source::open_to_change(config).await?;
    let mut execution_ids: Vec<ExecutionId> = Vec::new();
    for name in &options.ids {
        execution_ids.push(name.resolve(&source).await?);
    }
    let now = config.now();
    let request = DeleteRequest {
        dry_run: options.dry_run,
        execution_ids: (!execution_ids.is_empty()).then_some(execution_ids),
        workflow_name: options.filter.workflow.clone(),
        status: options.filter.status.clone(),
        started_after: options.filter.since.map(|time| time.resolve(now)),
        started_before: options.filter.before.map(|time| time.resolve(now)),
        labels: options.filter.label.iter().cloned().collect(),
        ..DeleteRequest::default()
    };
    confirmed(config, &source, request, options.yes).await
}

/// Says what would go, asks, and deletes.
pub(crate) async fn confirmed(
    config: &Config,
    source: &Source,
    request: DeleteRequest,
    yes: bool,
) -> anyhow::Result<Exit> {
    let would = source.delete(&DeleteRequest { dry_run: true, ..request.clone() }).await?;
    if would.executions == 0 || request.dry_run {
        return say(config, "would be deleted", &would);
    }
    if !yes && !ask(&format!("delete {}?", of(&would)))? {
        eprintln!("nothing was deleted");
        return Ok(Exit::Refused);
    }
    let deleted = source.delete(&request).await?;
    say(config, "deleted", &deleted)
}

fn of(answer: &DeletedAnswer) -> String {
    format!("{} with {} events", plural(answer.executions, "execution"), count(answer.events))
}

fn say(config: &Config, what: &str, answer: &DeletedAnswer) -> anyhow::Result<Exit> {
    if config.json {
        config.print_json(answer)?;
    } else if answer.executions == 0 {
        config.print_lines(&["there is nothing to delete".to_owned()])?;
    } else {
        config.print_lines(&[format!("{what}: {}", of(answer))])?;
    }
    Ok(Exit::Ok)
}

/// Asks a person. Where there is none, the answer must come with the command.
fn ask(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let failure = Failure::new(
            Exit::Refused,
            "this deletes what cannot be brought back, and there is no terminal to ask on",
        );
        return Err(failure.hint("say --yes").into());
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
