//! The live stream: what is known, kept up to date.

mod socket;
mod stream;
mod view;

pub use stream::{Change, Live, LiveSettings};
pub use view::{GraphView, View};
