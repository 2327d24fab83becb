//! Errors that a person can do something about.

use std::fmt;

use crate::exit::Exit;

/// An expected failure: what went wrong, the code to end with, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hints: Vec::new() }
    }

    /// What a library says, with everything that led to it; its hints stand on lines of their own.
    pub(crate) fn of(exit: Exit, error: &(dyn std::error::Error + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        let (message, hints) = told(causes.map(ToString::to_string));
        Self { exit, message, hints }
    }

    /// The code to end with.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// What to do about it.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The same, with a line that says what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Says what went wrong on standard error, and how to end.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    // The other end of the pipe has seen enough, as `head` has.
    let mut io_errors = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    if io_errors.any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe) {
        return Exit::Ok;
    }
    let failure = error.chain().find_map(|cause| cause.downcast_ref::<Failure>());
    let (message, mut hints) = told(error.chain().map(ToString::to_string));
    hints.extend(failure.iter().flat_map(|failure| failure.hints.iter().cloned()));
    eprintln!("error: {message}");
    for hint in hints {
        eprintln!("hint: {hint}");
    }
    failure.map_or(Exit::Unexpected, |failure| failure.exit)
}

/// Causes in one line, and the hints that stood in them. A cause that the one before it has said already is left out.
fn told(causes: impl Iterator<Item = String>) -> (String, Vec<String>) {
    let mut message = String::new();
    let mut hints = Vec::new();
    for cause in causes {
        let mut parts = cause.split("\nhint: ").flat_map(|part| part.split("; hint: "));
        let text = parts.next().unwrap_or_default();
        hints.extend(parts.map(ToOwned::to_owned));
        if message.is_empty() {
            text.clone_into(&mut message);
        } else if !text.is_empty() && !message.ends_with(text) {
            message.push_str(": ");
            message.push_str(text);
        }
    }
    (message, hints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_stand_apart_from_causes() {
        let causes =
            ["cannot open the folder\nhint: say --data-dir", "permission denied", "permission denied"];
        let (message, hints) = told(causes.into_iter().map(ToOwned::to_owned));
        assert_eq!(message, "cannot open the folder: permission denied");
        assert_eq!(hints, ["say --data-dir"]);
    }
}
