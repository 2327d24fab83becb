//! REST, WebSocket, OpenAPI and metrics of Graflow Lineage, as one axum router.
//!
//! Start at [`router`](fn@router): the list of everything that is answered. One operation is one file under
//! `routes`: parameters, documentation, handler. To add one, write its file, then name it in the list; the test
//! that compares `spec/openapi.json` says what to do next.
//!
//! Nothing here folds, knows SQL, or keeps state of its own, but for pictures that it can draw again: a request
//! becomes a call of [`graflow_lineage::manager::LineageManager`], and its answer one of `graflow_wire`'s shapes.

mod connections;
mod convert;
mod documentation;
mod error;
mod extract;
mod layouts;
mod middleware;
mod prometheus;
mod router;
mod routes;
mod serve;
mod settings;
mod state;
mod web;
mod ws;

pub use router::{openapi, router};
pub use serve::{BindError, bind, serve};
pub use settings::{RequestLimits, Settings, Token, TokenError};
pub use web::Pages;
