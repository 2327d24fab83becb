//! Recording from the same process, by the names of the source text: for programs that run their own tasks and
//! want their lineage kept.
//!
//! Every call returns when what it tells is on disk. Whoever starts a task gets a [`RecordedTask`] and gives it
//! back at the end, so two executions of one task at once never get mixed up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use graflow_model::event::{
    ErrorInfo, GraphChanged, TaskCompleted, TaskFailed, WorkflowEnded, WorkflowStarted,
};
use graflow_model::row::Graph;
use graflow_model::{
    Clock, Event, EventError, EventType, ExecutionId, ProducerId, Project, TaskExecutionId, TaskId,
    WorkflowName,
};
use serde::Serialize;

use super::{LineageManager, lock};
use crate::live::{Listener, ListenerId};
use crate::store::{AppendError, Batch, EventResult, ExecutionFilter, Incoming, StoreError};

/// A task execution that was begun by [`LineageManager::add_task_execution`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTask {
    /// Its run.
    pub execution_id: ExecutionId,
    /// Its task.
    pub task_id: TaskId,
    /// Its own id.
    pub task_execution_id: TaskExecutionId,
}

/// Why something was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A name or an id is empty, or longer than the limits.
    #[error("cannot be recorded: {0}")]
    Invalid(#[from] EventError),
    /// The store does not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The execution has been deleted.
    #[error("the execution has been deleted")]
    Deleted,
}

impl LineageManager {
    /// A run begins, with the tasks and edges that are known already. Any number may be open at once.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn start_workflow_execution(
        &self,
        workflow_name: &WorkflowName,
        graph: &GraphChanged,
    ) -> Result<ExecutionId, RecordError> {
        let execution_id = ExecutionId::new(self.recorder.id(self.clock()));
        let mut started = self.event(EventType::WorkflowStarted, &execution_id);
        started.workflow_name = Some(workflow_name.clone());
        let mut events = vec![started.with_data(&WorkflowStarted::default())];
        if !graph.nodes.is_empty() || !graph.edges.is_empty() {
            events.push(self.event(EventType::GraphChanged, &execution_id).with_data(graph));
        }
        self.record(events)?;
        Ok(execution_id)
    }

    /// A task begins.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn add_task_execution(
        &self,
        execution_id: &ExecutionId,
        task_id: &TaskId,
    ) -> Result<RecordedTask, RecordError> {
        let task = RecordedTask {
            execution_id: execution_id.clone(),
            task_id: task_id.clone(),
            task_execution_id: TaskExecutionId::new(self.recorder.id(self.clock())),
        };
        self.record(vec![self.task_event(EventType::TaskStarted, &task)])?;
        Ok(task)
    }

    /// A task came to its end; `result_size` in bytes, where it is known.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn complete_task_execution(
        &self,
        task: &RecordedTask,
        result_size: Option<u64>,
    ) -> Result<(), RecordError> {
        let data = TaskCompleted { result_size, ..TaskCompleted::default() };
        self.record(vec![self.task_event(EventType::TaskCompleted, task).with_data(&data)])
    }

    /// A task failed.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn fail_task_execution(&self, task: &RecordedTask, error: ErrorInfo) -> Result<(), RecordError> {
        let data = TaskFailed { error };
        self.record(vec![self.task_event(EventType::TaskFailed, task).with_data(&data)])
    }

    /// A run came to its end.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn complete_workflow_execution(&self, execution_id: &ExecutionId) -> Result<(), RecordError> {
        self.end_workflow(EventType::WorkflowCompleted, execution_id, &WorkflowEnded::default())
    }

    /// A run failed.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn fail_workflow_execution(
        &self,
        execution_id: &ExecutionId,
        error: ErrorInfo,
    ) -> Result<(), RecordError> {
        let ended = WorkflowEnded { error: Some(error), ..WorkflowEnded::default() };
        self.end_workflow(EventType::WorkflowFailed, execution_id, &ended)
    }

    /// The graph of an execution, or of the newest one, as it stands; empty when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn get_graph_snapshot(&self, execution_id: Option<&ExecutionId>) -> Result<Graph, StoreError> {
        let project = Project::default();
        let newest = match execution_id {
            Some(id) => Some(id.clone()),
            None => self.newest_execution(&project, ExecutionFilter::default())?.value,
        };
        let Some(id) = newest else { return Ok(Graph::default()) };
        Ok(self.graph(&project, &id, None)?.value.unwrap_or_default())
    }

    /// Calls `listener` for every event, see [`Live::add_listener`](crate::live::Live::add_listener).
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub fn add_listener(&self, listener: Listener) -> std::io::Result<ListenerId> {
        self.live.add_listener(listener)
    }

    fn end_workflow(
        &self,
        event_type: EventType,
        execution_id: &ExecutionId,
        data: &impl Serialize,
    ) -> Result<(), RecordError> {
        self.record(vec![self.event(event_type, execution_id).with_data(data)])
    }

    fn event(&self, event_type: EventType, execution_id: &ExecutionId) -> Event {
        let clock = self.clock();
        let mut event = Event::new(self.recorder.id(clock).into(), event_type, clock.now());
        event.execution_id = Some(execution_id.clone());
        event.producer = Some(self.recorder.producer.clone());
        event.producer_seq = Some(self.recorder.producer_seq.fetch_add(1, Ordering::Relaxed));
        event.mono_us = Some(clock.mono_us());
        event
    }

    fn task_event(&self, event_type: EventType, task: &RecordedTask) -> Event {
        let mut event = self.event(event_type, &task.execution_id);
        event.task_id = Some(task.task_id.clone());
        event.task_execution_id = Some(task.task_execution_id.clone());
        event.iteration = Some(0);
        event.attempt = Some(1);
        event
    }

    fn record(&self, events: Vec<Event>) -> Result<(), RecordError> {
        let events = events.into_iter().map(|event| {
            event.check()?;
            Ok(Incoming { json: event.to_json().into(), event })
        });
        let events = events.collect::<Result<Vec<_>, EventError>>()?;
        let batch = Batch { project: Project::default(), received: self.clock().now(), events };
        for result in block_on(self.store.append(batch))?.results {
            match result {
                EventResult::Accepted(_) | EventResult::Duplicate => {}
                EventResult::Invalid(error) => return Err(error.into()),
                EventResult::Dropped => return Err(RecordError::Deleted),
            }
        }
        Ok(())
    }
}

/// Where the verbs' ids come from.
#[derive(Debug)]
pub(super) struct Recorder {
    producer: ProducerId,
    producer_seq: AtomicU64,
    random: Mutex<fastrand::Rng>,
}

impl Recorder {
    pub(super) fn new(clock: &dyn Clock, seed: u64) -> Self {
        let random = Mutex::new(fastrand::Rng::with_seed(seed));
        let pid = std::process::id();
        // One process, one clock: a domain of its own, since nobody else has its nonce.
        let nonce = random_id(clock, &random);
        let producer = ProducerId::new(format!("lineage/{nonce}/{pid}/0"));
        Self { producer, producer_seq: AtomicU64::new(1), random }
    }

    fn id(&self, clock: &dyn Clock) -> String {
        random_id(clock, &self.random)
    }
}

fn random_id(clock: &dyn Clock, random: &Mutex<fastrand::Rng>) -> String {
    let mut bytes = [0; 10];
    lock(random).fill(&mut bytes);
    let millis = u64::try_from(clock.now().as_micros() / 1_000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().to_string()
}

/// Waits on this thread, also on one that an async runtime owns.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
