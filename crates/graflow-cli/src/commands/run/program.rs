//! What is to be run, and with what.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::Failure;

/// A script and its interpreter, or a program.
#[derive(Debug, PartialEq)]
pub(super) struct Program {
    python: Option<OsString>,
    script: OsString,
}

impl Program {
    /// Looks at the name: `*.py` is a script for Python, everything else is started as it is.
    pub(super) fn find(script: &OsStr, python: Option<&OsStr>) -> Result<Self, Failure> {
        let is_script = Path::new(script).extension().is_some_and(|extension| extension == "py");
        if is_script && !Path::new(script).is_file() {
            let failure = Failure::new(Exit::NotFound, format!("there is no script {}", script.display()));
            return Err(failure.hint("the path is looked up from the folder you are in"));
        }
        let python = match python {
            Some(python) => Some(python.to_owned()),
            None => is_script.then(default_python),
        };
        Ok(Self { python, script: script.to_owned() })
    }

    pub(super) fn command(&self, arguments: &[OsString]) -> tokio::process::Command {
        let mut command = match &self.python {
            None => tokio::process::Command::new(&self.script),
            Some(python) => {
                let mut command = tokio::process::Command::new(python);
                command.arg(&self.script);
                command
            }
        };
        command.args(arguments);
        command
    }

    pub(super) fn cannot_start(&self, error: &io::Error) -> Failure {
        let program = self.python.as_ref().unwrap_or(&self.script).display();
        let failure = Failure::new(Exit::NotFound, format!("{program} cannot be started: {error}"));
        failure.hint(if self.python.is_some() {
            "activate the environment that has your packages, or name its Python with --python"
        } else {
            "name a script (*.py) or a program; one in this folder begins with ./"
        })
    }

    pub(super) const fn hint_when_nothing_is_recorded(&self) -> &'static str {
        if self.python.is_some() {
            "did it run a workflow, and is graflow-lineage installed for this Python (`graflow lineage doctor`)?"
        } else {
            "did it run a workflow, with a sink such as `Lineage::open_default()`?"
        }
    }
}

/// The active environment's Python, else the one this program was installed with, else the system's.
fn default_python() -> OsString {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    let name = if cfg!(windows) { "python.exe" } else { "python" };
    let active = std::env::var_os("VIRTUAL_ENV").map(|environment| PathBuf::from(environment).join(folder));
    let own = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
    [active, own]
        .into_iter()
        .flatten()
        .map(|folder| folder.join(name))
        .find(|python| python.is_file())
        .map_or_else(
            || if cfg!(windows) { "python".into() } else { "python3".into() },
            PathBuf::into_os_string,
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_is_not_there_is_said_before_anything_starts() {
        let error = Program::find(OsStr::new("no/such.py"), None).unwrap_err();
        assert_eq!(error.to_string(), "there is no script no/such.py");
    }

    #[test]
    fn a_program_needs_no_python() {
        let program = Program::find(OsStr::new("ls"), None).unwrap();
        assert_eq!(program, Program { python: None, script: "ls".into() });
    }

    #[test]
    fn the_python_that_was_named_runs_it() {
        let program = Program::find(OsStr::new("module"), Some(OsStr::new("/opt/python"))).unwrap();
        assert_eq!(program.python.as_deref(), Some(OsStr::new("/opt/python")));
    }
}
