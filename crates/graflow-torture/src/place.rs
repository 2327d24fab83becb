//! Where a scenario's data folder lies.

use std::path::{Path, PathBuf};

/// A data folder in a temporary place, which stays when the scenario did not hold: it is the evidence.
#[derive(Debug)]
pub(crate) struct Place {
    root: Option<tempfile::TempDir>,
    folder: PathBuf,
}

impl Place {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let root = tempfile::Builder::new().prefix("graflow-torture-").tempdir()?;
        let folder = root.path().join("data");
        std::fs::create_dir(&folder)?;
        Ok(Self { root: Some(root), folder })
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All held: nothing has to be kept.
    pub(crate) fn held(mut self) {
        self.root.take();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(root) = self.root.take() {
            println!("  what it left is in {}", root.keep().display());
        }
    }
}
