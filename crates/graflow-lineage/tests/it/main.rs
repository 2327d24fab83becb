//! Behaviour of lineage, seen from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod analysis;
mod compare;
mod findings;
mod live;
mod materialise;
