//! Runs the programs in `examples/`, each in a folder of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::steps::surroundings;
use super::{Setting, Tally};
use crate::process;
use crate::workspace::{Metadata, Workspace};

/// An example tells a story; none is longer than this.
const LIMIT: Duration = Duration::from_mins(2);

/// Builds and runs them all.
pub(super) fn run(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    let workspace = setting.workspace;
    let programs = programs(workspace, &workspace.metadata()?);
    ensure!(!programs.is_empty(), "there are no examples");
    let mut build = workspace.cargo();
    build.args(["build", "--workspace", "--lib", "--bins", "--examples"]);
    process::check(surroundings(setting, &mut build))?;
    programs.iter().map(|program| run_one(setting, program)).sum()
}

/// Examples of any crate, and the programs of packages under `examples/`.
fn programs(workspace: &Workspace, metadata: &Metadata) -> Vec<PathBuf> {
    let debug = Path::new("target/debug");
    let mut programs: Vec<PathBuf> = metadata
        .members()
        .flat_map(|package| package.targets.iter().map(move |target| (package, target)))
        .filter(|(_, target)| target.required_features.is_empty())
        .filter_map(|(package, target)| {
            let told = package.manifest_path.starts_with(workspace.path("examples"));
            match () {
                () if target.is("example") => Some(debug.join("examples").join(&target.name)),
                () if told && target.is("bin") => Some(debug.join(&target.name)),
                () => None,
            }
        })
        .collect();
    programs.sort();
    programs
}

fn run_one(setting: &Setting<'_>, program: &Path) -> anyhow::Result<Tally> {
    let workspace = setting.workspace;
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = workspace.path("target/examples-run").join(&name);
    std::fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let said = folder.join("output.txt");
    let output = File::create(&said).with_context(|| format!("failed to write {}", said.display()))?;
    let mut command = workspace.command(workspace.path(program));
    let start = Instant::now();
    let mut child = surroundings(setting, &mut command)
        .env("GRAFLOW_LINEAGE_DATA_DIR", folder.join("data"))
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("failed to start {}", program.display()))?;
    let status = process::wait_at_most(&mut child, LIMIT)?;
    let ended = match status {
        Some(status) if status.success() => {
            println!("{name}: ok, {:.1} s", start.elapsed().as_secs_f64());
            return Ok(Tally::PASSED);
        }
        Some(status) => status.to_string(),
        None => {
            process::stop(&mut child, Duration::from_secs(1))?;
            format!("not done after {} s", LIMIT.as_secs())
        }
    };
    println!("{}", std::fs::read_to_string(&said).unwrap_or_default());
    println!("error: example {name}: {ended}");
    Ok(Tally::FAILED)
}
