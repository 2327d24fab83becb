//! How a graph runs.
//!
//! [`schedule`] decides what runs next: a pure state machine over the graph, without time, threads or values.
//! [`driver`] runs it, and is the only one who changes what can be seen: it starts attempts ([`launch`]) and takes their
//! ends ([`finish`], [`fail`]), until it [`conclude`]s. [`attempt`] is the future of one attempt. [`execute`] is the builder in front, [`run`] what is left behind.

mod attempt;
mod conclude;
mod driver;
mod execute;
mod fail;
mod finish;
mod graft;
mod group;
mod launch;
mod run;
mod schedule;
mod shared;
mod state;

pub use execute::Execute;
pub use run::{Link, MissingResult, Run, RunFailure, TaskReport};
pub(crate) use shared::Shared;
