//! The Store port: where events are kept, and how what they add up to is read.
//!
//! An implementation is the log (the truth) and whatever it derives from it. `testkit` holds the
//! conformance suite that each implementation runs.
//!
//! Methods block; callers on an async runtime hand them to a thread for blocking work, except
//! [`Store::append`], whose [`Receipt`] is a future.

mod append;
mod query;

use std::sync::{Arc, Mutex};

use graflow_model::{ExecutionId, ExecutionState, Project, Seq, TaskExecutionId, row};

pub use append::{
    Acknowledge, AppendError, Appended, Batch, EventResult, Incoming, Invalid, Receipt, StoredEvent,
};
pub use query::{
    Cursor, Deleted, EventQuery, ExecutionFilter, ExecutionQuery, Found, Metrics, MetricsQuery, NameQuery,
    Page, SearchQuery, SeriesPoint, SeriesQuery, TaskExecutionQuery, TaskOrder, Totals, WorkflowRow,
};

use crate::retention::RetentionStatus;

/// A fold in memory that the materialiser goes on with; lock it briefly.
pub type SharedState = Arc<Mutex<ExecutionState>>;

/// An answer, and the last event it takes into account.
#[derive(Debug, Clone, PartialEq)]
pub struct AsOf<T> {
    /// The answer.
    pub value: T,
    /// Every event up to here is in it.
    pub as_of_seq: Seq,
}

/// Why a read or a deletion was not answered.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The page's cursor is none of this store's, or of another query.
    #[error("the cursor does not belong to this query")]
    BadCursor,
    /// What is on disk is not what was written there.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The disk, or the database, says no.
    #[error("the store cannot be read: {0}")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The log takes no more.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// Where events are kept.
///
/// Every read waits, 200 ms at most, until what was acknowledged when it began can be seen, and says in
/// `as_of_seq` what it saw: whoever appends and then reads finds what they appended.
pub trait Store: Send + Sync + std::fmt::Debug + 'static {
    /// Takes a batch. When the receipt resolves to `Ok`, every accepted event is on disk (fsynced), once, and
    /// survives any crash; on `Err` none of the batch was accepted.
    fn append(&self, batch: Batch) -> Receipt;

    /// Whether a batch would be taken now: asked before a body is read, so that what is sent away costs little.
    /// A batch that is appended after an `Ok` may be refused all the same.
    ///
    /// # Errors
    /// What [`Store::append`] would answer to any batch.
    fn has_room(&self) -> Result<(), AppendError>;

    /// The last seq that was acknowledged.
    fn last_seq(&self) -> Seq;

    /// Executions, newest first: (start time descending, execution id).
    fn executions(
        &self,
        project: &Project,
        query: &ExecutionQuery,
    ) -> Result<AsOf<Page<row::ExecutionRow>>, StoreError>;

    /// One execution.
    fn execution(
        &self,
        project: &Project,
        id: &ExecutionId,
    ) -> Result<AsOf<Option<row::ExecutionRow>>, StoreError>;

    /// Task executions of one execution, or of one task over all its executions.
    fn task_executions(
        &self,
        project: &Project,
        query: &TaskExecutionQuery,
    ) -> Result<AsOf<Page<row::TaskExecutionRow>>, StoreError>;

    /// One task execution. Ids repeat only where producers make them repeat; then it is the newest.
    fn task_execution(
        &self,
        project: &Project,
        id: &TaskExecutionId,
    ) -> Result<AsOf<Option<row::TaskExecutionRow>>, StoreError>;

    /// The events of one execution, by seq.
    fn events(&self, project: &Project, query: &EventQuery) -> Result<AsOf<Page<StoredEvent>>, StoreError>;

    /// Every event of the project after `after`, in order, `limit` at most.
    fn replay(&self, project: &Project, after: Seq, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// The fold of one execution: from memory, else from its events.
    fn state(&self, project: &Project, id: &ExecutionId) -> Result<AsOf<Option<SharedState>>, StoreError>;

    /// Executions that have not ended, of every project.
    fn open_executions(&self) -> Result<Vec<(Project, ExecutionId)>, StoreError>;

    /// Workflows by name, each with its counts and newest run.
    fn workflows(&self, project: &Project, query: &NameQuery) -> Result<AsOf<Page<WorkflowRow>>, StoreError>;

    /// Counts and durations over a window.
    fn metrics(&self, project: &Project, query: &MetricsQuery) -> Result<AsOf<Metrics>, StoreError>;

    /// Counts and durations over time.
    fn series(&self, project: &Project, query: &SeriesQuery) -> Result<AsOf<Vec<SeriesPoint>>, StoreError>;

    /// Executions, workflows and tasks whose id or name holds a text.
    fn search(&self, project: &Project, query: &SearchQuery) -> Result<AsOf<Vec<Found>>, StoreError>;

    /// Deletes every execution that the filter names. The tombstones are on disk when it returns.
    fn delete(
        &self,
        project: &Project,
        filter: &ExecutionFilter,
        dry_run: bool,
    ) -> Result<Deleted, StoreError>;

    /// What the store counts about itself.
    fn statistics(&self) -> Statistics;
}

/// What a store counts about itself, since it was opened unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Events acknowledged.
    pub accepted: u64,
    /// Events that had been there before.
    pub duplicates: u64,
    /// Events refused.
    pub invalid: u64,
    /// Events of deleted executions, dropped.
    pub late_dropped: u64,
    /// Last seq acknowledged.
    pub last_seq: u64,
    /// Last seq that reads can see.
    pub applied_seq: u64,
    /// Bytes of log on disk, all time.
    pub log_bytes: u64,
    /// Bytes of everything derived from it.
    pub derived_bytes: u64,
    /// Flushes to disk.
    pub flushes: u64,
    /// Microseconds spent in them.
    pub flush_us: u64,
    /// Appends answered with "overloaded".
    pub overloaded: u64,
    /// What is kept at the most, and how much is; none where everything is kept.
    pub retention: Option<RetentionStatus>,
}
