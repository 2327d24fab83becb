//! The real program, as a person or a script runs it: exit code, standard output, standard error.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod backup;
mod delete;
mod errors;
mod export;
#[cfg(unix)]
mod folder;
mod harness;
#[cfg(unix)]
mod proxy;
mod read;
mod serve;
mod upgrade;
mod watch;
