//! Behaviour of the vocabulary, seen from outside.

mod events;
mod fold;
mod fold_properties;
mod schema;
mod support;
mod values;
