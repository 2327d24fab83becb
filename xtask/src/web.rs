//! `cargo xtask web`: the pages, from `web/` into `web/dist`, where the next build of the program finds them.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};

use crate::process;
use crate::workspace::Workspace;

/// The oldest Node that the build runs on.
const NODE: (u32, u32) = (20, 19);

/// Builds them.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    build(workspace)?;
    println!("built web/dist; `cargo build` puts it into the program");
    Ok(ExitCode::SUCCESS)
}

/// Installs what the build needs, and builds.
pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<()> {
    node()?;
    process::check(&mut npm(workspace, &["ci"]))?;
    process::check(&mut npm(workspace, &["run", "build"]))
}

/// Says what is missing when there is no Node that will do.
pub(crate) fn node() -> anyhow::Result<()> {
    let hint = "the pages need Node 20.19 or newer, with npm\nhint: nodejs.org, or your system's packages";
    let output = Command::new("node").arg("--version").output().context(hint)?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure!(parse(&version).is_some_and(|version| version >= NODE), "node {version} is too old: {hint}");
    ensure!(Command::new("npm").arg("--version").output().is_ok(), "there is no npm: {hint}");
    Ok(())
}

/// npm, in `web/`.
pub(crate) fn npm(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.command("npm");
    command.current_dir(workspace.path("web")).args(arguments).env("NO_UPDATE_NOTIFIER", "1");
    command
}

/// Reads `v20.19.0`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(parse("v20.19.2"), Some((20, 19)));
        assert!(parse("v18.20.4").is_some_and(|version| version < NODE));
        assert!(parse("v22.0.0").is_some_and(|version| version >= NODE));
        assert_eq!(parse("20"), None);
    }
}
