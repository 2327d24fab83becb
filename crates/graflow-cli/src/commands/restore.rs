//! `graflow lineage restore`

use std::path::PathBuf;
use std::time::Instant;

use graflow_local::{DataFolder, Ownership};
use graflow_store::backup::{self, BackupError, Manifest};
use serde_json::json;

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Progress, bytes, count, duration, plural};

/// Where from.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder that `graflow lineage backup` made.
    #[arg(value_name = "DIR")]
    from: PathBuf,
}

/// Puts a backup into the data folder, which must hold nothing yet. Every byte is checked.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    if config.endpoint.is_some() {
        let failure = Failure::new(Exit::Usage, "a backup is restored into a folder, not to a server");
        return Err(failure
            .hint("leave out --url, name the folder with --data-dir, and start a server on it")
            .into());
    }
    let (folder, began) = (DataFolder::at(&config.data_dir), Instant::now());
    let from = options.from.clone();
    let restored = tokio::task::spawn_blocking(move || {
        backup::read_manifest(&from).map_err(|error| cannot(&error))?;
        let _ownership = Ownership::take(&folder, std::time::Duration::ZERO)
            .map_err(|error| Failure::of(Exit::Folder, &error).hint(error.hint()))?;
        let mut progress: Option<Progress> = None;
        let restored = backup::restore(&from, folder.path(), &mut |done, of| {
            progress.get_or_insert_with(|| Progress::new("bytes", Some(of))).at(done);
        });
        if let Some(progress) = progress {
            progress.done();
        }
        restored.map_err(|error| cannot(&error))
    });
    let manifest = restored.await??;
    let seconds = began.elapsed().as_secs_f64();
    if config.json {
        config
            .print_json(&json!({ "data_dir": config.data_dir, "seconds": seconds, "manifest": manifest }))?;
    } else {
        config.print_lines(&[done("restored", &manifest, seconds)])?;
    }
    Ok(Exit::Ok)
}

/// What was copied, in a line.
pub(super) fn done(what: &str, manifest: &Manifest, seconds: f64) -> String {
    let size = manifest.files.iter().map(|file| file.bytes).sum();
    let files = plural(manifest.files.len() as u64, "file");
    let (size, last, took) = (bytes(size), count(manifest.last_seq.0), duration(seconds));
    format!("{what} everything up to event {last}: {files}, {size}, in {took}")
}

/// Why it was not copied, with a code to end with.
pub(super) fn cannot(error: &BackupError) -> Failure {
    let exit = match error {
        BackupError::Taken(_) => Exit::Refused,
        BackupError::Nothing(_) | BackupError::Unfinished(_) => Exit::NotFound,
        BackupError::Newer { .. }
        | BackupError::Changed(_)
        | BackupError::Log(_)
        | BackupError::Tables(_)
        | BackupError::Io { .. } => Exit::Folder,
    };
    Failure::of(exit, error)
}
