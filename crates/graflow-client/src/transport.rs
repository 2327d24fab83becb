//! The way from a producer to whoever keeps events: HTTP, or a store in the same process.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use graflow_model::Project;
use graflow_wire::PostAnswer;

/// Events on their way: one event a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Whose they are.
    pub project: Project,
    /// The lines.
    pub body: Vec<u8>,
    /// How many.
    pub events: usize,
}

/// What became of a [`Post`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The other side has all of it, on disk.
    Taken(PostAnswer),
    /// The other side cannot take this body, and never will; a smaller part of it may pass.
    Refused {
        /// Why.
        reason: String,
    },
    /// Not now.
    Later {
        /// When it is worth trying again, where the other side says so.
        retry_after: Option<Duration>,
        /// Why.
        reason: String,
    },
    /// Nobody can be reached who would take it, but somebody takes the spool in.
    LeaveInSpool,
}

/// An answer that is on its way.
pub type Delivery = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Delivers posts, one at a time. It is called on the producer's own thread, inside a tokio runtime with
/// time and network.
pub trait Transport: Debug + Send {
    /// Starts to deliver. Dropping the delivery gives it up.
    fn post(&mut self, post: Post) -> Delivery;
}
