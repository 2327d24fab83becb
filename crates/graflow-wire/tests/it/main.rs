//! The wire, seen from outside.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod vectors;
