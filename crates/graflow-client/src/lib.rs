//! Sends events so that nothing is lost and nobody waits, and reads lineage over REST and WebSocket.
//!
//! Start at [`Producer`], which a program hands its events to, at [`Client`], which asks a server, or at
//! [`live::Live`], which watches one. Nothing here knows axum or SQL; producing does not need the caller to run tokio.

mod client;
mod clock;
mod endpoint;
pub mod environment;
mod http_transport;
mod identity;
pub mod live;
mod producer;
mod queue;
mod sender;
#[doc(hidden)]
pub mod simulation;
mod source;
pub mod spool;
mod statistics;
mod transport;

pub use client::{Client, ClientError, Connection, HttpConnection, Query, Responding};
pub use clock::SystemClock;
pub use endpoint::{Endpoint, EndpointError};
pub use http_transport::HttpTransport;
pub use identity::{Identity, host_name, random_u64};
pub use producer::{Feed, MakeSource, MakeTransport, Outcome, Producer, Settings};
pub use source::{Events, Source};
pub use statistics::{Reach, Statistics};
pub use transport::{Answer, Delivery, Post, Transport};
