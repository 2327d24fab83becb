//! The sender: a state machine that decides what is kept, what is sent, and when. It does no I/O of its own but for the
//! spool, which it is given, and reads no clock.

mod encode;
mod machine;

pub(crate) use encode::Encoder;
pub(crate) use machine::{Input, Moment, Sender, Tuning};

#[cfg(test)]
mod tests;
