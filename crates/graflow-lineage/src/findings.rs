//! Findings: what people should know about a run, each one sentence with its evidence.
//!
//! A pure function of the fold. A clean run has none; `docs/reference/findings.md` says what each one means.

mod graph_rules;
mod record_rules;
mod value_rules;

use graflow_model::row::{DataFlow, ExecutionRow, Graph, TaskExecutionRow};
use graflow_model::{ExecutionState, ExecutionStatus};
use serde_json::{Value, json};

/// One thing that people should know about a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is, for programs.
    pub code: FindingCode,
    /// What it is, in one sentence.
    pub message: String,
    /// What shows it: ids, keys and counts, by name.
    pub evidence: Value,
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingCode {
    /// The limit of task executions cut the run off.
    CutByMaxSteps,
    /// A task was declared and never ran, though the run came to its end.
    DeclaredNeverRan,
    /// A task that should have waited for a loop's last pass ran with an earlier one's result.
    SuccessorRanInsideLoop,
    /// A write was overwritten by another member of the same group before anybody read it.
    WriteLostInMerge,
    /// A join ran once for each incoming branch.
    JoinRanNTimes,
    /// A parameter was to be filled from the channel and nothing was there.
    UnresolvedParameter,
    /// Two machines' clocks disagree, or one jumped.
    ClockSkew,
    /// The run has ended and the record of it has holes.
    EventsMissing,
    /// Two ends were told of one thing.
    ConflictingTerminal,
    /// This version cannot read what an event says.
    UnreadableEvent,
}

impl FindingCode {
    /// Every one of them.
    pub const ALL: [Self; 10] = [
        Self::CutByMaxSteps,
        Self::DeclaredNeverRan,
        Self::SuccessorRanInsideLoop,
        Self::JoinRanNTimes,
        Self::WriteLostInMerge,
        Self::UnresolvedParameter,
        Self::ConflictingTerminal,
        Self::EventsMissing,
        Self::ClockSkew,
        Self::UnreadableEvent,
    ];

    /// The word that stands in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CutByMaxSteps => "cut_by_max_steps",
            Self::DeclaredNeverRan => "declared_never_ran",
            Self::SuccessorRanInsideLoop => "successor_ran_inside_loop",
            Self::WriteLostInMerge => "write_lost_in_merge",
            Self::JoinRanNTimes => "join_ran_n_times",
            Self::UnresolvedParameter => "unresolved_parameter",
            Self::ClockSkew => "clock_skew",
            Self::EventsMissing => "events_missing",
            Self::ConflictingTerminal => "conflicting_terminal",
            Self::UnreadableEvent => "unreadable_event",
        }
    }
}

/// What the rules look at.
struct Run<'a> {
    state: &'a ExecutionState,
    execution: ExecutionRow,
    tasks: Vec<TaskExecutionRow>,
    graph: Graph,
    flow: DataFlow,
}

/// Everything that people should know about a run, what explains most first.
///
/// ```
/// use graflow_lineage::findings::findings;
/// use graflow_model::ExecutionState;
/// assert!(findings(&ExecutionState::new("x".into())).is_empty());
/// ```
pub fn findings(state: &ExecutionState) -> Vec<Finding> {
    let run = Run {
        state,
        execution: state.execution_row(),
        tasks: state.task_execution_rows(),
        graph: state.graph(),
        flow: state.data_flow(),
    };
    let mut found = cut_by_max_steps(&run);
    found.extend(graph_rules::declared_never_ran(&run));
    found.extend(graph_rules::successor_ran_inside_loop(&run));
    found.extend(graph_rules::join_ran_n_times(&run));
    found.extend(value_rules::write_lost_in_merge(&run));
    found.extend(value_rules::unresolved_parameter(&run));
    found.extend(record_rules::conflicting_terminal(&run));
    found.extend(record_rules::events_missing(&run));
    found.extend(record_rules::clock_skew(&run));
    found.extend(record_rules::unreadable_event(&run));
    found
}

fn cut_by_max_steps(run: &Run<'_>) -> Vec<Finding> {
    if run.execution.status != ExecutionStatus::MaxSteps {
        return Vec::new();
    }
    let total = run.execution.total_tasks + run.execution.retried_tasks;
    vec![Finding {
        code: FindingCode::CutByMaxSteps,
        message: format!("the run was cut off after {total} task executions, by the limit `max_steps`"),
        evidence: json!({"task_executions": total}),
    }]
}
