//! The sender against a model of a server, in exact time.

mod bench;
mod effect;
mod pacing;
mod refusals;
mod room;
