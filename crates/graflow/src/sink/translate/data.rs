//! Values: what was written, what was read, and how much may be told of it.

use graflow_model::event::{DataRead, DataWritten};
use graflow_model::limits::EVENT_BYTES;
use graflow_model::value::Described;
use graflow_model::{Channel, EventType, Key};

use super::{OpenExecution, Out, Written};
use crate::flow::RESULT_SUFFIX;
use crate::sink::{Read, ReadFrom, TaskExecution};
use crate::value::Value;

/// The channel that keys and results are in.
const CHANNEL: &str = "main";

/// A preview that leaves room in an event for everything else.
const LARGEST_PREVIEW: usize = EVENT_BYTES / 2;

impl Out<'_> {
    /// A result is written under a key of its own, by the engine. Gives its size, hash and type.
    pub(super) fn result_written(
        &mut self,
        task: TaskExecution,
        value: &Value,
        open: &mut OpenExecution,
    ) -> Described {
        let described = fitting(value.describe(self.policy));
        let Some(key) = open.nodes.get(&task.task).map(|node| result_key(node.id.as_str())) else {
            return described;
        };
        let data = DataWritten { system: true, ..written(key, Some(value), described.clone()) };
        let event_id = self.task_event(EventType::DataWritten, task, open, &data);
        let (size, hash) = (described.size, described.hash.clone());
        open.result_writes.insert(task.number, Written { event_id, size, hash });
        described
    }

    pub(super) fn key_written(
        &mut self,
        task: Option<TaskExecution>,
        (key, write): (&'static str, u64),
        value: Option<&Value>,
        operation: Option<&'static str>,
        open: &mut OpenExecution,
    ) {
        let described = value.map(|value| fitting(value.describe(self.policy))).unwrap_or_default();
        let (size, hash) = (described.size, described.hash.clone());
        let data = DataWritten {
            operation: operation.map(ToOwned::to_owned),
            ..written(Key::from(key), value, described)
        };
        let event_id = match task {
            Some(task) => self.task_event(EventType::DataWritten, task, open, &data),
            None => self.event(EventType::DataWritten, &data),
        };
        open.key_writes.insert(write, Written { event_id, size, hash });
    }

    pub(super) fn read(&mut self, task: Option<TaskExecution>, read: &Read, open: &OpenExecution) {
        let result_of = |node: &u32| open.nodes.get(node).map(|node| result_key(node.id.as_str()));
        let (key, write, missing) = match &read.from {
            ReadFrom::Result { task, number } => (result_of(task), open.result_writes.get(number), false),
            ReadFrom::NoResult { task } => (result_of(task), None, true),
            ReadFrom::Key { key, write: Some(write) } => {
                (Some(Key::from(*key)), open.key_writes.get(write), false)
            }
            ReadFrom::Key { key, write: None } => (Some(Key::from(*key)), None, true),
        };
        let Some(key) = key else { return };
        let data = DataRead {
            channel: Channel::from(CHANNEL),
            key,
            version: None,
            size: write.and_then(|write| write.size),
            hash: write.and_then(|write| write.hash.clone()),
            resolved_parameter: read.parameter.map(ToOwned::to_owned),
            write_event_id: write.map(|write| write.event_id.clone()),
            missing,
        };
        match task {
            Some(task) => self.task_event(EventType::DataRead, task, open, &data),
            None => self.event(EventType::DataRead, &data),
        };
    }
}

fn written(key: Key, value: Option<&Value>, described: Described) -> DataWritten {
    DataWritten {
        channel: Channel::from(CHANNEL),
        key,
        version: None,
        size: described.size,
        value_type: value.map(|value| value.value_type().name().to_owned()),
        hash: described.hash,
        preview: described.preview,
        system: false,
        deleted: value.is_none(),
        operation: None,
    }
}

/// The key under which a task's result stands.
fn result_key(task: &str) -> Key {
    Key::from(format!("{task}{RESULT_SUFFIX}"))
}

/// What fits into an event.
pub(super) fn fitting(mut described: Described) -> Described {
    let too_large = described.preview.as_ref().is_some_and(|preview| {
        !matches!(
            preview,
            serde_json::Value::Number(_) | serde_json::Value::Bool(_) | serde_json::Value::Null
        ) && preview.to_string().len() > LARGEST_PREVIEW
    });
    if too_large {
        described.preview = None;
    }
    described
}
