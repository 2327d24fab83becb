//! `/metrics`: what alerts and dashboards need, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use graflow_lineage::manager::LineageManager;
use graflow_lineage::store::{ExecutionFilter, ExecutionQuery, NameQuery, StoreError, WorkflowRow};
use graflow_model::{ExecutionStatus, Project, Timestamp};

/// Workflows that have lines of their own; all others share the name `other`.
const MOST_WORKFLOWS: usize = 200;
/// Open executions that are looked at.
const MOST_OPEN: usize = 5_000;
const OTHER: &str = "other";

/// The page.
pub(crate) fn render(manager: &LineageManager, project: &Project) -> Result<String, StoreError> {
    let workflows = workflows(manager, project)?;
    let open = open(manager, project, &workflows)?;
    let mut text = Text::default();
    text.executions(&workflows);
    text.open(&open, manager.clock().now());
    text.server(manager);
    Ok(text.0)
}

/// What a workflow's lines say.
#[derive(Default)]
struct Workflow {
    executions: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    terminated: u64,
    max_steps: u64,
    open: u64,
    duration_sum_s: f64,
    last_success: Option<Timestamp>,
}

#[derive(Default)]
struct Open {
    by_status: BTreeMap<ExecutionStatus, u64>,
    oldest: Option<Timestamp>,
}

fn workflows(manager: &LineageManager, project: &Project) -> Result<BTreeMap<String, Workflow>, StoreError> {
    let mut workflows: BTreeMap<String, Workflow> = BTreeMap::new();
    let mut query = NameQuery { name: None, limit: 1_000, cursor: None };
    loop {
        let page = manager.workflows(project, &query)?.value;
        for row in page.rows {
            let name = row.workflow_name.as_str();
            let name = if workflows.len() < MOST_WORKFLOWS { name } else { OTHER };
            workflows.entry(name.to_owned()).or_default().add(&row);
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(workflows),
        }
    }
}

fn open(
    manager: &LineageManager,
    project: &Project,
    workflows: &BTreeMap<String, Workflow>,
) -> Result<BTreeMap<String, Open>, StoreError> {
    let filter = ExecutionFilter {
        status: vec![ExecutionStatus::Running, ExecutionStatus::Waiting, ExecutionStatus::Lost],
        ..ExecutionFilter::default()
    };
    let query = ExecutionQuery { filter, limit: MOST_OPEN, cursor: None };
    let mut open: BTreeMap<String, Open> = BTreeMap::new();
    for read in manager.executions(project, query)?.value.rows {
        let name = read.row.workflow_name.as_str();
        let name = if workflows.contains_key(name) { name } else { OTHER };
        let of_workflow = open.entry(name.to_owned()).or_default();
        *of_workflow.by_status.entry(read.row.status).or_default() += 1;
        let start = read.row.start_time;
        of_workflow.oldest = Some(of_workflow.oldest.map_or(start, |oldest| oldest.min(start)));
    }
    Ok(open)
}

impl Workflow {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn add(&mut self, row: &WorkflowRow) {
        self.executions += row.executions;
        self.completed += row.completed;
        self.failed += row.failed;
        self.cancelled += row.cancelled;
        self.terminated += row.terminated;
        self.max_steps += row.max_steps;
        self.open += row.open;
        let ended = row.executions.saturating_sub(row.open) as f64;
        self.duration_sum_s += row.mean_duration_us.unwrap_or(0) as f64 / 1e6 * ended;
        self.last_success = self.last_success.max(row.last_success_time);
    }
}

