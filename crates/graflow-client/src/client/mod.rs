//! Every endpoint of the REST interface, typed.

mod connection;
mod error;
mod query;
mod requests;

pub use connection::{Connection, HttpConnection, Responding};
pub use error::ClientError;
pub use query::Query;
pub use requests::Client;
