//! How a graph runs.
//!
//! [`schedule`] decides what runs next: a pure state machine over the graph, without time, threads or values.
//! [`driver`] runs it: it starts attempts, takes their outcomes, and is the only one who changes what can be seen.
//! [`attempt`] is the future of one attempt. [`execute`] is the builder in front, [`run`] what is left behind.

mod attempt;
mod driver;
mod execute;
mod finish;
mod group;
mod launch;
mod run;
mod schedule;
mod shared;

pub use execute::Execute;
pub use run::{Link, MissingResult, Run, RunFailure, TaskReport};
pub(crate) use shared::Shared;
