//! Values written and read, and model calls.

use std::collections::{BTreeMap, HashMap};

use crate::event::{DataRead, DataWritten, Event};
use crate::id::{Channel, EventId, Key, ProducerId, TaskExecutionId, TaskId};
use crate::row::{DataFlow, ReadRow, WriteRow};
use crate::time::Timestamp;
use crate::value::is_hash_skipped;

/// The order of versions and of reads: two workers cannot agree on a number, so the fold gives it.
type Order = (Timestamp, Option<ProducerId>, Option<u64>, EventId);

/// Every write and read of an execution.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Values {
    writes: HashMap<(Channel, Key), BTreeMap<Order, Write>>,
    reads: BTreeMap<Order, Read>,
}

#[derive(Debug, Clone, PartialEq)]
struct Write {
    task_id: Option<TaskId>,
    task_execution_id: Option<TaskExecutionId>,
    data: DataWritten,
}

#[derive(Debug, Clone, PartialEq)]
struct Read {
    task_id: Option<TaskId>,
    task_execution_id: Option<TaskExecutionId>,
    data: DataRead,
}

fn order(event: &Event) -> Order {
    (event.time, event.producer.clone(), event.producer_seq, event.event_id.clone())
}

impl Values {
    /// Takes a write; says whether it was new.
    pub(crate) fn write(&mut self, event: &Event, data: DataWritten) -> bool {
        let versions = self.writes.entry((data.channel.clone(), data.key.clone())).or_default();
        let (task_id, task_execution_id) = (event.task_id.clone(), event.task_execution_id.clone());
        versions.insert(order(event), Write { task_id, task_execution_id, data }).is_none()
    }

    /// Takes a read; says whether it was new.
    pub(crate) fn read(&mut self, event: &Event, data: DataRead) -> bool {
        let (task_id, task_execution_id) = (event.task_id.clone(), event.task_execution_id.clone());
        self.reads.insert(order(event), Read { task_id, task_execution_id, data }).is_none()
    }

    /// How many writes and reads there are.
    pub(crate) fn len(&self) -> usize {
        self.writes.values().map(BTreeMap::len).sum::<usize>() + self.reads.len()
    }

    /// Who wrote what, and who read it.
    pub(crate) fn flow(&self) -> DataFlow {
        let mut keys: Vec<_> = self.writes.iter().collect();
        keys.sort_unstable_by_key(|(key, _)| *key);
        let mut writes = Vec::new();
        // Where each write landed in `writes`, to be found by the reads.
        let mut places: HashMap<&EventId, usize> = HashMap::new();
        for (_, versions) in &keys {
            for (number, ((time, _, _, event_id), write)) in versions.iter().enumerate() {
                places.insert(event_id, writes.len());
                writes.push(write.row(event_id, *time, number as u64 + 1));
            }
        }
        let reads =
            self.reads.iter().map(|(order, read)| self.read_row(order, read, &writes, &places)).collect();
        DataFlow { writes, reads }
    }

    fn read_row(
        &self,
        (time, producer, producer_seq, event_id): &Order,
        read: &Read,
        writes: &[WriteRow],
        places: &HashMap<&EventId, usize>,
    ) -> ReadRow {
        let told = read.data.write_event_id.as_ref();
        let at = (*time, producer.clone(), *producer_seq, event_id.clone());
        let inferred = if told.is_none() && !read.data.missing { self.infer(&read.data, &at) } else { None };
        let write = told.or(inferred).and_then(|id| places.get(id)).and_then(|place| writes.get(*place));
        ReadRow {
            event_id: event_id.clone(),
            channel: read.data.channel.clone(),
            key: read.data.key.clone(),
            version: write.map(|write| write.version),
            inferred: inferred.is_some(),
            write_event_id: told.or(inferred).cloned(),
            task_id: read.task_id.clone(),
            task_execution_id: read.task_execution_id.clone(),
            time: *time,
            resolved_parameter: read.data.resolved_parameter.clone(),
            missing: read.data.missing,
        }
    }

    /// The latest write of the key with the same hash: before the read if there is one, else any, since two
    /// machines' clocks may disagree. Without a hash of the content nothing is inferred: two values that were too
    /// large to be hashed are not one value.
    fn infer(&self, read: &DataRead, at: &Order) -> Option<&EventId> {
        if read.hash.as_deref().is_some_and(is_hash_skipped) {
            return None;
        }
        let versions = self.writes.get(&(read.channel.clone(), read.key.clone()))?;
        let same = |(_, write): &(&Order, &Write)| write.data.hash == read.hash && !write.data.deleted;
        let before = versions.range(..=at.clone()).rev().find(same);
        before.or_else(|| versions.iter().rev().find(same)).map(|((_, _, _, event_id), _)| event_id)
    }
}

impl Write {
    fn row(&self, event_id: &EventId, time: Timestamp, version: u64) -> WriteRow {
        WriteRow {
            event_id: event_id.clone(),
            channel: self.data.channel.clone(),
            key: self.data.key.clone(),
            version,
            task_id: self.task_id.clone(),
            task_execution_id: self.task_execution_id.clone(),
            time,
            size: self.data.size,
            value_type: self.data.value_type.clone(),
            hash: self.data.hash.clone(),
            preview: self.data.preview.clone(),
            system: self.data.system,
            deleted: self.data.deleted,
            operation: self.data.operation.clone(),
        }
    }
}
