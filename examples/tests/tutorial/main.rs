//! The tutorials say what is true: everything in them that can be run is run, and compared with what they say.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod engine;
mod page;
mod rest;
