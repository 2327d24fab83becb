//! The graph of an execution as it is drawn: what is one card, where it stands, and what changed since a page asked last.
//!
//! A [`scene::Scene`] says what is drawn (groups open or closed, many tasks alike as one card), `graflow_layout` says where,
//! and [`Layouts`] remembers pictures, so that a page that follows a run keeps its own.

mod answers;
mod cache;
mod drawing;
mod families;
mod followed;
mod scene;

pub(crate) use answers::{Answers, Stamp};
pub(crate) use cache::{Layouts, Subject};
pub(crate) use drawing::svg;
pub(crate) use scene::Folding;
