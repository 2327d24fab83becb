//! Following along: a snapshot, what came after a number, and rows that were not computed in time.

use std::collections::{BTreeMap, HashMap};

use graflow_model::event::{EventType, Payload};
use graflow_model::fold::Touched;
use graflow_model::row::ChangedRows;
use graflow_model::{
    Event, ExecutionId, ExecutionState, Project, Seq, TaskExecutionId, TaskId, Timestamp, WorkflowName,
};

use super::{LineageManager, lock};
use crate::live::{Filter, Subscription};
use crate::liveness;
use crate::store::{ExecutionFilter, ExecutionQuery, StoreError, StoredEvent};

/// Rows of one execution, as they read now.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveRows {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its workflow.
    pub workflow_name: WorkflowName,
    /// The rows.
    pub rows: ChangedRows,
    /// Since when it is lost.
    pub lost_since: Option<Timestamp>,
}

/// Where things stand, to begin with.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Every event up to here is in it.
    pub as_of_seq: Seq,
    /// Of one execution everything, else the list of executions; none when there is more than was asked for.
    pub rows: Option<Vec<LiveRows>>,
}

/// An event from the log, with the rows that it can have changed, as they read now.
#[derive(Debug, Clone)]
pub struct Told {
    /// The event.
    pub event: StoredEvent,
    /// The rows, as far as no event before it in the same stretch brought them.
    pub rows: Option<LiveRows>,
}

impl LineageManager {
    /// Begins to follow: whatever is folded from now on comes through the subscription.
    pub fn subscribe(&self, project: Project, filter: Filter) -> Subscription {
        self.live.subscribe(project, filter)
    }

    /// Up to where events are folded: reads see them, and subscriptions have been told.
    pub fn folded_seq(&self, subscription: &Subscription) -> Seq {
        let applied = Seq(self.store.statistics().applied_seq);
        subscription.published().max(applied)
    }

