//! How a state looks: a shape and a colour, always beside its word.

use graflow_model::{ExecutionStatus, TaskStatus};

use super::{Terminal, Tone};

/// A state's shape and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    unicode: &'static str,
    ascii: &'static str,
    /// The colour.
    pub(crate) tone: Tone,
}

impl Mark {
    /// The shape, one column wide.
    pub(crate) const fn shape(self, terminal: Terminal) -> &'static str {
        terminal.pick(self.unicode, self.ascii)
    }

    /// The shape in its colour.
    pub(crate) fn painted(self, terminal: Terminal) -> String {
        terminal.paint(self.tone, self.shape(terminal))
    }
}

const fn mark(unicode: &'static str, ascii: &'static str, tone: Tone) -> Mark {
    Mark { unicode, ascii, tone }
}

const RUNNING: Mark = mark("▶", ">", Tone::Active);
const WAITING: Mark = mark("◆", "=", Tone::Warn);
const COMPLETED: Mark = mark("●", "*", Tone::Good);
const FAILED: Mark = mark("✗", "x", Tone::Bad);
const CANCELLED: Mark = mark("■", "#", Tone::Warn);
const LOST: Mark = mark("?", "?", Tone::Bad);

/// Of an execution.
pub(crate) const fn execution_mark(status: ExecutionStatus) -> Mark {
    match status {
        ExecutionStatus::Running => RUNNING,
        ExecutionStatus::Waiting => WAITING,
        ExecutionStatus::Completed => COMPLETED,
        ExecutionStatus::Failed => FAILED,
        ExecutionStatus::Cancelled => CANCELLED,
        ExecutionStatus::Terminated => mark("◼", "+", Tone::Warn),
        ExecutionStatus::MaxSteps => mark("▲", "!", Tone::Bad),
        ExecutionStatus::Lost => LOST,
    }
}

/// Of a task execution, or a node of the graph.
pub(crate) const fn task_mark(status: TaskStatus) -> Mark {
    match status {
        TaskStatus::Pending => mark("○", "o", Tone::Dim),
        TaskStatus::Queued => mark("◌", ":", Tone::Dim),
        TaskStatus::Running => RUNNING,
        TaskStatus::Waiting => WAITING,
        TaskStatus::Completed => COMPLETED,
        TaskStatus::Failed => FAILED,
        TaskStatus::Skipped => mark("◇", "-", Tone::Dim),
        TaskStatus::Cancelled => CANCELLED,
        TaskStatus::Lost => LOST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::width;
    use std::collections::BTreeSet;

    #[test]
    fn every_state_has_a_shape_of_its_own() {
        for terminal in [Terminal::plain(true), Terminal::plain(false)] {
            let tasks: Vec<_> =
                TaskStatus::ALL.iter().map(|status| task_mark(*status).shape(terminal)).collect();
            let executions: Vec<_> =
                ExecutionStatus::ALL.iter().map(|status| execution_mark(*status).shape(terminal)).collect();
            for shapes in [tasks, executions] {
                assert!(shapes.iter().all(|shape| width(shape) == 1), "{shapes:?}");
                assert_eq!(shapes.iter().collect::<BTreeSet<_>>().len(), shapes.len(), "{shapes:?}");
            }
        }
    }
}
