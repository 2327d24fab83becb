//! From stored events to changed rows: the one place that folds.
//!
//! One thread of a store owns the [`Materialiser`] and hands it every event once, in the order of the log. It
//! keeps open executions in memory, tells the [`Observer`] what each event changed, and gives the store the
//! rows to write. Readers share the folds through [`States`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use graflow_model::fold::Touched;
use graflow_model::row::{ChangedRows, ExecutionRow, TaskExecutionRow};
use graflow_model::{ExecutionId, ExecutionState, Project};

use crate::store::{SharedState, StoreError, StoredEvent};

/// Whoever watches: the live stream.
pub trait Observer: Send + Sync {
    /// Whether anybody looks at this execution now; rows are computed an event at a time only then.
    fn wants(&self, project: &Project, execution_id: &ExecutionId) -> bool;

    /// What an event changed. Called after the event is on disk, in the order of seq, for every event.
    fn publish(&self, delta: Delta);
}

/// What one event changed.
#[derive(Debug, Clone)]
pub struct Delta {
    /// The event.
    pub event: Arc<StoredEvent>,
    /// The rows as they stand after it; empty when nobody wanted them.
    pub rows: ChangedRows,
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn wants(&self, _: &Project, _: &ExecutionId) -> bool {
        false
    }
    fn publish(&self, _: Delta) {}
}

/// The rows of one execution that a store must write.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionChange {
    /// Whose.
    pub project: Project,
    /// The execution as it stands.
    pub execution: ExecutionRow,
    /// Its task executions that changed, as they stand.
    pub task_executions: Vec<TaskExecutionRow>,
}

/// Folds in memory, shared by the materialiser and by readers.
///
/// The least recently used leave memory when there is too much; who needs one again folds its events again.
///
/// A fold in here is never behind: one is loaded under [`States::loading`], and leaves only once the store has
/// committed all that was applied to it, so whoever loads it reads every event that it will not be handed.
#[derive(Debug)]
pub struct States {
    inner: Mutex<Inner>,
    /// Held while the events of a fold are read.
    loading: Mutex<()>,
    /// Most task executions, nodes and values that are kept in memory, roughly.
    most_weight: usize,
}

#[derive(Debug, Default)]
struct Inner {
    states: HashMap<(Project, ExecutionId), Kept>,
    weight: usize,
    /// Counts uses; the least recently used goes first.
    uses: u64,
}

#[derive(Debug)]
struct Kept {
    state: SharedState,
    weight: usize,
    used: u64,
}

impl States {
    /// States of that weight at most: a task execution, a node or a value weighs one, about 1 KiB.
    pub fn new(most_weight: usize) -> Self {
        Self { inner: Mutex::default(), loading: Mutex::default(), most_weight }
    }

    /// The fold, if it is in memory.
    pub fn get(&self, project: &Project, execution_id: &ExecutionId) -> Option<SharedState> {
        let mut inner = lock(&self.inner);
        inner.uses += 1;
        let uses = inner.uses;
        let kept = inner.states.get_mut(&(project.clone(), execution_id.clone()))?;
        kept.used = uses;
        Some(Arc::clone(&kept.state))
    }

    /// The fold: from memory, else from all committed events of the execution, which `earlier` gives.
    /// `None` when there are none.
    ///
    /// # Errors
    /// Those of `earlier`.
    pub fn load(
        &self,
        project: &Project,
        execution_id: &ExecutionId,
        earlier: impl FnOnce(&Project, &ExecutionId) -> Result<Vec<StoredEvent>, StoreError>,
    ) -> Result<Option<SharedState>, StoreError> {
        if let Some(state) = self.get(project, execution_id) {
            return Ok(Some(state));
        }
        let _loading = lock(&self.loading);
        if let Some(state) = self.get(project, execution_id) {
            return Ok(Some(state));
        }
        let events = earlier(project, execution_id)?;
        if events.is_empty() {
            return Ok(None);
        }
        let mut state = ExecutionState::new(execution_id.clone());
        for event in events {
            state.apply(&event.event);
        }
        Ok(Some(self.insert(project, state)))
    }

    fn insert(&self, project: &Project, state: ExecutionState) -> SharedState {
        let mut inner = lock(&self.inner);
        inner.uses += 1;
        let (used, weight) = (inner.uses, state.weight());
        let key = (project.clone(), state.execution_id().clone());
        let state = Arc::new(Mutex::new(state));
        inner.weight += weight;
        inner.states.insert(key, Kept { state: Arc::clone(&state), weight, used });
        state
    }

