//! The parts of the suite that need no other process, as tests.

mod corpus;
