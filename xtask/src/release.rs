//! `cargo xtask release`: the archive that people install from.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};

use crate::process;
use crate::workspace::Workspace;

/// Shells that completions are written for, and what the file is called by which each finds them.
const COMPLETIONS: [(&str, &str); 3] = [("bash", "graflow"), ("zsh", "_graflow"), ("fish", "graflow.fish")];

/// Files that go in as they are.
const FILES: [&str; 6] = [
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "packaging/graflow-lineage.service",
    "packaging/nginx.conf",
    "packaging/Containerfile",
];

/// What to build.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Build without optimisation, to see what is in it.
    #[arg(long)]
    debug: bool,
}

/// Builds the program, its manual and its completions, and puts them together.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    let (profile, built) = if options.debug { ("dev", "debug") } else { ("dist", "dist") };
    process::check(workspace.cargo().args([
        "build",
        "--locked",
        "--profile",
        profile,
        "--package",
        "graflow-cli",
    ]))?;
    let program = workspace.path(format!("target/{built}/graflow"));
    let machine = std::env::consts::ARCH;
    let name = format!("graflow-{}-{machine}-{}", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    let folder = workspace.path("target/release-archive").join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("failed to remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder.join("completions"))?;
    copy(&program, &folder.join("graflow"))?;
    for file in FILES {
        let name = Path::new(file).file_name().context("a file has a name")?;
        copy(&workspace.path(file), &folder.join(name))?;
    }
    process::check(workspace.command(&program).arg("manual").arg(folder.join("man/man1")))?;
    for (shell, file) in COMPLETIONS {
        let output = workspace.command(&program).args(["completions", shell]).output()?;
        ensure!(output.status.success(), "graflow completions {shell} failed");
        fs::write(folder.join("completions").join(file), output.stdout)?;
    }
    let archive = workspace.path(format!("target/{name}.tar.gz"));
    let parent = folder.parent().context("it lies in a folder")?;
    let mut tar = workspace.command("tar");
    tar.current_dir(parent).args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-czf"]);
    process::check(tar.arg(&archive).arg(&name))?;
    println!("{}", archive.strip_prefix(&workspace.root).unwrap_or(&archive).display());
    Ok(ExitCode::SUCCESS)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to).with_context(|| format!("failed to copy {}", from.display()))?;
    Ok(())
}