    /// Forgets a fold, as when its execution is deleted.
    pub fn remove(&self, project: &Project, execution_id: &ExecutionId) {
        let mut inner = lock(&self.inner);
        if let Some(kept) = inner.states.remove(&(project.clone(), execution_id.clone())) {
            inner.weight -= kept.weight;
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *lock(&self.inner) = Inner::default();
    }

    /// Takes new weights and makes room where there is too much: half of what is allowed remains, so that
    /// this is rare. What changed just now stays, however heavy: it is about to change again, and folding all
    /// its events anew for each flush would be quadratic.
    fn settle(&self, changed: impl Iterator<Item = (Project, ExecutionId, usize)>) {
        let mut inner = lock(&self.inner);
        let before_these = inner.uses;
        inner.uses += 1;
        let used = inner.uses;
        for (project, execution_id, weight) in changed {
            let Some(kept) = inner.states.get_mut(&(project, execution_id)) else { continue };
            let before = std::mem::replace(&mut kept.weight, weight);
            kept.used = used;
            inner.weight = inner.weight + weight - before;
        }
        if inner.weight <= self.most_weight {
            return;
        }
        let others = inner.states.iter().filter(|(_, kept)| kept.used <= before_these);
        let mut by_use: Vec<_> = others.map(|(key, kept)| (kept.used, key.clone())).collect();
        by_use.sort_unstable();
        for (_, key) in by_use {
            if inner.weight <= self.most_weight / 2 {
                break;
            }
            if let Some(kept) = inner.states.remove(&key) {
                inner.weight -= kept.weight;
            }
        }
    }
}

/// Folds events and gathers the rows that they changed.
#[derive(Debug)]
pub struct Materialiser<O> {
    states: Arc<States>,
    observer: O,
    touched: HashMap<(Project, ExecutionId), (SharedState, Touched)>,
    /// What each execution weighed when its changes were taken.
    weights: Vec<(Project, ExecutionId, usize)>,
}

impl<O: Observer> Materialiser<O> {
    /// A materialiser that shares its folds through `states`.
    pub fn new(states: Arc<States>, observer: O) -> Self {
        Self { states, observer, touched: HashMap::new(), weights: Vec::new() }
    }

    /// Takes the next event of the log. `earlier` gives the events of its execution that came before it; it is
    /// asked only when the execution is not in memory.
    ///
    /// # Errors
    /// Those of `earlier`; the event is not taken then.
    pub fn apply(
        &mut self,
        event: StoredEvent,
        earlier: impl FnOnce(&Project, &ExecutionId) -> Result<Vec<StoredEvent>, StoreError>,
    ) -> Result<(), StoreError> {
        let event = Arc::new(event);
        let Some(execution_id) = &event.event.execution_id else {
            self.observer.publish(Delta { event, rows: ChangedRows::default() });
            return Ok(());
        };
        let key = (event.project.clone(), execution_id.clone());
        let state = match self.touched.get(&key) {
            Some((state, _)) => Arc::clone(state),
            None => match self.states.load(&key.0, &key.1, earlier)? {
                Some(state) => state,
                None => self.states.insert(&key.0, ExecutionState::new(key.1.clone())),
            },
        };
        let wanted = self.observer.wants(&key.0, &key.1);
        let (rows, touched) = {
            let mut state = lock(&state);
            let touched = state.apply(&event.event);
            let rows = if wanted { state.rows(&touched) } else { ChangedRows::default() };
            (rows, touched)
        };
        let (_, gathered) = self.touched.entry(key).or_insert_with(|| (state, Touched::default()));
        gathered.extend(touched);
        self.observer.publish(Delta { event, rows });
        Ok(())
    }

    /// The rows that events changed since the last call, each once, as they stand now. Call
    /// [`Materialiser::committed`] once they are on disk.
    pub fn take_changes(&mut self) -> Vec<ExecutionChange> {
        let mut changes = Vec::with_capacity(self.touched.len());
        for ((project, execution_id), (state, touched)) in self.touched.drain() {
            let state = lock(&state);
            let tasks = touched.task_executions.iter().filter_map(|id| state.task_execution_row(id));
            changes.push(ExecutionChange {
                project: project.clone(),
                execution: state.execution_row(),
                task_executions: tasks.collect(),
            });
            self.weights.push((project, execution_id, state.weight()));
        }
        changes
    }

    /// The changes taken last are committed: from now on folds may leave memory.
    pub fn committed(&mut self) {
        self.states.settle(self.weights.drain(..));
    }

    /// Forgets an execution and what it changed, as when it is deleted.
    pub fn remove(&mut self, project: &Project, execution_id: &ExecutionId) {
        self.touched.remove(&(project.clone(), execution_id.clone()));
        self.states.remove(project, execution_id);
    }
}

/// A fold is whole between two calls of `apply`, also when a reader panicked while it held the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
