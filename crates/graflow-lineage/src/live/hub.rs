//! Hands what is on disk to whoever watches.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use graflow_model::event::EventType;
use graflow_model::{Clock, ExecutionId, ExecutionStatus, Project, Seq, Timestamp};

use super::listener::ListenerQueue;
use super::subscription::Viewer;
use super::{Filter, Listener, ListenerId, ListenerStatistics, Subscription, Update, UpdateKind};
use crate::liveness::{Liveness, Now, Turned};
use crate::materialise::{Delta, Observer};

/// The live side of a store: make it first, open the store with it as the observer, then give both to a
/// [`LineageManager`](crate::manager::LineageManager).
pub struct Live {
    clock: Arc<dyn Clock>,
    liveness: Mutex<Liveness>,
    audience: Mutex<Audience>,
    /// Viewers and listeners: whether it is worth asking anybody.
    watching: AtomicUsize,
    published: Mutex<HashMap<Project, Arc<AtomicU64>>>,
    overflows: AtomicU64,
    delivered: AtomicU64,
}

/// What the live side counts, since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveStatistics {
    /// Viewers now.
    pub viewers: u64,
    /// Listeners now.
    pub listeners: u64,
    /// Updates put into viewers' queues.
    pub delivered: u64,
    /// Times that a viewer was too slow and had to begin anew.
    pub overflows: u64,
}

#[derive(Debug, Default)]
struct Audience {
    viewers: Vec<Arc<Viewer>>,
    listeners: Vec<ListenerQueue>,
    last_id: u64,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Live").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}

impl Live {
    /// Nobody watches yet; silence counts from now on.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let now = now(&*clock);
        Arc::new(Self {
            clock,
            liveness: Mutex::new(Liveness::new(now)),
            audience: Mutex::default(),
            watching: AtomicUsize::new(0),
            published: Mutex::default(),
            overflows: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
        })
    }

    /// A viewer begins here: everything that is published from now on goes into its queue.
    pub fn subscribe(self: &Arc<Self>, project: Project, filter: Filter) -> Subscription {
        let published = self.published(&project);
        let mut audience = lock(&self.audience);
        audience.last_id += 1;
        let viewer = Arc::new(Viewer::new(audience.last_id, project, filter));
        audience.viewers.push(Arc::clone(&viewer));
        self.watching.fetch_add(1, Ordering::AcqRel);
        Subscription::new(Arc::downgrade(self), viewer, published)
    }

