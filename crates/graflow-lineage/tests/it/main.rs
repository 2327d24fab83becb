//! Behaviour of lineage, seen from outside.

mod findings;
mod materialise;
