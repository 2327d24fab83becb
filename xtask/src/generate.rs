//! Writes the generated files again.
//!
//! Each generator is a test named `generated…` beside the code it describes: it compares the file, and writes it when
//! `UPDATE_SPEC=1` is set. So there is one way to make a file, and a plain `cargo test` already says that it is stale.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::process;
use crate::workspace::Workspace;

/// The files that generators write.
const GENERATED: [&str; 4] =
    ["spec/openapi.json", "spec/events.schema.json", "docs/reference/cli.md", "docs/reference/rest.md"];

/// Writes them all.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    process::check(&mut generators(workspace))?;
    for file in GENERATED {
        println!("{file}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The command that writes them all.
pub(crate) fn generators(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo();
    // The whole workspace, not the packages in question: other features would mean to compile everything twice.
    command.args(["test", "--quiet", "--workspace", "--tests", "generated"]);
    command.env("UPDATE_SPEC", "1");
    command
}

/// The text of every generated file, none where there is no such file.
pub(crate) fn texts(workspace: &Workspace) -> anyhow::Result<BTreeMap<PathBuf, Option<String>>> {
    GENERATED
        .iter()
        .map(|file| {
            let path = workspace.path(file);
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => Some(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(error).with_context(|| format!("failed to read {file}")),
            };
            Ok((PathBuf::from(file), text))
        })
        .collect()
}
