//! Pages of the runs in `tests/fixtures/runs.ndjson`, folded here.

use graflow_lineage::liveness::{lost_execution, lost_graph, lost_task_execution};
use graflow_model::row::{self, ExecutionRow, TaskExecutionRow};
use graflow_model::{Event, ExecutionId, ExecutionState, Timestamp};
use graflow_wire::{Finding, Graph};

use super::{Page, Rows};
use crate::output::{Terminal, width};

const RUNS: &str = include_str!("../../tests/fixtures/runs.ndjson");
const FAILED: &str = "01936f00-0000-7000-8000-000000000001";
const WIDE: &str = "01936f80-0000-7000-8000-000000000003";

/// A run as it stands after so many of its events.
fn page(id: &str, events: usize) -> Page {
    let state = state(id, events);
    page_of(state.execution_row(), state.task_execution_rows(), state.graph())
}

/// The same, when it is not heard of any more.
fn lost_page(id: &str, events: usize) -> Page {
    let state = state(id, events);
    let rows = state.task_execution_rows().into_iter().map(lost_task_execution).collect();
    let mut page = page_of(lost_execution(state.execution_row()), rows, lost_graph(state.graph()));
    page.execution.lost_since = Some("2026-11-23T12:01:10Z".parse().unwrap());
    page
}

fn state(id: &str, events: usize) -> ExecutionState {
    let mut state = ExecutionState::new(ExecutionId::from(id));
    let all = RUNS.lines().map(|line| Event::from_json(line.as_bytes()).unwrap());
    for event in
        all.filter(|event| event.execution_id.as_ref().is_some_and(|own| own.as_str() == id)).take(events)
    {
        state.apply(&event);
    }
    state
}

fn page_of(execution: ExecutionRow, rows: Vec<TaskExecutionRow>, graph: row::Graph) -> Page {
    Page {
        execution: execution.into(),
        findings: Vec::new(),
        graph: Graph {
            nodes: graph.nodes.into_iter().map(Into::into).collect(),
            edges: graph.edges.into_iter().map(Into::into).collect(),
            ..Graph::default()
        },
        task_executions: Some(rows.into_iter().map(Into::into).collect()),
    }
}

fn text(page: &Page, terminal: Terminal, rows: Rows) -> String {
    let now: Timestamp = "2026-11-23T12:30:00Z".parse().unwrap();
    let lines = page.lines(terminal, now, rows);
    for line in &lines {
        assert!(width(line) <= terminal.width, "{} columns: {line}", width(line));
        assert!(terminal.unicode || line.is_ascii(), "{line}");
    }
    lines.join("\n")
}

fn terminal(width: usize, unicode: bool) -> Terminal {
    Terminal { width, ..Terminal::plain(unicode) }
}

#[test]
fn a_failed_run_on_a_wide_terminal() {
    insta::assert_snapshot!(text(&page(FAILED, usize::MAX), terminal(120, true), Rows::Summary));
}

#[test]
fn a_failed_run_on_a_narrow_terminal() {
    insta::assert_snapshot!(text(&page(FAILED, usize::MAX), terminal(80, true), Rows::Summary));
}

#[test]
fn a_failed_run_in_ascii() {
    insta::assert_snapshot!(text(&page(FAILED, usize::MAX), terminal(100, false), Rows::Summary));
}

#[test]
fn what_failed_in_full() {
    insta::assert_snapshot!(text(&page(FAILED, usize::MAX), terminal(80, true), Rows::Failed));
}

#[test]
fn a_run_that_runs() {
    insta::assert_snapshot!(text(&page(FAILED, 16), terminal(100, true), Rows::Summary));
}

#[test]
fn what_is_lost_ran_until_its_last_event() {
    insta::assert_snapshot!(text(&lost_page(FAILED, 11), terminal(100, true), Rows::Summary));
}

#[test]
fn of_many_labels_the_first_are_shown() {
    let mut page = page(FAILED, usize::MAX);
    page.execution.labels = (0..200).map(|number| (format!("label-{number:03}"), "x".repeat(100))).collect();
    let text = text(&page, terminal(100, true), Rows::Summary);
    assert!(text.contains("label-011=xxx") && !text.contains("label-012"), "{text}");
    assert!(text.contains("and 188 more; --json shows each"), "{text}");
}

#[test]
fn three_hundred_members_are_a_few_rows() {
    insta::assert_snapshot!(text(&page(WIDE, usize::MAX), terminal(120, true), Rows::Summary));
}

#[test]
fn every_member_has_a_row_when_asked_for() {
    let all = text(&page(WIDE, usize::MAX), terminal(120, true), Rows::All);
    assert_eq!(all.lines().filter(|line| line.contains(" thumb-")).count(), 300);
}

#[test]
fn findings_come_first() {
    let finding = |code: &str, message: &str| Finding {
        code: code.to_owned(),
        message: message.to_owned(),
        evidence: serde_json::Value::Null,
    };
    let mut page = page(FAILED, usize::MAX);
    page.findings = vec![
        finding(
            "declared_never_ran",
            "report was declared and never ran, because price/europe failed before it could, and so did what follows it",
        ),
        finding("clock_skew", "two clocks disagree by 3.2 s"),
    ];
    let text = text(&page, terminal(80, true), Rows::Summary);
    assert!(text.starts_with("! declared_never_ran: report was declared"), "{text}");
    assert_eq!(text.lines().position(|line| line.starts_with("! clock_skew")), Some(2), "{text}");
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let mut page = page(FAILED, usize::MAX);
    page.execution.workflow_name = "evil\u{1b}[2J".into();
    page.graph.nodes[0].id = "task\u{1b}]0;title\u{7}".into();
    let text = text(&page, terminal(80, true), Rows::Summary);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text}");
}
