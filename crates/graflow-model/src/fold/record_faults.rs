//! Faults of the record: what was told and cannot be, and what was not told. Each is a function of the state alone.

use super::ExecutionState;
use super::task::TaskState;
use crate::id::{EventId, TaskExecutionId, TaskId};
use crate::state::{CauseKind, TaskStatus};
use crate::time::Timestamp;

/// An end that was told and does not count, because another one of the same thing does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The task and its execution; none for the run itself.
    pub task: Option<(TaskId, TaskExecutionId)>,
    /// The event that tells it.
    pub event_id: EventId,
    /// What it says.
    pub told: String,
    /// What counts.
    pub counts: String,
}

/// Something that ended before it began, or began before what led to it had ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skew {
    /// The task and its execution; none for the run itself.
    pub task: Option<(TaskId, TaskExecutionId)>,
    /// How far the clocks are apart at least, in microseconds.
    pub micros: u64,
}

impl ExecutionState {
    /// Ends that do not count, because another end of the same thing does.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let counts = self.status().to_string();
        let mut conflicts: Vec<_> = self
            .ends
            .losers()
            .iter()
            .map(|end| Conflict {
                task: None,
                event_id: end.event_id.clone(),
                told: end.value.0.to_string(),
                counts: counts.clone(),
            })
            .collect();
        for (id, task) in self.sorted_tasks() {
            let Some(task_id) = task.task_id.get() else { continue };
            conflicts.extend(task.ends.losers().iter().map(|end| Conflict {
                task: Some((task_id.clone(), id.clone())),
                event_id: end.event_id.clone(),
                told: end.value.status.to_string(),
                counts: task.status().to_string(),
            }));
        }
        conflicts
    }

    /// Times that cannot be, by the clocks that told them.
    pub fn skews(&self) -> Vec<Skew> {
        let micros = |early: Timestamp, late: Timestamp| u64::try_from(late.micros_since(early)).unwrap_or(0);
        let mut skews = Vec::new();
        if let (Some((start, _)), Some(end)) = (self.started.get(), self.ends.winner())
            && end.moment.is_before(start)
        {
            skews.push(Skew { task: None, micros: micros(end.moment.time, start.time) });
        }
        for (id, task) in self.sorted_tasks() {
            let (Some(task_id), Some(started)) = (task.task_id.get(), task.started.get()) else { continue };
            let ended = task.ends.winner().map(|end| &end.moment);
            let after_end = ended.filter(|end| end.is_before(&started.moment));
            let causes = task.causes.iter().filter(|cause| cause.kind == CauseKind::Successor);
            let cause = causes
                .filter_map(|cause| Some(&self.tasks.get(&cause.task_execution_id)?.ends.winner()?.moment))
                .find(|end| !end.same_clock(&started.moment) && started.moment.is_before(end));
            let by = match (after_end, cause) {
                (Some(end), _) => micros(end.time, started.moment.time),
                (None, Some(cause)) => micros(started.moment.time, cause.time),
                (None, None) => continue,
            };
            skews.push(Skew { task: Some((task_id.clone(), id.clone())), micros: by });
        }
        skews
    }

    /// Once the run has ended: task executions that others speak of and of which no event told, such as ended
    /// without a start, and such as never ended.
    pub fn missing(&self) -> Vec<TaskExecutionId> {
        if self.ends.winner().is_none() {
            // They may still come.
            return Vec::new();
        }
        let is_missing = |task: &TaskState| {
            let open = task.is_known() && !task.status().is_ended();
            let has_end = task
                .ends
                .winner()
                .is_some_and(|end| !matches!(end.value.status, TaskStatus::Skipped | TaskStatus::Cancelled));
            !task.is_known() || open || (has_end && task.started.get().is_none())
        };
        self.sorted_tasks().filter(|(_, task)| is_missing(task)).map(|(id, _)| id.clone()).collect()
    }

    /// How many events its producers had to drop, as far as they could say so.
    pub fn dropped_events(&self) -> u64 {
        self.dropped.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Events whose `data` this version cannot read.
    pub fn unreadable(&self) -> impl Iterator<Item = &EventId> {
        self.unreadable.iter()
    }

    fn sorted_tasks(&self) -> impl Iterator<Item = (&TaskExecutionId, &TaskState)> {
        let mut tasks: Vec<_> = self.tasks.iter().collect();
        tasks.sort_unstable_by_key(|(id, _)| *id);
        tasks.into_iter()
    }
}
