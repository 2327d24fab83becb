//! Where the repository is and what cargo says about it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// The checkout that this program was built from.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// Its folder.
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// The folder above this crate.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("this crate has no parent folder")?;
        ensure!(
            root.join("Cargo.toml").is_file(),
            "no workspace at {}: the checkout was moved; run `cargo xtask` from it again",
            root.display()
        );
        Ok(Self { root: root.to_owned() })
    }

    /// A path inside the checkout.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// A program that runs in the checkout.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that runs us, in the checkout.
    pub(crate) fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Every file that is, or would be, under version control; relative, ordered.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let output = self
            .command("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
            .output()
            .context("failed to run git")?;
        ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim());
        let mut files: Vec<PathBuf> = String::from_utf8(output.stdout)
            .context("a file name is not UTF-8")?
            .split_terminator('\0')
            .map(PathBuf::from)
            // Deleted, not yet committed.
            .filter(|file| self.path(file).is_file())
            .collect();
        files.sort();
        Ok(files)
    }

    /// What `cargo metadata` says.
    pub(crate) fn metadata(&self) -> anyhow::Result<Metadata> {
        let output = self
            .cargo()
            .args(["metadata", "--format-version", "1"])
            .output()
            .context("failed to run cargo metadata")?;
        ensure!(
            output.status.success(),
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        serde_json::from_slice(&output.stdout).context("failed to read what cargo metadata says")
    }
}

/// What `cargo metadata` says, as far as we ask.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Metadata {
    /// Every package of the lock file.
    pub(crate) packages: Vec<Package>,
    /// The ids of our own.
    pub(crate) workspace_members: Vec<String>,
    /// Who really depends on whom.
    pub(crate) resolve: Resolve,
}

impl Metadata {
    /// Our own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }
}

/// One package.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,

    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// One line of a package's manifest.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// None = normal, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// Something cargo can build.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
    #[serde(rename = "required-features", default)]
    pub(crate) required_features: Vec<String>,
}

impl Target {
    /// Whether it is a `bin`, an `example`, a `bench`…
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|own| own == kind)
    }
}

/// The resolved graph of packages.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// One package of the resolved graph.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<NodeDependency>,
}

/// One arrow of the resolved graph.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct NodeDependency {
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<DependencyKind>,
}

/// Why the arrow is there.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct DependencyKind {
    /// None = normal, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}
