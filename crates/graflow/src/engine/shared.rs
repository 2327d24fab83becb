//! What the engine and the tasks of one execution share.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::channel::ChannelStore;
use crate::flow::Graph;
use crate::sink::{Execution, GuardedSink, Moment, Record, RecordKind, ValuePolicy};
use crate::task::Res;
use crate::value::Value;

pub(crate) struct Shared {
    pub(crate) execution: Arc<Execution>,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) channel: ChannelStore,
    pub(crate) resources: HashMap<TypeId, Value>,
    results: Mutex<Results>,
    cancelled: AtomicBool,
}

/// Results by the node's number, each with the number of the task execution that gave it.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) values: Vec<Option<(Value, u32)>>,
    /// The nodes that the workflow was declared with; shared, since it may be large.
    declared: Arc<HashMap<Arc<str>, u32>>,
    added: HashMap<Arc<str>, u32>,
}

impl Results {
    /// Takes notice of new vertices.
    pub(crate) fn grow(&mut self, graph: &Graph) {
        if self.values.is_empty() {
            self.declared = Arc::clone(&graph.by_id);
        } else {
            let new = graph.nodes_from(self.values.len());
            self.added.extend(new.map(|(node, vertex)| (Arc::clone(&vertex.id), node)));
        }
        self.values.resize_with(graph.vertices.len(), || None);
    }

    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.declared.get(id).or_else(|| self.added.get(id)).copied()
    }

    pub(crate) fn get(&self, node: u32) -> Option<&(Value, u32)> {
        self.values.get(node as usize)?.as_ref()
    }
}

/// The sink, and what every record carries.
pub(crate) struct Recorder {
    pub(crate) sink: Arc<GuardedSink>,
    execution: Arc<Execution>,
    /// Whether reads and writes are recorded; with the policy `off` they are not.
    pub(crate) with_values: bool,
}

impl Recorder {
    pub(crate) fn new(sink: Arc<GuardedSink>, execution: Arc<Execution>) -> Self {
        let with_values = sink.value_policy() != ValuePolicy::Off;
        Self { sink, execution, with_values }
    }

    pub(crate) fn record(&self, kind: RecordKind) {
        self.record_at(Moment::now(), kind);
    }

    pub(crate) fn record_at(&self, at: Moment, kind: RecordKind) {
        self.sink.record(Record { execution: Arc::clone(&self.execution), at, kind });
    }
}

impl Shared {
    pub(crate) fn new(
        execution: Arc<Execution>,
        sink: Option<Arc<GuardedSink>>,
        resources: HashMap<TypeId, Value>,
    ) -> Self {
        let recorder = sink.map(|sink| Recorder::new(sink, Arc::clone(&execution)));
        Self {
            execution,
            recorder,
            channel: ChannelStore::default(),
            resources,
            results: Mutex::default(),
            cancelled: AtomicBool::new(false),
        }
    }

    pub(crate) fn results(&self) -> MutexGuard<'_, Results> {
        // Results are only ever replaced whole.
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a node its result.
    pub(crate) fn set_result(&self, node: u32, value: Value, number: u32) {
        let before = self.results().values[node as usize].replace((value, number));
        // Dropped without the lock, since that runs the user's code.
        drop(before);
    }

    pub(crate) fn result(&self, id: &str) -> Option<Value> {
        let results = self.results();
        results.get(results.find(id)?).map(|(value, _)| value.clone())
    }

    pub(crate) fn resource<T: Send + Sync + 'static>(&self) -> Option<Res<T>> {
        Some(Res::shared(self.resources.get(&TypeId::of::<T>())?.downcast()?))
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    pub(crate) fn set_cancelled(&self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "execution {} of {}", self.execution.id, self.execution.workflow)
    }
}
