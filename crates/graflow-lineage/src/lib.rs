//! Turns events into history that people can read.
//!
//! Start at [`store::Store`], the port behind which events are kept, and [`materialise::Materialiser`], which folds
//! stored events into the rows that changed. Nothing here knows SQL or HTTP.

pub mod analysis;
pub mod findings;
pub mod ingest;
pub mod live;
pub mod liveness;
pub mod manager;
pub mod materialise;
pub mod retention;
pub mod store;
