//! `cargo xtask wheel`: the Python package, with the native core and the program `graflow` in it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::process;
use crate::test::{Setting, tools};
use crate::workspace::Workspace;

/// What to build.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Build without optimisation, as tests do.
    #[arg(long)]
    debug: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<std::process::ExitCode> {
    let setting = Setting { workspace, may_install: true };
    let wheel = build(&setting, options.debug)?;
    println!("{}", wheel.strip_prefix(&workspace.root).unwrap_or(&wheel).display());
    Ok(std::process::ExitCode::SUCCESS)
}

/// Builds the wheel, and says where it is.
pub(crate) fn build(setting: &Setting<'_>, debug: bool) -> anyhow::Result<PathBuf> {
    let workspace = setting.workspace;
    let (profile, folder) = if debug { ("dev", "debug") } else { ("release", "release") };
    // As the other steps build, so that nothing is compiled twice.
    let what: &[&str] =
        if debug { &["--workspace", "--lib", "--bins", "--examples"] } else { &["--package", "graflow-cli"] };
    process::check(workspace.cargo().args(["build", "--profile", profile]).args(what))?;

    let data = workspace.path("target/wheel-data");
    for part in ["scripts", "platlib"] {
        fs::create_dir_all(data.join(part)).with_context(|| format!("failed to make {}", data.display()))?;
    }
    let program = data.join("scripts/graflow");
    copy(&workspace.path(format!("target/{folder}/graflow")), &program)?;
    // Symbols are most of its size; without `strip` at hand the wheel is only larger.
    let _ = workspace.command("strip").arg(&program).output();
    copy(&workspace.path("python/graflow_lineage.pth"), &data.join("platlib/graflow_lineage.pth"))?;

    let wheels = workspace.path(format!("target/wheels/{folder}"));
    if wheels.exists() {
        fs::remove_dir_all(&wheels).with_context(|| format!("failed to remove {}", wheels.display()))?;
    }
    let python = tools::python(setting)?;
    let mut maturin = workspace.command(&python);
    maturin.current_dir(workspace.path("python"));
    maturin.args(["-m", "maturin", "build", "--quiet", "--strip", "--compatibility", "linux"]);
    maturin.args(["--profile", profile, "--interpreter"]).arg(&python).arg("--out").arg(&wheels);
    process::check(&mut maturin)?;
    let mut built: Vec<PathBuf> =
        fs::read_dir(&wheels)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    built.retain(|path| path.extension().is_some_and(|extension| extension == "whl"));
    ensure!(built.len() == 1, "expected one wheel in {}, found {}", wheels.display(), built.len());
    Ok(built.remove(0))
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> anyhow::Result<()> {
    fs::copy(from, to).with_context(|| format!("failed to copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
