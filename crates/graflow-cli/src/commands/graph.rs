//! `graflow lineage graph`

use clap::ValueEnum;

use crate::config::Config;
use crate::execution_id::ExecutionName;
use crate::exit::Exit;
use crate::graph_text::{dot, mermaid};
use crate::source::Source;

/// In which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Mermaid, which many pages draw.
    Mermaid,
    /// The language of `dot`.
    Dot,
    /// As the server answers it.
    Json,
}

/// Which graph, and in which language.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The beginning or the end of its id, `latest`, or `latest:WORKFLOW`.
    #[arg(value_name = "ID", default_value = "latest")]
    id: ExecutionName,
    /// In which language.
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
    /// As it stood then: an event's number, or a time.
    #[arg(long, value_name = "SEQ|TIME")]
    at: Option<String>,
}

/// Prints it.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let source = Source::open(config).await?;
    let execution_id = options.id.resolve(&source).await?;
    let graph = source.graph(&execution_id, options.at.as_deref()).await?;
    match options.format {
        Format::Json => config.print_json(&graph)?,
        _ if config.json => config.print_json(&graph)?,
        Format::Mermaid => config.print_text(&mermaid(&graph))?,
        Format::Dot => config.print_text(&dot(&graph))?,
    }
    Ok(Exit::Ok)
}