    pub(super) fn leave(&self, viewer: u64) {
        let mut audience = lock(&self.audience);
        if let Some(place) = audience.viewers.iter().position(|other| other.id == viewer) {
            audience.viewers.swap_remove(place);
            self.watching.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Calls `listener` for every event, on a thread of its own. One that is slow misses events, which are
    /// counted; one that panics or hangs harms nobody.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn add_listener(&self, listener: Listener) -> std::io::Result<ListenerId> {
        let mut audience = lock(&self.audience);
        audience.last_id += 1;
        let id = ListenerId(audience.last_id);
        audience.listeners.push(ListenerQueue::start(id, listener)?);
        self.watching.fetch_add(1, Ordering::AcqRel);
        Ok(id)
    }

    /// Ends a listener; says whether it was there.
    pub fn remove_listener(&self, id: ListenerId) -> bool {
        let mut audience = lock(&self.audience);
        let Some(place) = audience.listeners.iter().position(|listener| listener.id == id) else {
            return false;
        };
        audience.listeners.swap_remove(place);
        self.watching.fetch_sub(1, Ordering::AcqRel);
        true
    }

    /// How a listener fares.
    pub fn listener_statistics(&self, id: ListenerId) -> Option<ListenerStatistics> {
        let audience = lock(&self.audience);
        audience.listeners.iter().find(|listener| listener.id == id).map(ListenerQueue::statistics)
    }

    /// What it counts.
    pub fn statistics(&self) -> LiveStatistics {
        let audience = lock(&self.audience);
        LiveStatistics {
            viewers: audience.viewers.len() as u64,
            listeners: audience.listeners.len() as u64,
            delivered: self.delivered.load(Ordering::Relaxed),
            overflows: self.overflows.load(Ordering::Relaxed),
        }
    }

    /// A heartbeat named this execution.
    pub fn heartbeat(&self, project: &Project, execution_id: &ExecutionId) {
        let turned = {
            let now = self.now();
            lock(&self.liveness).sign(project, execution_id, now.wall, now)
        };
        self.tell_turn(turned);
    }

    /// An execution that is open since before the start.
    pub fn watch(&self, project: &Project, execution_id: &ExecutionId) {
        lock(&self.liveness).watch(project, execution_id);
    }

    /// An execution is gone.
    pub fn forget(&self, project: &Project, execution_id: &ExecutionId) {
        lock(&self.liveness).forget(project, execution_id);
    }

    /// Since when an execution that runs has been lost, if it is.
    pub fn lost_since(&self, project: &Project, execution_id: &ExecutionId) -> Option<Timestamp> {
        lock(&self.liveness).lost_since(project, execution_id, self.now())
    }

    /// Executions that have been silent for too long, whether they run or not.
    pub fn silent(&self, project: &Project) -> std::collections::BTreeSet<ExecutionId> {
        lock(&self.liveness).silent(project, self.now())
    }

    /// Looks for executions that fell silent, and tells viewers of those that turned lost. Call it once a
    /// second. `status` says where an execution stands by its events; none = it is not there; an error = ask
    /// again later.
    pub fn tick<E>(&self, status: impl Fn(&Project, &ExecutionId) -> Result<Option<ExecutionStatus>, E>) {
        let unsettled = lock(&self.liveness).unsettled(self.now());
        for (project, execution_id) in unsettled {
            let Ok(status) = status(&project, &execution_id) else { continue };
            let turned = lock(&self.liveness).settle(&project, &execution_id, status, self.now());
            self.tell_turn(turned);
        }
    }

    fn tell_turn(&self, turned: Option<Turned>) {
        let Some(turned) = turned.filter(|_| self.watching.load(Ordering::Acquire) > 0) else { return };
        let audience = lock(&self.audience);
        let seq = Seq(self.published(&turned.project).load(Ordering::Acquire));
        let (project, execution_id) = (turned.project.clone(), turned.execution_id.clone());
        let update = Arc::new(Update::new(UpdateKind::Turned(turned), seq));
        for viewer in &audience.viewers {
            if viewer.project == project && viewer.filter.wants(&execution_id, None) {
                self.push(viewer, &update);
            }
        }
    }

    fn push(&self, viewer: &Viewer, update: &Arc<Update>) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
        if viewer.push(update) {
            self.overflows.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn published(&self, project: &Project) -> Arc<AtomicU64> {
        let mut published = lock(&self.published);
        if let Some(seq) = published.get(project) {
            return Arc::clone(seq);
        }
        Arc::clone(published.entry(project.clone()).or_default())
    }

    fn now(&self) -> Now {
        now(&*self.clock)
    }
}

impl Observer for Live {
    fn wants(&self, project: &Project, execution_id: &ExecutionId) -> bool {
        if self.watching.load(Ordering::Acquire) == 0 {
            return false;
        }
        let audience = lock(&self.audience);
        !audience.listeners.is_empty()
            || audience
                .viewers
                .iter()
                .any(|viewer| viewer.project == *project && viewer.filter.may_want(execution_id))
    }

    fn publish(&self, delta: Delta) {
        let event = &delta.event;
        let (project, seq) = (event.project.clone(), event.seq);
        let mut turned = None;
        if let Some(execution_id) = &event.event.execution_id {
            let mut liveness = lock(&self.liveness);
            turned = liveness.sign(&project, execution_id, event.received, self.now());
            if event.event.event_type.is_workflow_end() {
                liveness.forget(&project, execution_id);
            }
        }
        if self.watching.load(Ordering::Acquire) > 0 && event.event.event_type != EventType::Heartbeat {
            let audience = lock(&self.audience);
            let update = Arc::new(Update::new(UpdateKind::Event(Box::new(delta)), seq));
            for listener in &audience.listeners {
                listener.tell(&update);
            }
            for viewer in &audience.viewers {
                let wanted = update
                    .execution_id()
                    .is_some_and(|execution_id| viewer.filter.wants(execution_id, update.workflow_name()));
                if wanted && viewer.project == project {
                    self.push(viewer, &update);
                }
            }
        }
        self.published(&project).fetch_max(seq.0, Ordering::AcqRel);
        self.tell_turn(turned);
    }
}

/// What is guarded is whole between two calls, also when another thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now(clock: &dyn Clock) -> Now {
    Now { wall: clock.now(), mono_us: clock.mono_us() }
}
