//! The real router over the real store, asked as clients ask it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so"
)]

mod analysis;
mod answers;
mod bodies;
mod contract;
mod deletion;
mod doors;
mod errors;
mod layout;
mod live;
mod liveness;
mod manager;
mod overload;
mod pages;
mod paging;
mod reference;
mod server;
mod support;
