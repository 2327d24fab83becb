//! `graflow completions`

use clap_complete::Shell;

use crate::args;
use crate::exit::Exit;

/// Prints the script.
#[expect(clippy::unnecessary_wraps, reason = "every command has the same shape")]
pub(crate) fn run(shell: Shell) -> anyhow::Result<Exit> {
    clap_complete::generate(shell, &mut args::command(), "graflow", &mut std::io::stdout());
    Ok(Exit::Ok)
}
