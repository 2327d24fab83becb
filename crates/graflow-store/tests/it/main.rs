//! What the store promises, seen from outside.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test sets up has to work"
)]

mod backup;
mod kill;
mod life;
mod log;
mod log_crash;
mod read_only;
mod reads;
mod retention;
mod support;
mod together;
