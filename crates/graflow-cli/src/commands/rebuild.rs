//! `graflow lineage rebuild`

use std::time::Instant;

use graflow_lineage::store::Store as _;
use serde_json::json;

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{count, duration};
use crate::owned_folder::{Tables, TakenFolder};

/// Takes nothing of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

/// Throws the tables away and derives them from the log again. The log, which is the truth, is only read.
pub(crate) async fn run(config: &Config, Options {}: Options) -> anyhow::Result<Exit> {
    if let Some(endpoint) = &config.endpoint {
        let failure = Failure::new(
            Exit::Usage,
            format!("a server's tables are its own ({endpoint}); this works on a folder"),
        );
        return Err(failure
            .hint("stop the server, leave out --url, and name its folder with --data-dir")
            .into());
    }
    if !config.data_dir.is_dir() {
        return Err(Failure::new(
            Exit::NotFound,
            format!("there is no data folder at {}", config.data_dir.display()),
        )
        .into());
    }
    let start = Instant::now();
    let folder = TakenFolder::take(config).await?.open(Tables::Rebuild).await?;
    let events = folder.store.last_seq();
    folder.close().await?;
    let seconds = start.elapsed().as_secs_f64();
    if config.json {
        config.print_json(&json!({ "last_seq": events, "seconds": seconds }))?;
    } else {
        config.print_lines(&[format!(
            "derived everything from the log again, up to event {}, in {}",
            count(events.0),
            duration(seconds)
        )])?;
    }
    Ok(Exit::Ok)
}
