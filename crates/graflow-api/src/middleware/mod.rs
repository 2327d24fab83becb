//! What stands before every handler.

mod auth;
mod headers;
mod log;
mod origin;

pub(crate) use auth::require_token;
pub(crate) use headers::add_security_headers;
pub(crate) use log::log_request;
pub(crate) use origin::{cors, require_known_host};
