//! The engine's behaviour: each meaning a table of cases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unused_async,
    reason = "a test that cannot go on says so; tasks are async where the engine is to poll them"
)]

mod back_edges;
mod channels;
mod dynamic;
mod groups;
mod joins;
mod large;
mod loops;
mod macro_errors;
mod names;
mod north_star;
mod parameters;
mod properties;
mod recording;
mod script;
mod sinks;
mod stopping;
mod tracking;
mod trying_again;
