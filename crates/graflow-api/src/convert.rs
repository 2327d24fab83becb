//! From lineage's answers to the wire's shapes, where the two crates meet.

use graflow_lineage::analysis::Usual;
use graflow_lineage::findings::Finding;
use graflow_lineage::manager::{AsRead, LiveRows, LoggedLine};
use graflow_lineage::retention::RetentionStatus;
use graflow_lineage::store;
use graflow_model::row::{ExecutionRow, TaskExecutionRow};
use graflow_model::{ExecutionId, TaskStatus, Timestamp};
use graflow_wire as wire;
use graflow_wire::seconds;

pub(crate) fn execution(read: AsRead<ExecutionRow>) -> wire::Execution {
    let mut execution = wire::Execution::from(read.row);
    execution.lost_since = read.lost_since;
    execution
}

pub(crate) fn retention(status: RetentionStatus) -> wire::Retention {
    let RetentionStatus { limits, executions, bytes, deleted } = status;
    wire::Retention {
        age: limits.age.map(|age| age.as_secs()),
        executions: limits.executions,
        bytes: limits.bytes,
        kept_executions: executions,
        kept_bytes: bytes,
        deleted,
    }
}

pub(crate) fn task_execution(read: AsRead<TaskExecutionRow>) -> wire::TaskExecution {
    lost_task_execution(read.row, read.lost_since)
}

fn lost_task_execution(row: TaskExecutionRow, lost_since: Option<Timestamp>) -> wire::TaskExecution {
    let mut task = wire::TaskExecution::from(row);
    task.lost_since = lost_since.filter(|_| task.status == TaskStatus::Lost);
    task
}

pub(crate) fn rows(all: Vec<LiveRows>) -> wire::Rows {
    let mut rows = wire::Rows::default();
    for live in all {
        add_rows(&mut rows, live);
    }
    rows
}

fn add_rows(rows: &mut wire::Rows, live: LiveRows) {
    let LiveRows { execution_id, rows: changed, lost_since, .. } = live;
    rows.executions.extend(changed.execution.map(|row| execution(AsRead { row, lost_since })));
    let tasks = changed.task_executions.into_iter();
    rows.task_executions.extend(tasks.map(|row| lost_task_execution(row, lost_since)));
    let graph = wire::GraphRows {
        execution_id,
        nodes: changed.nodes.into_iter().map(Into::into).collect(),
        edges: changed.edges.into_iter().map(Into::into).collect(),
        removed_nodes: changed.removed_nodes,
        removed_edges: changed
            .removed_edges
            .into_iter()
            .map(|(source, target)| wire::EdgeReference { source, target })
            .collect(),
    };
    let is_empty = graph.nodes.is_empty()
        && graph.edges.is_empty()
        && graph.removed_nodes.is_empty()
        && graph.removed_edges.is_empty();
    if !is_empty {
        rows.graphs.push(graph);
    }
}

pub(crate) fn finding(finding: Finding) -> wire::Finding {
    wire::Finding {
        code: finding.code.as_str().to_owned(),
        message: finding.message,
        evidence: finding.evidence,
    }
}

pub(crate) fn log_line(line: LoggedLine) -> wire::LogLine {
    wire::LogLine {
        seq: line.seq,
        time: line.time,
        level: line.log.level,
        message: line.log.message,
        task_id: line.task_id,
        task_execution_id: line.task_execution_id,
        logger: line.log.logger,
        file: line.log.file,
        line: line.log.line,
        fields: line.log.fields,
        cut: line.log.cut,
    }
}

pub(crate) fn durations(totals: &store::Totals) -> wire::DurationStatistics {
    wire::DurationStatistics {
        min: totals.min_us.map(seconds),
        mean: totals.mean_us.map(|micros| micros / 1e6),
        p50: totals.p50_us.map(seconds),
        p90: totals.p90_us.map(seconds),
        p95: totals.p95_us.map(seconds),
        p99: totals.p99_us.map(seconds),
        max: totals.max_us.map(seconds),
    }
}

pub(crate) fn expected(usual: &Usual) -> wire::Expected {
    wire::Expected {
        duration: usual.median_us.map(seconds),
        slower_above: usual.slower_above_us.map(seconds),
        history: usual.history as u64,
    }
}

pub(crate) fn workflow(row: store::WorkflowRow) -> wire::Workflow {
    wire::Workflow {
        workflow_name: row.workflow_name,
        executions: row.executions,
        completed: row.completed,
        failed: row.failed,
        open: row.open,
        average_duration: row.mean_duration_us.map(seconds),
        last_execution_id: row.last_execution_id,
        last_start_time: row.last_start_time,
        last_status: row.last_status,
        last_success_time: row.last_success_time,
        llm: row.llm.into(),
    }
}

pub(crate) fn found(found: store::Found) -> wire::Found {
    match found {
        store::Found::Execution { execution_id, workflow_name, start_time, status } => {
            wire::Found::Execution { execution_id, workflow_name, start_time, status }
        }
        store::Found::Workflow { workflow_name } => wire::Found::Workflow { workflow_name },
        store::Found::Task { task_id, workflow_name } => wire::Found::Task { task_id, workflow_name },
    }
}

pub(crate) fn graph(
    graph: graflow_model::row::Graph,
    execution_id: ExecutionId,
    as_of_seq: graflow_model::Seq,
) -> wire::Graph {
    wire::Graph {
        nodes: graph.nodes.into_iter().map(Into::into).collect(),
        edges: graph.edges.into_iter().map(Into::into).collect(),
        execution_id: Some(execution_id),
        as_of_seq,
    }
}
