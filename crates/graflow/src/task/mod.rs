//! Tasks: what `#[task]` makes of a function, and what a body takes and gives.

mod inputs;
mod next;
mod node;
mod retry;
mod spec;

pub use inputs::{Held, HeldText, Inputs, Member, Members, Res};
pub(crate) use inputs::{MemberRecord, MembersRecord};
pub use next::{Attempted, Body, Decision, Next, Outcome};
pub(crate) use next::{Ending, Step};
pub use node::{Task, TaskNode, TaskRef};
pub use retry::RetryPolicy;
pub use spec::{Parameter, ParameterKind, TaskSpec, type_of};
