//! `graflow lineage clear`

use graflow_wire::DeleteRequest;

use super::delete::confirmed;
use crate::config::Config;
use crate::exit::Exit;
use crate::source::Source;

/// Whether to ask.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Deletes every execution, after asking.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let source = Source::open_to_change(config).await?;
    let everything = DeleteRequest { all: true, ..DeleteRequest::default() };
    confirmed(config, &source, everything, options.yes).await
}
