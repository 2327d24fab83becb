//! `server.json`: who owns the folder.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use graflow_model::Timestamp;
use serde::{Deserialize, Serialize};

/// The owner of a data folder, as it stands in `server.json`. Written as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The process.
    pub pid: u32,
    /// Where it answers; none for a program that keeps its lineage itself.
    pub url: Option<String>,
    /// The version that it runs.
    pub version: String,
    /// Names this owner: new at each start.
    pub instance_id: String,
    /// Since when.
    pub started_time: Timestamp,
}

/// A file longer than this is none of ours.
const LONGEST: u64 = 64 * 1024;

impl Owner {
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        // Readers see the old file or the new one, never half of it. Only the owner writes, so one name will do.
        let temporary = path.with_extension("json.tmp");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options
            .open(&temporary)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// What the file says; none when there is none, or something else.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        if fs::metadata(path).ok()?.len() > LONGEST {
            return None;
        }
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }
}
