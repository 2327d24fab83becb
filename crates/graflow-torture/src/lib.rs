//! The fault suite: what the promises say, shown by breaking things on purpose.
//!
//! Start at [`scenarios::ALL`], the list that `cargo xtask torture` runs: real servers and producers that are killed, starved
//! and lied to, and rounds within one process over a disk that fails. [`fuzzing`] is what a fuzzer calls.

pub mod fuzzing;
pub mod produce;
pub mod scenarios;
pub mod simulation;

mod http;
mod ledger;
mod place;
mod process;
mod server;
mod setting;

pub use setting::{Setting, Size};
