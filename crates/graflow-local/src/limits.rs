//! What a folder keeps at the most: said by the server that owned it last, and kept to by programs that own it.

use std::fs;
use std::io::{self, Write as _};
use std::time::Duration;

use graflow_lineage::retention::RetentionLimits;
use serde::{Deserialize, Serialize};

use crate::folder::DataFolder;

/// `retention.json` in the folder; what is null has no limit.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    age_seconds: Option<u64>,
    executions: Option<u64>,
    bytes: Option<u64>,
}

/// What the folder keeps at the most; the usual limits where nobody has said others. A file that cannot be understood
/// means that nothing is deleted.
pub fn retention_limits(folder: &DataFolder) -> RetentionLimits {
    match fs::read(folder.retention_file()) {
        Ok(text) => match serde_json::from_slice::<Written>(&text) {
            Ok(Written { age_seconds, executions, bytes }) => {
                RetentionLimits { age: age_seconds.map(Duration::from_secs), executions, bytes }
            }
            Err(error) => {
                tracing::warn!("retention.json cannot be understood, so nothing is deleted: {error}");
                RetentionLimits::NONE
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => RetentionLimits::default(),
        Err(_) => RetentionLimits::NONE,
    }
}

/// Says what the folder keeps at the most from now on. Only for its owner.
///
/// # Errors
/// When the folder cannot be written.
pub fn set_retention_limits(folder: &DataFolder, limits: RetentionLimits) -> io::Result<()> {
    let written = Written {
        age_seconds: limits.age.map(|age| age.as_secs()),
        executions: limits.executions,
        bytes: limits.bytes,
    };
    let place = folder.retention_file();
    let new = place.with_extension("json.new");
    let mut file = fs::File::create(&new)?;
    file.write_all(&serde_json::to_vec(&written)?)?;
    file.sync_all()?;
    fs::rename(&new, &place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_come_back_and_what_is_not_understood_deletes_nothing() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(place.path());
        assert_eq!(retention_limits(&folder), RetentionLimits::default());
        let limits = RetentionLimits { bytes: Some(7), ..RetentionLimits::NONE };
        set_retention_limits(&folder, limits).unwrap();
        assert_eq!(retention_limits(&folder), limits);
        fs::write(folder.retention_file(), "{").unwrap();
        assert_eq!(retention_limits(&folder), RetentionLimits::NONE);
    }
}
