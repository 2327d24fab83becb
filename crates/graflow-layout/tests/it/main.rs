//! What holds of every picture, over random graphs; and pictures of shapes that people know.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod checks;
mod growing;
mod properties;
mod shapes;
