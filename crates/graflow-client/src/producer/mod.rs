//! The producer: what a program hands its events to.

mod driver;
mod handle;
mod settings;

pub use driver::Outcome;
pub use handle::{Feed, MakeSource, MakeTransport, Producer};
pub use settings::Settings;
