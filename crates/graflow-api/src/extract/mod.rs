//! Reading requests, with errors in the one shape.

mod body;
mod json;
mod parameters;
mod path;
mod words;

pub(crate) use body::{EventsBody, LargeBodies, inflate};
pub(crate) use json::JsonBody;
pub(crate) use parameters::{LabelledParameters, Parameters};
pub(crate) use path::Name;
pub(crate) use words::{Limit, Order, Words};
