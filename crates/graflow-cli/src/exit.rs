//! The codes that the program ends with.

use std::process::ExitCode;

use graflow_model::ExecutionStatus;

/// How the program ends. The numbers are a promise: scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Ok = 0,
    /// Something went wrong that has no code of its own.
    Unexpected = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// No execution, task or file is called that.
    NotFound = 3,
    /// The server that was named cannot be reached.
    Unreachable = 4,
    /// It was not allowed: not confirmed, no or a wrong token, a bind beyond loopback without one.
    Refused = 5,
    /// The data folder cannot be used: read-only, full, damaged, no database, owned by somebody else.
    Folder = 6,
    /// Some of what was read could not be taken.
    Incomplete = 7,
    /// `doctor` found something wrong.
    Unhealthy = 8,
    /// `wait`: the execution failed.
    Failed = 10,
    /// `wait`: it was cancelled.
    Cancelled = 11,
    /// `wait`: a task ended it early.
    Terminated = 12,
    /// `wait`: the limit of task executions cut it off.
    MaxSteps = 13,
    /// `wait`: its producers went silent.
    Lost = 14,
    /// `wait`: it had not ended when the time was up.
    TimedOut = 15,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// Every one of them, with what it means.
    pub(crate) const ALL: &'static [(Self, &'static str)] = &[
        (Self::Ok, "it did what was asked"),
        (Self::Unexpected, "something went wrong that has no code of its own"),
        (Self::Usage, "the arguments make no sense"),
        (Self::NotFound, "no execution, task or file is called that"),
        (Self::Unreachable, "the server that was named cannot be reached"),
        (
            Self::Refused,
            "it was not allowed: not confirmed, no or a wrong token, a public address without a token",
        ),
        (
            Self::Folder,
            "the data folder cannot be used: read-only, full, damaged, no database, owned by another",
        ),
        (Self::Incomplete, "some of what was read could not be taken"),
        (Self::Unhealthy, "`doctor` found something wrong"),
        (Self::Failed, "`wait`: the execution failed"),
        (Self::Cancelled, "`wait`: it was cancelled"),
        (Self::Terminated, "`wait`: a task ended it early"),
        (Self::MaxSteps, "`wait`: the limit of task executions cut it off"),
        (Self::Lost, "`wait`: its producers went silent"),
        (Self::TimedOut, "`wait`: it had not ended when the time was up"),
        (Self::Interrupted, "Ctrl-C"),
    ];

    /// What `wait` ends with; none while the execution is open.
    pub(crate) const fn of_outcome(status: ExecutionStatus) -> Option<Self> {
        match status {
            ExecutionStatus::Running | ExecutionStatus::Waiting => None,
            ExecutionStatus::Completed => Some(Self::Ok),
            ExecutionStatus::Failed => Some(Self::Failed),
            ExecutionStatus::Cancelled => Some(Self::Cancelled),
            ExecutionStatus::Terminated => Some(Self::Terminated),
            ExecutionStatus::MaxSteps => Some(Self::MaxSteps),
            ExecutionStatus::Lost => Some(Self::Lost),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
