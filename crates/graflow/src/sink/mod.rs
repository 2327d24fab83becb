//! The engine's only way out: what happens is recorded, as cheaply as possible, and handed to a [`Sink`].

mod guarded;
mod record;
pub mod translate;

pub(crate) use guarded::GuardedSink;
pub use record::{
    Cause, EdgeRecord, End, Execution, Failure, GraphChange, LogLine, Moment, NodeRecord, Read, ReadFrom,
    Record, RecordKind, TaskExecution, Usage, WorkflowStart,
};

use graflow_model::ExecutionId;
pub use graflow_model::value::ValuePolicy;

/// Takes what happens while workflows run.
///
/// Its methods are called on the workflow's own threads, hundreds of thousands of times a second: they must neither
/// block nor do work. Keep the records and let a thread of your own translate them, with
/// [`Translator`](crate::sink::translate::Translator). A sink that hangs holds the workflow up; one that panics does
/// not, and is not called again.
pub trait Sink: Send + Sync + 'static {
    /// Takes a record. Records of one execution come in the order in which they happened on each thread.
    fn record(&self, record: Record);

    /// How much of values may be recorded.
    fn value_policy(&self) -> ValuePolicy {
        ValuePolicy::Metadata
    }

    /// Waits until what was recorded before has been handed on, or given up.
    fn flush(&self) {}

    /// Where people can look at an execution.
    fn url(&self, execution: &ExecutionId) -> Option<String> {
        let _ = execution;
        None
    }
}

impl<S: Sink + ?Sized> Sink for std::sync::Arc<S> {
    fn record(&self, record: Record) {
        (**self).record(record);
    }
    fn value_policy(&self) -> ValuePolicy {
        (**self).value_policy()
    }
    fn flush(&self) {
        (**self).flush();
    }
    fn url(&self, execution: &ExecutionId) -> Option<String> {
        (**self).url(execution)
    }
}

/// Takes everything and keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullSink;

impl Sink for NullSink {
    fn record(&self, _: Record) {}
    fn value_policy(&self) -> ValuePolicy {
        ValuePolicy::Off
    }
}
