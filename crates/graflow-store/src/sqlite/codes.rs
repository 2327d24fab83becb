//! The numbers that stand for words in the tables. A number once given is never given again.

use graflow_model::{EventType, ExecutionStatus, TaskStatus};

pub(crate) fn execution_status(status: ExecutionStatus) -> i64 {
    match status {
        ExecutionStatus::Running | ExecutionStatus::Lost => 0,
        ExecutionStatus::Completed => 1,
        ExecutionStatus::Failed => 2,
        ExecutionStatus::Cancelled => 3,
        ExecutionStatus::Terminated => 4,
        ExecutionStatus::MaxSteps => 5,
        ExecutionStatus::Waiting => 6,
    }
}

pub(crate) fn execution_status_of(code: i64) -> Option<ExecutionStatus> {
    ExecutionStatus::ALL.iter().copied().find(|status| {
        // `lost` is a matter of the time of reading and never stored.
        *status != ExecutionStatus::Lost && execution_status(*status) == code
    })
}

pub(crate) fn task_status(status: TaskStatus) -> i64 {
    match status {
        TaskStatus::Pending => 0,
        TaskStatus::Queued => 1,
        TaskStatus::Running | TaskStatus::Lost => 2,
        TaskStatus::Waiting => 3,
        TaskStatus::Completed => 4,
        TaskStatus::Failed => 5,
        TaskStatus::Skipped => 6,
        TaskStatus::Cancelled => 7,
    }
}

pub(crate) fn task_status_of(code: i64) -> Option<TaskStatus> {
    TaskStatus::ALL.iter().copied().find(|status| *status != TaskStatus::Lost && task_status(*status) == code)
}

/// All types that are not known share [`OTHER_EVENT_TYPE`]: their events have to be read to be told apart.
pub(crate) fn event_type(event_type: &EventType) -> u8 {
    match event_type {
        EventType::WorkflowStarted => 1,
        EventType::WorkflowCompleted => 2,
        EventType::WorkflowFailed => 3,
        EventType::WorkflowCancelled => 4,
        EventType::WorkflowTerminated => 5,
        EventType::TaskQueued => 6,
        EventType::TaskStarted => 7,
        EventType::TaskCompleted => 8,
        EventType::TaskFailed => 9,
        EventType::TaskRetried => 10,
        EventType::TaskSkipped => 11,
        EventType::TaskCancelled => 12,
        EventType::GraphChanged => 13,
        EventType::DataWritten => 14,
        EventType::DataRead => 15,
        EventType::Waiting => 16,
        EventType::WaitingEnded => 17,
        EventType::Log => 18,
        EventType::LlmCalled => 19,
        EventType::Heartbeat => 20,
        EventType::Note => 21,
        EventType::WorkflowResumed => 22,
        EventType::Other(_) => OTHER_EVENT_TYPE,
    }
}

pub(crate) const OTHER_EVENT_TYPE: u8 = 0;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_come_back_from_their_numbers() {
        for status in ExecutionStatus::ALL.iter().filter(|status| **status != ExecutionStatus::Lost) {
            assert_eq!(execution_status_of(execution_status(*status)), Some(*status));
        }
        for status in TaskStatus::ALL.iter().filter(|status| **status != TaskStatus::Lost) {
            assert_eq!(task_status_of(task_status(*status)), Some(*status));
        }
        let codes: BTreeSet<_> = EventType::KNOWN.iter().map(event_type).collect();
        assert_eq!(codes.len(), EventType::KNOWN.len());
        assert!(!codes.contains(&OTHER_EVENT_TYPE));
    }
}
