//! `graflow lineage backup`

use std::path::PathBuf;
use std::time::Instant;

use graflow_store::backup;
use serde_json::json;

use super::restore::{cannot, done};
use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Progress;

/// Where to.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder to make; it must not exist, or be empty.
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

/// Copies the data folder, also while a server or a program owns it and writes on.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    if let Some(endpoint) = &config.endpoint {
        let failure =
            Failure::new(Exit::Usage, format!("a backup is made where the folder is ({endpoint} was named)"));
        return Err(failure
            .hint("run it on the server's machine, without --url, with its --data-dir")
            .into());
    }
    let (folder, now, began) = (config.data_dir.clone(), config.now(), Instant::now());
    let to = options.to.clone();
    let made = tokio::task::spawn_blocking(move || {
        let mut progress: Option<Progress> = None;
        let made = backup::back_up(&folder, &to, now, &mut |done, of| {
            progress.get_or_insert_with(|| Progress::new("bytes", Some(of))).at(done);
        });
        if let Some(progress) = progress {
            progress.done();
        }
        made
    });
    let manifest = made.await?.map_err(|error| cannot(&error))?;
    let seconds = began.elapsed().as_secs_f64();
    if config.json {
        config.print_json(&json!({ "backup": options.to, "seconds": seconds, "manifest": manifest }))?;
    } else {
        config.print_lines(&[done("backed up", &manifest, seconds)])?;
    }
    Ok(Exit::Ok)
}
