//! Task executions, their logs and their calls of models.

use graflow_model::event::{
    Cause, LlmCalled, Log, TaskCompleted, TaskEnded, TaskFailed, TaskQueued, TaskStarted,
};
use graflow_model::limits::{LOG_BYTES, LOG_LINES};
use graflow_model::value::Redaction;
use graflow_model::{EventType, TaskId};

use super::part::Part;
use super::{OpenExecution, Out, cut, error_info};
use crate::context::task_execution_id;
use crate::sink::{self, LogLine, RecordKind, TaskExecution, Usage};

/// How much a task execution has logged.
#[derive(Debug, Default)]
pub(super) struct Logged {
    lines: usize,
    bytes: usize,
    /// Lines that were over the limit.
    cut: u64,
    task: Option<TaskExecution>,
}

impl Out<'_> {
    pub(super) fn task_record(&mut self, kind: RecordKind, open: &mut OpenExecution) {
        match kind {
            RecordKind::TaskQueued(task) => {
                self.task_event(EventType::TaskQueued, task, open, &TaskQueued { group: group(task, open) });
            }
            RecordKind::TaskStarted { task, causes, reads, was_queued } => {
                self.started(task, &causes, was_queued, open);
                for read in &reads {
                    self.read(Some(task), read, open);
                }
            }
            RecordKind::TaskCompleted { task, result } => {
                // Nothing was made by a task that returns nothing.
                let result = result.filter(|value| value.downcast_ref::<()>().is_none());
                let written = result.as_ref().map(|value| self.result_written(task, value, open));
                self.rest_of_log(task, open);
                let described = written.unwrap_or_default();
                let data = TaskCompleted {
                    result_size: described.size,
                    result_type: result.map(|value| value.value_type().name().to_owned()),
                    result_hash: described.hash,
                };
                self.task_event(EventType::TaskCompleted, task, open, &data);
            }
            RecordKind::TaskFailed { task, failure, retry_after } => {
                self.rest_of_log(task, open);
                self.task_event(
                    EventType::TaskFailed,
                    task,
                    open,
                    &TaskFailed { error: error_info(*failure) },
                );
                if let Some(wait) = retry_after {
                    let delay_us = u64::try_from(wait.as_micros()).ok();
                    self.task_event(
                        EventType::TaskRetried,
                        task,
                        open,
                        &TaskEnded { reason: None, delay_us },
                    );
                }
            }
            RecordKind::TaskSkipped { task, reason } => {
                let data = TaskEnded { reason: Some(reason.to_owned()), delay_us: None };
                self.task_event(EventType::TaskSkipped, task, open, &data);
            }
            RecordKind::TaskCancelled { task, reason } => {
                self.rest_of_log(task, open);
                let data = TaskEnded { reason: Some(cut(reason.to_string())), delay_us: None };
                self.task_event(EventType::TaskCancelled, task, open, &data);
            }
            RecordKind::DataWritten { task, key, write, value, operation } => {
                self.key_written(task, (key, write), value.as_ref(), operation, open);
            }
            RecordKind::DataRead { task, read } => self.read(task, &read, open),
            RecordKind::Log { task, line } => self.log(task, *line, open),
            RecordKind::ModelCalled { task, usage } => {
                self.task_event(EventType::LlmCalled, task, open, &llm_called(*usage));
            }
            RecordKind::WorkflowStarted(_) | RecordKind::GraphChanged(_) | RecordKind::WorkflowEnded(_) => {}
        }
    }

    fn started(
        &mut self,
        task: TaskExecution,
        causes: &[sink::Cause],
        was_queued: bool,
        open: &OpenExecution,
    ) {
        let group = group(task, open);
        if !was_queued {
            self.task_event(EventType::TaskQueued, task, open, &TaskQueued { group: group.clone() });
        }
        let execution = self.execution;
        let causes = causes.iter().map(|cause| Cause {
            kind: cause.kind,
            task_execution_id: task_execution_id(&execution.id, cause.number),
        });
        let mut causes = causes.peekable();
        // A join of very many tasks is told in parts, of which each is a start: what led to it adds up.
        loop {
            let part = Part::default().fill(&mut causes);
            let data = TaskStarted { group: group.clone(), thread: None, worker: None, causes: part };
            self.task_event(EventType::TaskStarted, task, open, &data);
            if causes.peek().is_none() {
                break;
            }
        }
    }

    fn log(&mut self, task: TaskExecution, line: LogLine, open: &mut OpenExecution) {
        let message = cut(line.message);
        let field_bytes = if line.fields.is_empty() { 0 } else { json_bytes(&line.fields) };
        let logged = open.logged.entry(task.number).or_default();
        logged.task = Some(task);
        let bytes = logged.bytes.saturating_add(message.len()).saturating_add(field_bytes);
        if logged.lines >= LOG_LINES || bytes > LOG_BYTES {
            logged.cut += 1;
            return;
        }
        logged.lines += 1;
        logged.bytes = bytes;
        let redaction = Redaction::default();
        let fields = serde_json::Value::Object(line.fields.into_iter().collect());
        let fields = match redaction.apply(fields) {
            serde_json::Value::Object(fields) if !fields.is_empty() => Some(fields.into_iter().collect()),
            _ => None,
        };
        let data = Log {
            level: line.level.to_owned(),
            logger: line.logger.map(cut),
            message,
            file: line.file.map(cut),
            line: line.line,
            fields,
            cut: None,
        };
        self.task_event(EventType::Log, task, open, &data);
    }

    /// Tells how many lines were cut.
    fn rest_of_log(&mut self, task: TaskExecution, open: &mut OpenExecution) {
        let Some(logged) = open.logged.remove(&task.number).filter(|logged| logged.cut > 0) else { return };
        let data = Log {
            level: "warning".to_owned(),
            logger: Some("graflow".to_owned()),
            message: format!("{} more lines were not recorded", logged.cut),
            file: None,
            line: None,
            fields: None,
            cut: Some(logged.cut),
        };
        self.task_event(EventType::Log, task, open, &data);
    }

    /// The same for tasks that never said how they ended.
    pub(super) fn rest_of_logs(&mut self, open: &mut OpenExecution) {
        let mut tasks: Vec<TaskExecution> = open.logged.values().filter_map(|logged| logged.task).collect();
        tasks.sort_by_key(|task| task.number);
        for task in tasks {
            self.rest_of_log(task, open);
        }
    }
}

fn group(task: TaskExecution, open: &OpenExecution) -> Option<TaskId> {
    open.nodes.get(&task.task).and_then(|node| node.group.clone())
}

fn llm_called(usage: Usage) -> LlmCalled {
    let mut tools = usage.tools.into_iter().map(cut).peekable();
    LlmCalled {
        model: Some(cut(usage.model)),
        duration_us: u64::try_from(usage.duration.as_micros()).ok(),
        input_tokens: Some(usage.input_tokens),
        output_tokens: Some(usage.output_tokens),
        cost_usd: usage.cost_usd,
        // No model is given more tools than fit into a part.
        tools: Part::default().fill(&mut tools),
        ..LlmCalled::default()
    }
}

fn json_bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}
