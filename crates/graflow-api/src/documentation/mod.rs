//! Pages for people: where they are, and every path, rendered here from the OpenAPI document. No script, and
//! nothing from outside.

mod home;
mod html;
mod reference;

pub(crate) use home::home_page;
pub(crate) use reference::reference_page;