    /// Where things stand, in `most` rows at most. Take it after subscribing: what is above its `as_of_seq`
    /// and not above [`LineageManager::folded_seq`] must be read from the log.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn snapshot(&self, subscription: &Subscription, most: usize) -> Result<Snapshot, StoreError> {
        let (project, filter) = (subscription.project(), subscription.filter());
        let Some(execution_id) = &filter.execution_id else {
            let filter =
                ExecutionFilter { workflow_name: filter.workflow_name.clone(), ..ExecutionFilter::default() };
            let found = self.executions(project, ExecutionQuery { filter, limit: most, cursor: None })?;
            let rows = found.value.rows.into_iter().map(|read| LiveRows {
                execution_id: read.row.execution_id.clone(),
                workflow_name: read.row.workflow_name.clone(),
                rows: ChangedRows { execution: Some(read.row), ..ChangedRows::default() },
                lost_since: read.lost_since,
            });
            let whole = found.value.next.is_none();
            return Ok(Snapshot { as_of_seq: found.as_of_seq, rows: whole.then(|| rows.collect()) });
        };
        // The fold holds at least what was folded when this began, and a row that is ahead does no harm.
        let as_of_seq = self.folded_seq(subscription);
        let Some(state) = self.store.state(project, execution_id)?.value else {
            return Ok(Snapshot { as_of_seq, rows: Some(Vec::new()) });
        };
        let rows = {
            let state = lock(&state);
            let graph = state.graph();
            let tasks = state.task_execution_rows();
            let fits = 1 + tasks.len() + graph.nodes.len() + graph.edges.len() <= most;
            fits.then(|| ChangedRows {
                execution: Some(state.execution_row()),
                task_executions: tasks,
                nodes: graph.nodes,
                edges: graph.edges,
                ..ChangedRows::default()
            })
        };
        let wanted = |rows: &LiveRows| filter.wants(execution_id, Some(&rows.workflow_name));
        let rows = rows.map(|rows| {
            let rows = self.live_rows(project, execution_id, rows);
            rows.into_iter().filter(wanted).collect()
        });
        Ok(Snapshot { as_of_seq, rows })
    }

    /// The next stretch of the log after `after` and not beyond `until`, as far as the viewer wants it, and up
    /// to where it was read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn replay(
        &self,
        subscription: &Subscription,
        after: Seq,
        until: Seq,
        limit: usize,
    ) -> Result<(Vec<Told>, Seq), StoreError> {
        let (project, filter) = (subscription.project(), subscription.filter());
        let stretch = self.store.replay(project, after, limit)?;
        let whole = stretch.len() < limit;
        let reached = stretch.last().map_or(until, |last| if whole { until } else { last.seq.min(until) });
        let mut told: Vec<Told> = stretch
            .into_iter()
            .filter(|stored| stored.seq <= until && wanted_event(stored, filter).is_some())
            .map(|event| Told { event, rows: None })
            .collect();
        let mut by_execution: BTreeMap<ExecutionId, Vec<usize>> = BTreeMap::new();
        for (place, told) in told.iter().enumerate() {
            let Some(execution_id) = &told.event.event.execution_id else { continue };
            by_execution.entry(execution_id.clone()).or_default().push(place);
        }
        for (execution_id, places) in by_execution {
            let events: Vec<&Event> = places.iter().map(|place| &told[*place].event.event).collect();
            // Empty: the execution has been deleted, and what is left of its events is on its way out.
            let rows = self.rows_of_each(project, &execution_id, &events)?;
            for (place, rows) in places.into_iter().zip(rows) {
                told[place].rows = Some(rows);
            }
        }
        told.retain(|told| {
            let rows = told.rows.as_ref();
            rows.is_some_and(|rows| filter.wants(&rows.execution_id, Some(&rows.workflow_name)))
        });
        Ok((told, reached))
    }

    /// The rows that an event can have changed, as they read now; none when its execution is not there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn rows_of(
        &self,
        project: &Project,
        execution_id: &ExecutionId,
        event: &Event,
    ) -> Result<Option<LiveRows>, StoreError> {
        Ok(self.rows_of_each(project, execution_id, &[event])?.into_iter().next())
    }

    /// The rows that each of an execution's events can have changed, as they read now. A row comes with the
    /// first event that can have changed it: whoever is cut off after any of them has the rows of all before.
    fn rows_of_each(
        &self,
        project: &Project,
        execution_id: &ExecutionId,
        events: &[&Event],
    ) -> Result<Vec<LiveRows>, StoreError> {
        let Some(state) = self.store.state(project, execution_id)?.value else { return Ok(Vec::new()) };
        let (workflow_name, status, rows) = {
            let state = lock(&state);
            let mut mentions = Mentions::new(&state);
            let rows: Vec<_> = events.iter().map(|event| state.rows(&mentions.of(event))).collect();
            (state.workflow_name(), state.status(), rows)
        };
        let lost_since = self.lost_since(project, execution_id, status);
        let read = |rows| if lost_since.is_some() { liveness::lost_rows(rows) } else { rows };
        let rows = rows.into_iter().map(|rows| LiveRows {
            execution_id: execution_id.clone(),
            workflow_name: workflow_name.clone(),
            rows: read(rows),
            lost_since,
        });
        Ok(rows.collect())
    }

    /// The rows that read differently when an execution turns lost or comes back: its own, and what runs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn rows_of_turned(
        &self,
        project: &Project,
        execution_id: &ExecutionId,
    ) -> Result<Option<LiveRows>, StoreError> {
        let Some(state) = self.store.state(project, execution_id)?.value else { return Ok(None) };
        let rows = {
            let state = lock(&state);
            let mut rows = ChangedRows { execution: Some(state.execution_row()), ..ChangedRows::default() };
            let tasks = state.task_execution_rows().into_iter();
            rows.task_executions = tasks.filter(|row| !row.status.is_ended()).collect();
            rows.nodes = state.graph().nodes.into_iter().filter(|row| !row.status.is_ended()).collect();
            rows
        };
        Ok(self.live_rows(project, execution_id, rows))
    }

    /// Puts the passage of time on rows; none when they do not hold the execution's own.
    fn live_rows(
        &self,
        project: &Project,
        execution_id: &ExecutionId,
        rows: ChangedRows,
    ) -> Option<LiveRows> {
        let execution = rows.execution.as_ref()?;
        let workflow_name = execution.workflow_name.clone();
        let lost_since = self.lost_since(project, execution_id, execution.status);
        let rows = if lost_since.is_some() { liveness::lost_rows(rows) } else { rows };
        Some(LiveRows { execution_id: execution_id.clone(), workflow_name, rows, lost_since })
    }
}

