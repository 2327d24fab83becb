//! Ids and names. Each is a type of its own, so that a task's id never stands where an execution's should.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares newtypes over shared text: cheap to clone, ordered by their bytes.
macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(transparent)]
        pub struct $name(#[schemars(with = "String")] Arc<str>);

        impl $name {
            /// Takes any text; limits are checked where events come in.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{:?}", &self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

text_ids! {
    /// Names one event for ever; a resend carries the same id.
    EventId
    /// Names one run of a workflow.
    ExecutionId
    /// Names one attempt of one iteration of a task.
    TaskExecutionId
    /// A task, by the name it has in its workflow.
    TaskId
    /// A workflow, by name.
    WorkflowName
    /// A process that emits: `host/boot/pid/nonce`, new after a fork.
    ProducerId
    /// A tenant; `default` where nothing else is said.
    Project
    /// A channel, the place where tasks share values.
    Channel
    /// A key in a channel.
    Key
    /// One question put to a person.
    FeedbackId
}

impl Project {
    /// The project of everyone who names none.
    pub fn default_project() -> Self {
        Self::new("default")
    }
}

impl Default for Project {
    fn default() -> Self {
        Self::default_project()
    }
}

impl ProducerId {
    /// The part that names machine and boot: monotonic clocks are comparable where it is equal.
    ///
    /// ```
    /// use graflow_model::ProducerId;
    /// assert_eq!(ProducerId::from("web-1/6f2a/4711/x9").clock_domain(), Some("web-1/6f2a"));
    /// assert_eq!(ProducerId::from("anonymous").clock_domain(), None);
    /// ```
    pub fn clock_domain(&self) -> Option<&str> {
        let text = self.as_str();
        let (host_end, _) = text.match_indices('/').nth(1)?;
        Some(&text[..host_end])
    }
}

impl TaskId {
    /// What names that differ only by numbers have in common: each run of digits is a `*`.
    ///
    /// ```
    /// use graflow_model::TaskId;
    /// assert_eq!(TaskId::from("fetch_07_of_12").without_digits(), "fetch_*_of_*");
    /// ```
    pub fn without_digits(&self) -> String {
        let mut family = String::new();
        for character in self.as_str().chars() {
            if !character.is_ascii_digit() {
                family.push(character);
            } else if !family.ends_with('*') {
                family.push('*');
            }
        }
        family
    }
}

/// The number that the server gives to an event: strictly rising per project, gaps allowed.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
