//! What the store promises, seen from outside.
#![expect(clippy::expect_used, reason = "what a test sets up has to work")]

mod log;
mod log_crash;