/// Text in the making.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (place, (label, text)) in labels.iter().enumerate() {
            let open = if place == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{open}{label}=\"{text}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{close} {value}");
    }

    fn executions(&mut self, workflows: &BTreeMap<String, Workflow>) {
        self.family("graflow_executions_total", "counter", "Executions that ended, by workflow and status.");
        for (name, workflow) in workflows {
            for (status, count) in [
                (ExecutionStatus::Completed, workflow.completed),
                (ExecutionStatus::Failed, workflow.failed),
                (ExecutionStatus::Cancelled, workflow.cancelled),
                (ExecutionStatus::Terminated, workflow.terminated),
                (ExecutionStatus::MaxSteps, workflow.max_steps),
            ] {
                let labels = [("workflow", name.as_str()), ("status", status.as_str())];
                self.sample("graflow_executions_total", &labels, count);
            }
        }
        self.family("graflow_execution_duration_seconds", "summary", "How long ended executions took.");
        for (name, workflow) in workflows {
            let labels = [("workflow", name.as_str())];
            self.sample("graflow_execution_duration_seconds_sum", &labels, workflow.duration_sum_s);
            let ended = workflow.executions.saturating_sub(workflow.open);
            self.sample("graflow_execution_duration_seconds_count", &labels, ended);
        }
        self.family(
            "graflow_last_success_timestamp_seconds",
            "gauge",
            "When an execution last completed, in seconds since 1970.",
        );
        for (name, workflow) in workflows {
            if let Some(time) = workflow.last_success {
                self.sample(
                    "graflow_last_success_timestamp_seconds",
                    &[("workflow", name)],
                    since_1970(time),
                );
            }
        }
    }

    fn open(&mut self, open: &BTreeMap<String, Open>, now: Timestamp) {
        self.family(
            "graflow_executions_open",
            "gauge",
            "Executions that have not ended: running, waiting, lost.",
        );
        for (name, open) in open {
            for (status, count) in &open.by_status {
                let labels = [("workflow", name.as_str()), ("status", status.as_str())];
                self.sample("graflow_executions_open", &labels, count);
            }
        }
        self.family(
            "graflow_execution_open_seconds_max",
            "gauge",
            "How long the oldest execution that has not ended has been open.",
        );
        for (name, open) in open {
            let Some(oldest) = open.oldest else { continue };
            let seconds = since_1970(now) - since_1970(oldest);
            self.sample("graflow_execution_open_seconds_max", &[("workflow", name)], seconds.max(0.0));
        }
    }

    fn server(&mut self, manager: &LineageManager) {
        let store = manager.store().statistics();
        let live = manager.live().statistics();
        self.family("graflow_events_total", "counter", "Events taken in, by what became of them.");
        for (result, count) in [
            ("accepted", store.accepted),
            ("duplicate", store.duplicates),
            ("invalid", manager.invalid_events()),
            ("dropped", store.late_dropped),
        ] {
            self.sample("graflow_events_total", &[("result", result)], count);
        }
        let lag = store.last_seq.saturating_sub(store.applied_seq);
        let flush_s = graflow_wire::seconds(store.flush_us);
        let plain: [(&str, &str, &str, f64); 11] = [
            (
                "graflow_last_seq",
                "gauge",
                "Last sequence number that was acknowledged.",
                count(store.last_seq),
            ),
            (
                "graflow_apply_lag_events",
                "gauge",
                "Events on disk that answers do not take into account yet.",
                count(lag),
            ),
            ("graflow_log_bytes", "gauge", "Bytes of the event log.", count(store.log_bytes)),
            (
                "graflow_derived_bytes",
                "gauge",
                "Bytes of everything derived from the log.",
                count(store.derived_bytes),
            ),
            ("graflow_flushes_total", "counter", "Flushes of the log to disk.", count(store.flushes)),
            ("graflow_flush_seconds_total", "counter", "Seconds spent in flushes.", flush_s),
            (
                "graflow_overloaded_total",
                "counter",
                "Appends that were refused for now.",
                count(store.overloaded),
            ),
            ("graflow_viewers", "gauge", "Viewers of the live stream.", count(live.viewers)),
            (
                "graflow_live_held_bytes",
                "gauge",
                "Bytes of updates that not all viewers have taken yet.",
                count(live.held_bytes),
            ),
            ("graflow_live_updates_total", "counter", "Updates that viewers took.", count(live.taken)),
            (
                "graflow_viewer_resyncs_total",
                "counter",
                "Times a viewer was too slow and began anew.",
                count(live.fallen_off),
            ),
        ];
        for (name, kind, help, value) in plain {
            self.family(name, kind, help);
            self.sample(name, &[], value);
        }
        self.family("graflow_build_info", "gauge", "The server's version.");
        self.sample("graflow_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus' numbers are floats")]
fn count(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "exact up to the year 2255")]
fn since_1970(time: Timestamp) -> f64 {
    time.as_micros() as f64 / 1e6
}