fn wanted_event<'a>(stored: &'a StoredEvent, filter: &Filter) -> Option<&'a ExecutionId> {
    if stored.event.event_type == EventType::Heartbeat {
        return None;
    }
    stored.event.execution_id.as_ref().filter(|id| filter.wants(id, None))
}

/// What events of an execution can have touched: what they name, the groups around it, and the edges at it.
/// More than was changed does no harm, since rows are as they stand now. Each thing is said once.
struct Mentions {
    group_of: HashMap<TaskId, TaskId>,
    edges_at: HashMap<TaskId, Vec<(TaskId, TaskId)>>,
    task_executions: Vec<TaskExecutionId>,
    said: Touched,
}

impl Mentions {
    fn new(state: &ExecutionState) -> Self {
        let graph = state.graph();
        let mut edges_at: HashMap<TaskId, Vec<_>> = HashMap::new();
        for edge in graph.edges {
            for end in [&edge.source, &edge.target] {
                edges_at.entry(end.clone()).or_default().push((edge.source.clone(), edge.target.clone()));
            }
        }
        let tasks = state.task_execution_rows().into_iter();
        Self {
            group_of: graph.nodes.into_iter().filter_map(|node| Some((node.id, node.group?))).collect(),
            edges_at,
            task_executions: tasks.map(|row| row.task_execution_id).collect(),
            said: Touched::default(),
        }
    }

    fn of(&mut self, event: &Event) -> Touched {
        let mut touched = Touched { execution: true, ..Touched::default() };
        let mut tasks: Vec<TaskId> = event.task_id.iter().cloned().collect();
        touched.task_executions.extend(event.task_execution_id.clone());
        match event.payload() {
            Ok(Payload::GraphChanged(changed)) => {
                for node in changed.nodes {
                    tasks.extend(node.group);
                    tasks.push(node.id);
                }
                for edge in changed.edges {
                    touched.edges.insert((edge.source.clone(), edge.target.clone()));
                    tasks.extend([edge.source, edge.target]);
                }
            }
            Ok(Payload::TaskStarted(started)) => tasks.extend(started.group),
            Ok(Payload::TaskQueued(queued)) => tasks.extend(queued.group),
            // Every row names its workflow, and this event may be the first to say it.
            Ok(Payload::WorkflowStarted(_)) => {
                touched.task_executions.extend(self.task_executions.iter().cloned());
            }
            _ => {}
        }
        while let Some(task) = tasks.pop() {
            touched.edges.extend(self.edges_at.get(&task).into_iter().flatten().cloned());
            tasks.extend(self.group_of.get(&task).filter(|group| !touched.nodes.contains(*group)).cloned());
            touched.nodes.insert(task);
        }
        touched.execution = !std::mem::replace(&mut self.said.execution, true);
        touched.task_executions.retain(|id| self.said.task_executions.insert(id.clone()));
        touched.nodes.retain(|id| self.said.nodes.insert(id.clone()));
        touched.edges.retain(|edge| self.said.edges.insert(edge.clone()));
        touched
    }
}
