//! The fold: a set of events in, the state of one execution out.
//!
//! It is pure, total and order-free: any permutation, duplication or split into batches of the same events
//! gives the same state. So every part of it is a join of keyed sets ([`register`]), no rule reads a sequence
//! number or the time of arrival, and what cannot be is kept for people to see.
//!
//! To add to it: give the new fact a key of its own, join it in [`ExecutionState::apply`], and show it in [`view`].

mod edges;
mod index;
mod llm;
mod question;
mod record_faults;
mod register;
mod task;
mod values;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use self::index::{Contribution, Index, Taking};
use self::llm::LlmCalls;
use self::question::{Asked, Question};
use self::register::{Earliest, Ends, Moment};
use self::task::TaskState;
use self::values::Values;
use crate::event::{Event, EventType, NodeDeclaration, Payload, WorkflowEnded, WorkflowStarted};
use crate::id::{EventId, ExecutionId, FeedbackId, TaskExecutionId, TaskId, WorkflowName};
use crate::state::{EdgeKind, ExecutionStatus};
use crate::time::Timestamp;

pub use record_faults::{Conflict, Skew};

/// The state of one execution.
///
/// ```
/// use graflow_model::{Event, ExecutionState, ExecutionStatus};
/// let mut state = ExecutionState::new("x".into());
/// for json in [
///     r#"{"event_id":"2","type":"workflow_completed","time":"2026-11-23T12:00:01Z","execution_id":"x"}"#,
///     r#"{"event_id":"1","type":"workflow_started","time":"2026-11-23T12:00:00Z","execution_id":"x","workflow_name":"etl"}"#,
/// ] {
///     state.apply(&Event::from_json(json.as_bytes()).unwrap());
/// }
/// let row = state.execution_row();
/// assert_eq!((row.status, row.workflow_name.as_str()), (ExecutionStatus::Completed, "etl"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionState {
    execution_id: ExecutionId,
    workflow_name: Earliest<WorkflowName>,
    started: Earliest<(Moment, WorkflowStarted)>,
    first_event: Option<Timestamp>,
    last_event: Option<Timestamp>,
    ends: Ends<(ExecutionStatus, WorkflowEnded)>,
    tasks: HashMap<TaskExecutionId, TaskState>,
    nodes: HashMap<TaskId, Earliest<Declared>>,
    /// Declared members of declared groups.
    members: HashMap<TaskId, BTreeSet<TaskId>>,
    edges: BTreeMap<(TaskId, TaskId), Earliest<EdgeKind>>,
    values: Values,
    questions: BTreeMap<FeedbackId, Question>,
    /// When a run first went on from a checkpoint of this one, and which did.
    resumed: Earliest<Moment>,
    resumed_by: BTreeSet<ExecutionId>,
    llm_calls: LlmCalls,
    /// Events whose `data` this version cannot read.
    unreadable: BTreeSet<EventId>,
    /// Events that producers had to drop, by the note that says so.
    dropped: BTreeMap<EventId, u64>,
    index: Index,
}

/// A node, and its place among the nodes that its event declares.
#[derive(Debug, Clone, PartialEq)]
struct Declared {
    place: usize,
    node: NodeDeclaration,
}

/// What events changed: the rows that viewers and tables must take anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Touched {
    /// Whether the execution's own row did.
    pub execution: bool,
    /// Task executions.
    pub task_executions: BTreeSet<TaskExecutionId>,
    /// Nodes.
    pub nodes: BTreeSet<TaskId>,
    /// Edges.
    pub edges: BTreeSet<(TaskId, TaskId)>,
}

impl Touched {
    /// Adds what other events changed.
    pub fn extend(&mut self, other: Self) {
        self.execution |= other.execution;
        self.task_executions.extend(other.task_executions);
        self.nodes.extend(other.nodes);
        self.edges.extend(other.edges);
    }
}

impl ExecutionState {
    /// An execution of which nothing is known.
    pub fn new(execution_id: ExecutionId) -> Self {
        Self {
            execution_id,
            workflow_name: Earliest::default(),
            started: Earliest::default(),
            first_event: None,
            last_event: None,
            ends: Ends::default(),
            tasks: HashMap::new(),
            nodes: HashMap::new(),
            members: HashMap::new(),
            edges: BTreeMap::new(),
            values: Values::default(),
            questions: BTreeMap::new(),
            resumed: Earliest::default(),
            resumed_by: BTreeSet::new(),
            llm_calls: LlmCalls::default(),
            unreadable: BTreeSet::new(),
            dropped: BTreeMap::new(),
            index: Index::default(),
        }
    }

