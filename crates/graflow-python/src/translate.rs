//! From records to events, on the sending thread.

use graflow_client::Source;
use graflow_model::event::{
    Cause, DataRead, DataWritten, GraphChanged, TaskCompleted, TaskQueued, TaskStarted,
};
use graflow_model::state::CauseKind;
use graflow_model::{Channel, Event, EventId, EventType, ExecutionId, Key};

use crate::capture::Captured;
use crate::record::{Causes, Kind, Moment, ReadInfo, Record, RunInfo, TaskInfo, TaskName, WriteInfo};
use crate::recorder::next_id;

/// The channel that keys and results are in: branches of a group copy it, and mean the same.
const CHANNEL: &str = "main";
/// What a record takes in memory, roughly, beside its value.
const RECORD_BYTES: usize = 320;

/// And a node or an edge of the graph.
const NODE_BYTES: usize = 256;

/// Turns records into events.
#[derive(Debug, Default)]
pub(crate) struct Records;

impl Source for Records {
    type Item = Record;

    fn bytes(record: &Record) -> usize {
        RECORD_BYTES
            + match &record.kind {
                Kind::Told { data, .. } => data.get().len(),
                Kind::Written { write, .. } => write.value.as_ref().map_or(0, Captured::bytes),
                Kind::Read { read, .. } => read.value.as_ref().map_or(0, Captured::bytes),
                Kind::Declared { nodes, edges } => (nodes.len() + edges.len()) * NODE_BYTES,
                Kind::Started { .. } | Kind::Completed { .. } => 0,
            }
    }

    fn execution_id(record: &Record) -> Option<&ExecutionId> {
        Some(&record.run.execution_id)
    }

    fn translate(&mut self, record: Record, events: &mut Vec<Event>) {
        let Record { run, at, kind } = record;
        match kind {
            Kind::Told { event_type, task, data } => {
                let mut event = new_event(new_id(), event_type, &run, task.as_deref(), at);
                event.data = data;
                events.push(event);
            }
            Kind::Declared { nodes, edges } => {
                let event = new_event(new_id(), EventType::GraphChanged, &run, None, at);
                events.push(event.with_data(&GraphChanged { nodes, edges }));
            }
            Kind::Started { task } => {
                let group = task.group.clone();
                let data = TaskQueued { group: group.clone() };
                events.push(task_event(EventType::TaskQueued, &run, &task, at).with_data(&data));
                let data = TaskStarted {
                    group,
                    thread: task.thread.as_deref().map(str::to_owned),
                    worker: task.worker.as_deref().map(str::to_owned),
                    causes: causes(&task.causes),
                };
                events.push(task_event(EventType::TaskStarted, &run, &task, at).with_data(&data));
            }
            Kind::Completed { task, result } => {
                let result = result.as_ref().and_then(|result| result.value.as_ref());
                let described = result.map(Captured::described);
                let data = TaskCompleted {
                    result_size: described.and_then(|described| described.size),
                    result_type: result.map(|result| result.value_type.to_string()),
                    result_hash: described.and_then(|described| described.hash.clone()),
                };
                events.push(task_event(EventType::TaskCompleted, &run, &task, at).with_data(&data));
            }
            Kind::Written { task, write, system, operation } => {
                let data = written(&write, system, operation);
                let id = write.event_id();
                events
                    .push(new_event(id, EventType::DataWritten, &run, task.as_deref(), at).with_data(&data));
            }
            Kind::Read { task, read } => {
                let event = new_event(new_id(), EventType::DataRead, &run, task.as_deref(), at);
                events.push(event.with_data(&read_data(&read)));
            }
        }
    }
}

fn task_event(event_type: EventType, run: &RunInfo, task: &TaskInfo, at: Moment) -> Event {
    new_event(new_id(), event_type, run, Some(task), at)
}

fn new_id() -> EventId {
    EventId::from(next_id().to_string())
}

fn new_event(
    id: EventId,
    event_type: EventType,
    run: &RunInfo,
    task: Option<&TaskInfo>,
    at: Moment,
) -> Event {
    let mut event = Event::new(id, event_type, at.time);
    event.execution_id = Some(run.execution_id.clone());
    event.workflow_name = Some(run.workflow_name.clone());
    event.mono_us = Some(at.mono_us);
    if let Some(task) = task {
        event.task_id = Some(task.task_id.clone());
        event.task_execution_id = Some(task.task_execution_id());
        event.iteration = Some(task.iteration);
        event.attempt = Some(task.attempt);
    }
    event
}

fn causes(causes: &Causes) -> Vec<Cause> {
    match causes {
        Causes::None => Vec::new(),
        Causes::One(kind, task) => vec![cause(*kind, task)],
        Causes::Many(causes) => causes.iter().map(|(kind, task)| cause(*kind, task)).collect(),
    }
}

fn cause(kind: CauseKind, task: &TaskName) -> Cause {
    let task_execution_id = match task {
        TaskName::Own(id) => id.to_string().into(),
        TaskName::Foreign(id) => id.clone(),
    };
    Cause { kind, task_execution_id }
}

fn written(write: &WriteInfo, system: bool, operation: Option<String>) -> DataWritten {
    let described = write.value.as_ref().map(|value| value.described().clone()).unwrap_or_default();
    DataWritten {
        channel: Channel::from(CHANNEL),
        key: Key::new(write.key.clone()),
        version: None,
        size: described.size,
        value_type: write.value.as_ref().map(|value| value.value_type.to_string()),
        hash: described.hash,
        preview: described.preview,
        system,
        deleted: write.value.is_none(),
        operation,
    }
}

fn read_data(read: &ReadInfo) -> DataRead {
    let known = read.write.as_ref().and_then(|write| write.value.as_ref()).map(Captured::described);
    let described = known.or_else(|| read.value.as_ref().map(Captured::described));
    DataRead {
        channel: Channel::from(CHANNEL),
        key: Key::new(read.key.clone()),
        version: None,
        size: described.and_then(|described| described.size),
        hash: described.and_then(|described| described.hash.clone()),
        resolved_parameter: read.parameter.clone(),
        write_event_id: read.write.as_ref().map(|write| write.event_id()),
        missing: read.missing,
    }
}
