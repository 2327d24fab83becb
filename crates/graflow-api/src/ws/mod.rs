//! `WS /ws/lineage`: changes as they happen.

mod follow;
mod render;
mod session;

pub(crate) use follow::*;