    /// The execution.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.execution_id
    }

    /// How much memory it takes, roughly, in task executions, nodes and values.
    pub fn weight(&self) -> usize {
        self.tasks.len() + self.nodes.len() + self.edges.len() + self.values.len()
    }

    /// Takes one event of this execution and says what it changed.
    pub fn apply(&mut self, event: &Event) -> Touched {
        let mut touched = Touched { execution: true, ..Touched::default() };
        if event.event_type == EventType::Heartbeat {
            return Touched::default();
        }
        self.first_event = Some(self.first_event.map_or(event.time, |first| first.min(event.time)));
        self.last_event = self.last_event.max(Some(event.time));
        if let Some(name) = &event.workflow_name {
            let before = self.workflow_name.get().cloned();
            if self.workflow_name.join(event, name.clone()) && before.as_ref() != Some(name) {
                // Every row names its workflow.
                touched.task_executions.extend(self.tasks.keys().cloned());
            }
        }
        if let Some(id) = &event.task_execution_id {
            self.change_task(id, &mut touched, |task| task.join_envelope(event));
        }
        if let Some(count) = event.dropped_events() {
            self.dropped.insert(event.event_id.clone(), count);
        }
        let Ok(payload) = event.payload() else {
            self.unreadable.insert(event.event_id.clone());
            return touched;
        };
        match payload {
            Payload::WorkflowStarted(started) => {
                self.started.join(event, (Moment::of(event), *started));
            }
            Payload::WorkflowEnded(ended) => self.end(event, ended),
            Payload::WorkflowResumed(resumed) => self.resume(event, resumed.resumed_by, &mut touched),
            Payload::GraphChanged(changed) => {
                for (place, node) in changed.nodes.into_iter().enumerate() {
                    self.declare_node(event, Declared { place, node }, &mut touched);
                }
                for edge in changed.edges {
                    let key = (edge.source, edge.target);
                    touched.edges.insert(key.clone());
                    self.edges.entry(key).or_default().join(event, edge.kind);
                }
            }
            Payload::DataWritten(data) => {
                let is_new = self.values.write(event, data);
                if is_new {
                    self.count(event, &mut touched, |task| task.writes += 1);
                }
            }
            Payload::DataRead(data) => {
                let is_new = self.values.read(event, data);
                if is_new {
                    self.count(event, &mut touched, |task| task.reads += 1);
                }
            }
            Payload::LlmCalled(call) => {
                let is_new = self.llm_calls.take(event, &call);
                if is_new {
                    self.count(event, &mut touched, |task| task.llm.add(&call));
                }
            }
            Payload::Waiting(waiting) => {
                let asked = Asked {
                    task_id: event.task_id.clone(),
                    task_execution_id: event.task_execution_id.clone(),
                    waiting: waiting.clone(),
                };
                self.question(waiting.feedback_id, &mut touched, |question| {
                    question.asked.join(event, asked)
                });
            }
            Payload::WaitingEnded(ended) => {
                self.question(ended.feedback_id, &mut touched, |question| question.ended.join(event, ()));
            }
            payload if event.event_type.is_task() => self.task(event, payload, &mut touched),
            _ => {}
        }
        touched
    }

    fn end(&mut self, event: &Event, ended: WorkflowEnded) {
        let (rank, status) = match event.event_type {
            EventType::WorkflowFailed => (4, ExecutionStatus::Failed),
            EventType::WorkflowCancelled => (3, ExecutionStatus::Cancelled),
            EventType::WorkflowTerminated => (2, ExecutionStatus::Terminated),
            _ if ended.reason.as_deref() == Some("max_steps") => (1, ExecutionStatus::MaxSteps),
            _ => (0, ExecutionStatus::Completed),
        };
        self.ends.join(event, rank, (status, ended));
    }

    fn declare_node(&mut self, event: &Event, declared: Declared, touched: &mut Touched) {
        let id = declared.node.id.clone();
        let register = self.nodes.entry(id.clone()).or_default();
        let said = |register: &Earliest<Declared>| {
            register.get().map(|it| (it.node.group.clone(), it.node.family.clone())).unwrap_or_default()
        };
        let (before, family) = said(register);
        register.join(event, declared);
        let (after, family_now) = said(register);
        if let Some(index) = self.index.nodes.get(&id).filter(|_| family != family_now) {
            touched.task_executions.extend(index.all.keys().map(|order| order.3.clone()));
        }
        if before != after {
            if let Some(group) = &before
                && let Some(members) = self.members.get_mut(group)
            {
                members.remove(&id);
                if members.is_empty() {
                    self.members.remove(group);
                }
            }
            if let Some(group) = &after {
                self.members.entry(group.clone()).or_default().insert(id.clone());
            }
            self.refresh_inside(&id, touched);
        }
        for group in before.into_iter().chain(after) {
            touched.edges.insert((group.clone(), id.clone()));
            self.touch_node(group, touched);
        }
        self.touch_node(id, touched);
    }

    /// A fact about the task execution that the event names, if it names one.
    fn count(&mut self, event: &Event, touched: &mut Touched, fact: impl FnOnce(&mut TaskState)) {
        if let Some(id) = &event.task_execution_id {
            self.change_task(id, touched, fact);
        }
    }

    fn task(&mut self, event: &Event, payload: Payload, touched: &mut Touched) {
        let Some(id) = &event.task_execution_id else { return };
        let causes = match &payload {
            Payload::TaskStarted(started) => started.causes.clone(),
            _ => Vec::new(),
        };
        // Before the task execution itself, so that its takings find where they came from.
        for cause in causes {
            self.tasks.entry(cause.task_execution_id).or_default().followers.insert(id.clone());
        }
        self.change_task(id, touched, |task| task.join(event, payload));
        // A node also shows what the index does not hold: the latest duration and error.
        if let Some(task_id) = self.tasks.get(id).and_then(|task| task.task_id.get()) {
            self.touch_node(task_id.clone(), touched);
        }
    }

    /// Changes one task execution and brings the index up to date with it. Costs what changed: a fact that
    /// moves nothing (a value read, say) leaves the index alone, and the edges that led to a task execution,
    /// of which a join has many, are looked at only when they may be others.
    fn change_task(
        &mut self,
        id: &TaskExecutionId,
        touched: &mut Touched,
        change: impl FnOnce(&mut TaskState),
    ) {
        let task = self.tasks.entry(id.clone()).or_default();
        let (place, edges, shown) = (task.place(), task.led_to_by(), task.shown());
        change(task);
        touched.task_executions.insert(id.clone());
        let has_moved = task.place() != place;
        let has_edges_changed = has_moved || task.led_to_by() != edges;
        if !has_edges_changed && task.shown() == shown {
            return;
        }
        let followers = if has_moved { task.followers.clone() } else { BTreeSet::new() };
        self.refresh(id, has_edges_changed, touched);
        // The edges that led on from it are other edges now.
        for follower in &followers {
            self.refresh(follower, true, touched);
        }
    }

    /// Takes out of the index what the task execution had brought in, and puts in what it brings now.
    fn refresh(&mut self, id: &TaskExecutionId, with_edges: bool, touched: &mut Touched) {
        let Some(task) = self.tasks.get(id) else { return };
        let known = task.contribution.as_ref().filter(|_| !with_edges).map(|old| Arc::clone(&old.takings));
        let new = self.contribution(id, known);
        let Some(task) = self.tasks.get_mut(id) else { return };
        let old = std::mem::replace(&mut task.contribution, new.clone());
        if old == new {
            return;
        }
        let takings =
            |side: &Option<Contribution>| side.as_ref().map(|it| Arc::clone(&it.takings)).unwrap_or_default();
        let (before, after) = (takings(&old), takings(&new));
        if before != after {
            self.index.untake(&before);
            self.index.take(&after);
            let both = before.iter().chain(after.iter());
            touched.edges.extend(both.map(|taking| (taking.source.clone(), taking.target.clone())));
        }
        if let Some(old) = &old {
            self.index.remove(old);
        }
        if let Some(new) = &new {
            self.index.insert(new);
        }
        for contribution in [old, new].into_iter().flatten() {
            self.touch_node(contribution.task_id, touched);
            if let Some(group) = contribution.group {
                self.touch_node(group, touched);
            }
        }
    }

    /// A node changed, and with it every group around it.
    fn touch_node(&self, id: TaskId, touched: &mut Touched) {
        let mut changed = vec![id];
        while let Some(id) = changed.pop() {
            if !touched.nodes.contains(&id) {
                changed.extend(self.groups_of(&id).into_iter().cloned());
                touched.nodes.insert(id);
            }
        }
    }

    /// What a task execution brings to nodes, edges and totals; nothing while it is only mentioned by others.
    /// `takings` are the edges that led to it, where they are known to be as they were.
    fn contribution(&self, id: &TaskExecutionId, takings: Option<Arc<[Taking]>>) -> Option<Contribution> {
        let task = self.tasks.get(id).filter(|task| task.is_known())?;
        let task_id = task.task_id.get()?.clone();
        let group = task.group.get().cloned();
        let takings = takings.unwrap_or_else(|| self.takings(id, task, &task_id).into());
        Some(Contribution {
            task_id,
            group,
            order: task.order(id),
            status: task.status(),
            will_retry: task.will_retry(),
            end_time: task.ends.winner().map(|end| end.moment.time),
            takings,
        })
    }
}
