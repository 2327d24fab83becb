//! What is watched: one execution, or the newest ones.

use graflow_client::live::View;
use graflow_model::ExecutionId;
use graflow_wire::{Execution, Graph, Node, TaskExecution};

use crate::commands::list;
use crate::config::Config;
use crate::output::{Terminal, Tone, clean, time_of_day};
use crate::source::Source;
use crate::view::{Page, Rows};

/// Executions on a page.
const SHOWN: usize = 40;

pub(super) struct Subject<'a> {
    pub(super) execution_id: Option<ExecutionId>,
    pub(super) source: &'a Source,
}

impl Subject<'_> {
    /// Whether there is nothing more to see.
    pub(super) fn is_over(&self, view: &View) -> bool {
        let execution = self.execution_id.as_ref().and_then(|id| view.execution(id));
        execution.is_some_and(|execution| execution.status.is_ended())
    }

    /// The page as it stands now.
    pub(super) async fn lines(&self, config: &Config, view: &View) -> anyhow::Result<Vec<String>> {
        let Some(id) = &self.execution_id else { return Ok(newest(config, view)) };
        let Some(execution) = view.execution(id) else {
            return Ok(vec!["waiting for the first event".to_owned()]);
        };
        // Findings are few and come from the whole run; they are worth asking for when it is over.
        let findings = if execution.status.is_ended() { self.source.findings(id).await? } else { Vec::new() };
        let task_executions: Vec<TaskExecution> =
            view.task_executions().filter(|row| row.workflow_execution_id == *id).cloned().collect();
        let page = Page {
            execution: execution.clone(),
            findings,
            graph: graph(view, id),
            task_executions: Some(task_executions),
        };
        Ok(page.lines(config.terminal, config.now(), Rows::Summary))
    }
}

/// The graph that the view holds, in the order of declaration.
fn graph(view: &View, id: &ExecutionId) -> Graph {
    let Some(known) = view.graph(id) else { return Graph::default() };
    let mut nodes: Vec<Node> = known.nodes().cloned().collect();
    nodes.sort_by(|one, other| (one.data.created_at, &one.id).cmp(&(other.data.created_at, &other.id)));
    Graph {
        nodes,
        edges: known.edges().cloned().collect(),
        execution_id: Some(id.clone()),
        ..Graph::default()
    }
}

fn newest(config: &Config, view: &View) -> Vec<String> {
    let mut executions: Vec<Execution> = view.executions().cloned().collect();
    executions.sort_by(|one, other| {
        other.start_time.cmp(&one.start_time).then(one.execution_id.cmp(&other.execution_id))
    });
    executions.truncate(SHOWN);
    if executions.is_empty() {
        vec!["nothing has run yet".to_owned()]
    } else {
        list::lines(config.terminal, config.now(), &executions)
    }
}

/// An event on one line: when, what, of which workflow and task.
pub(super) fn event_line(terminal: Terminal, text: &str) -> String {
    let Ok(event) = serde_json::from_str::<serde_json::Value>(text) else { return clean(text) };
    let part = |name: &str| event.get(name).and_then(|value| value.as_str()).map(clean).unwrap_or_default();
    let kind = part("type");
    let time = part("time").parse().map(time_of_day).unwrap_or_default();
    let tone = match kind.rsplit('_').next() {
        Some("failed") => Tone::Bad,
        Some("completed") => Tone::Good,
        Some("started") => Tone::Active,
        _ => Tone::Plain,
    };
    let words = [
        terminal.paint(Tone::Dim, &time),
        terminal.paint(tone, &format!("{kind:<20}")),
        part("workflow_name"),
        part("task_id"),
    ];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
