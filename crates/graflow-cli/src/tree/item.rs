use std::collections::BTreeMap;

use graflow_model::{TaskId, TaskStatus};

/// One row of the tree, and the rows under it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// The task, the group, or the family.
    pub(crate) name: String,
    pub(crate) kind: ItemKind,
    pub(crate) status: TaskStatus,
    /// Seconds that its attempts ran, all together.
    pub(crate) seconds: Option<f64>,
    /// From when to when, in seconds since the run began.
    pub(crate) span: Option<(f64, f64)>,
    /// Passes of a loop.
    pub(crate) iterations: u32,
    /// Attempts that were tried again.
    pub(crate) retried: u64,
    /// What went wrong, in one line.
    pub(crate) error: Option<String>,
    /// Why it was skipped or cancelled.
    pub(crate) reason: Option<String>,
    /// What it follows, when that is not the row above.
    pub(crate) follows: Follows,
    /// The declared function of a dynamic task, or its name without digits.
    pub(crate) family: String,
    pub(crate) children: Vec<Item>,
}

/// What a row stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ItemKind {
    /// A task.
    Task,
    /// A parallel group of so many members, which are its children.
    Group(u64),
    /// Tasks of one family, too many to show each.
    Family(Tally),
    /// What was left out.
    Rest(Tally),
}

/// Many tasks in a few numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tally {
    /// How many.
    pub(crate) tasks: u64,
    /// How many in which state.
    pub(crate) by_status: BTreeMap<TaskStatus, u64>,
    /// The one in the middle.
    pub(crate) median_seconds: Option<f64>,
    /// The slowest.
    pub(crate) longest_seconds: Option<f64>,
}

/// What a row follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Follows {
    /// The row above, or the row it stands under.
    RowAbove,
    /// Nothing, though there is a row above.
    Nothing,
    /// These.
    Tasks(Vec<TaskId>),
}

impl Item {
    /// Whether a person looks for this one first.
    pub(crate) const fn is_trouble(&self) -> bool {
        matches!(self.status, TaskStatus::Failed | TaskStatus::Lost)
    }

    /// Rows of it and under it.
    pub(crate) fn rows(&self) -> usize {
        1 + self.children.iter().map(Self::rows).sum::<usize>()
    }
}
