//! What tests need beside the Rust toolchain: a few programs, and a Python with a few packages in `target/venv`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{bail, ensure};

use super::{Setting, Tally};
use crate::process;

/// A program that tests run, the Debian package it comes in, and why.
struct Program {
    name: &'static str,
    package: &'static str,
}

const PROGRAMS: [Program; 4] = [
    // The tutorials are followed to the letter.
    Program { name: "bash", package: "bash" },
    Program { name: "curl", package: "curl" },
    // The main example reads the history of this checkout.
    Program { name: "git", package: "git" },
    // Looks at the pages.
    Program { name: "chromium", package: "chromium" },
];

/// A package that tests use, exactly this version of it, and why.
struct PythonPackage {
    name: &'static str,
    version: &'static str,
    /// Whether the packages it names are installed as well.
    with_dependencies: bool,
}

const PYTHON_PACKAGES: [PythonPackage; 5] = [
    // Look at our own Python.
    PythonPackage { name: "ruff", version: "0.17.5", with_dependencies: true },
    PythonPackage { name: "mypy", version: "2.4.1", with_dependencies: true },
    // Builds the Python package.
    PythonPackage { name: "maturin", version: "1.16.0", with_dependencies: true },
    // Holds the task graphs of real scientific workflows. We read its data files only; what it needs to run is
    // three hundred megabytes.
    PythonPackage { name: "wfcommons", version: "1.6", with_dependencies: false },
    // What docs/parity.md is about. We read its sources and run none of it.
    PythonPackage { name: "graflow", version: "0.2.0", with_dependencies: false },
];

/// What the tests of the Python package need beside it.
const PACKAGE_TEST_PACKAGES: [PythonPackage; 4] = [
    PythonPackage { name: "graflow", version: "0.2.0", with_dependencies: true },
    PythonPackage { name: "redis", version: "8.1.0", with_dependencies: true },
    PythonPackage { name: "pytest", version: "9.2.0", with_dependencies: true },
    PythonPackage { name: "mypy", version: "2.4.1", with_dependencies: true },
];

/// Installs what is missing, or says with which line to do so.
pub(super) fn run(setting: &Setting<'_>) -> anyhow::Result<Tally> {
    programs(setting)?;
    let python = python(setting)?;
    println!("python: {}", python.strip_prefix(&setting.workspace.root).unwrap_or(&python).display());
    Ok(Tally::PASSED)
}

/// Installs programs that are missing; only Debian's packages are known here.
fn programs(setting: &Setting<'_>) -> anyhow::Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|program| !works(Command::new(program.name).arg("--version")))
        .map(|program| program.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut apt = setting.workspace.command("apt-get");
    apt.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(&missing);
    let mut update = setting.workspace.command("apt-get");
    if setting.may_install {
        // Without a fresh list the versions it asks for may be gone; a failure shows in the next line.
        process::check(update.args(["update", "--quiet"])).ok();
    }
    install(setting, &mut apt)
}

/// The Python that has the packages.
pub(crate) fn python(setting: &Setting<'_>) -> anyhow::Result<PathBuf> {
    let venv = setting.workspace.path("target/venv");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !works(Command::new(&python).arg("--version")) {
        ensure!(
            works(Command::new("python3").args(["-c", "import venv, ensurepip"])),
            "tests need python3 with venv and pip\nhint: on Debian or Ubuntu: apt-get install -y python3 python3-venv"
        );
        let mut create = setting.workspace.command("python3");
        install(setting, create.args(["-m", "venv", "target/venv"]))?;
    }
    install_packages(setting, &python, &PYTHON_PACKAGES)?;
    Ok(python)
}

/// The Python in which the package is tested, as its users have it: graflow and what it brings, and redis' client.
pub(super) fn package_python(setting: &Setting<'_>) -> anyhow::Result<PathBuf> {
    let venv = setting.workspace.path("target/package-venv");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !works(Command::new(&python).arg("--version")) {
        let mut create = setting.workspace.command("python3");
        install(setting, create.args(["-m", "venv", "target/package-venv"]))?;
    }
    install_packages(setting, &python, &PACKAGE_TEST_PACKAGES)?;
    Ok(python)
}

/// The redis server that two workers of a test talk to.
pub(super) fn redis_server(setting: &Setting<'_>) -> anyhow::Result<()> {
    if works(Command::new("redis-server").arg("--version")) {
        return Ok(());
    }
    let mut apt = setting.workspace.command("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    install(setting, apt.args(["install", "--yes", "--quiet", "--no-install-recommends", "redis-server"]))
}

fn install_packages(
    setting: &Setting<'_>,
    python: &std::path::Path,
    packages: &[PythonPackage],
) -> anyhow::Result<()> {
    for package in packages {
        let known = format!(
            "import importlib.metadata as m; assert m.version('{}') == '{}'",
            package.name, package.version
        );
        if works(Command::new(python).args(["-c", &known])) {
            continue;
        }
        let mut pip = setting.workspace.command(python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        if !package.with_dependencies {
            pip.arg("--no-deps");
        }
        install(setting, pip.arg(format!("{}=={}", package.name, package.version)))?;
    }
    Ok(())
}

fn install(setting: &Setting<'_>, command: &mut Command) -> anyhow::Result<()> {
    let line = process::line_of(command);
    if !setting.may_install {
        bail!("something that tests need is missing\nhint: run `{line}`, or leave out --no-install");
    }
    println!("{line}");
    process::check(command)
}

fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
