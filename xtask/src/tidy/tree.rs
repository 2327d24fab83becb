//! What rules look at, and what they find.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::workspace::{Metadata, Workspace};

/// The checkout, as rules see it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The text files under version control, ordered by path.
    pub(super) files: Vec<TextFile>,
    /// The paths of files that are no text: pictures.
    pub(super) pictures: BTreeSet<PathBuf>,
    /// What cargo knows.
    pub(super) metadata: Metadata,
}

/// One text file.
#[derive(Debug)]
pub(super) struct TextFile {
    /// Relative to the checkout.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Tree {
    /// Reads all of it. Of what is no text only the path is the rules' business.
    pub(super) fn read(workspace: &Workspace) -> anyhow::Result<Self> {
        let (mut files, mut pictures) = (Vec::new(), BTreeSet::new());
        for path in workspace.files()? {
            match String::from_utf8(std::fs::read(workspace.path(&path))?) {
                Ok(text) => files.push(TextFile { path, text }),
                Err(_) => _ = pictures.insert(path),
            }
        }
        Ok(Self { files, pictures, metadata: workspace.metadata()? })
    }

    /// A file by its path.
    pub(super) fn file(&self, path: impl AsRef<Path>) -> Option<&TextFile> {
        self.files.iter().find(|file| file.path == path.as_ref())
    }

    /// Files whose name ends so.
    pub(super) fn with_extension<'a>(&'a self, extensions: &'a [&str]) -> impl Iterator<Item = &'a TextFile> {
        self.files.iter().filter(move |file| {
            file.path.extension().and_then(|own| own.to_str()).is_some_and(|own| extensions.contains(&own))
        })
    }

    /// The manifests of our crates: the folder's path, and the file.
    pub(super) fn manifests(&self) -> impl Iterator<Item = (&Path, &TextFile)> {
        self.files.iter().filter_map(|file| {
            let folder = file.path.parent()?;
            let in_workspace = ["crates", "examples", "xtask"].iter().any(|ours| folder.starts_with(ours));
            (in_workspace && file.path.file_name()? == "Cargo.toml" && file.text.contains("[package]"))
                .then_some((folder, file))
        })
    }

    /// A tree made of texts, for the tests of rules.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| TextFile { path: path.into(), text: (*text).to_owned() };
        Self { files: files.iter().map(file).collect(), ..Self::default() }
    }
}

impl TextFile {
    /// Its lines, numbered from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Something wrong with it.
    pub(super) fn fault(&self, line: Option<usize>, message: impl Into<String>) -> Fault {
        Fault { path: self.path.clone(), line, message: message.into(), fails: true }
    }
}

/// Where a rule is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    path: PathBuf,
    line: Option<usize>,
    message: String,
    /// Whether it is more than a warning.
    pub(super) fails: bool,
}

impl Fault {
    /// A fault of a whole crate or file.
    pub(super) fn of(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, message: message.into(), fails: true }
    }

    /// Worth a look, no more.
    pub(super) fn only_a_warning(mut self) -> Self {
        self.fails = false;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.fails { "error" } else { "warning" };
        write!(formatter, "{kind}: {}", self.path.display())?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

/// What the faults say, for the tests of rules.
#[cfg(test)]
pub(super) fn said(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}
