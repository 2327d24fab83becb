//! A sink that may panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use graflow_model::ExecutionId;
use graflow_model::value::ValuePolicy;

use super::{Record, Sink};

/// Keeps a sink's panic away from the workflow. After one, the sink is not called again: nobody knows what it left
/// half done, and the workflow would be told of it hundreds of thousands of times.
pub(crate) struct GuardedSink {
    sink: Box<dyn Sink>,
    is_broken: AtomicBool,
}

impl GuardedSink {
    pub(crate) fn new(sink: impl Sink) -> Self {
        Self { sink: Box::new(sink), is_broken: AtomicBool::new(false) }
    }

    pub(crate) fn record(&self, record: Record) {
        self.call(|sink| sink.record(record));
    }

    pub(crate) fn value_policy(&self) -> ValuePolicy {
        self.call(Sink::value_policy).unwrap_or(ValuePolicy::Off)
    }

    pub(crate) fn url(&self, execution: &ExecutionId) -> Option<String> {
        self.call(|sink| sink.url(execution)).flatten()
    }

    fn call<T>(&self, call: impl FnOnce(&dyn Sink) -> T) -> Option<T> {
        if self.is_broken.load(Ordering::Relaxed) {
            return None;
        }
        // The panic has said on standard error what it was.
        let called = catch_unwind(AssertUnwindSafe(|| call(&*self.sink)));
        if called.is_err() {
            self.is_broken.store(true, Ordering::Relaxed);
        }
        called.ok()
    }
}
