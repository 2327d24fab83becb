//! The live side: who watches, what they are told, and who still gives signs of life.
//!
//! [`Live`] is the store's observer. It hands every event that is on disk to the topics that somebody follows: all of
//! a project, a workflow, an execution. A topic is one bounded ring that all its viewers share, each with a place in
//! it ([`Subscription`]). Whoever falls behind falls off and is told so once; nobody else notices. Listeners in the
//! same process ([`Listener`]) have a thread and a queue of their own. Why it is so: `docs/design/live.md`.

mod hub;
mod listener;
mod ring;
mod subscription;
mod topic;
mod update;

pub use hub::{HELD_BYTES, Live, LiveStatistics};
pub use listener::{Listener, ListenerId, ListenerStatistics};
pub use ring::{RING_BYTES, RING_UPDATES};
pub use subscription::{Subscription, Taken};
pub use update::{Filter, Update, UpdateKind};
