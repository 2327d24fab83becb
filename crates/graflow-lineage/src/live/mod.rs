//! The live side: who watches, what they are told, and who still gives signs of life.
//!
//! [`Live`] is the store's observer. It hands every event that is on disk to the viewers who want it, each with
//! a bounded queue of its own ([`Subscription`]), and to listeners in the same process ([`Listener`]). Whoever
//! falls behind loses their queue and is told so once; nobody else notices.

mod hub;
mod listener;
mod subscription;

pub use hub::{Live, LiveStatistics};
pub use listener::{Listener, ListenerId, ListenerStatistics};
pub use subscription::{Filter, QUEUE_BYTES, QUEUE_UPDATES, Subscription, Taken, Update, UpdateKind};
