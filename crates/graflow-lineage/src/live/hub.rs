//! Hands what is on disk to whoever watches.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use graflow_model::event::EventType;
use graflow_model::{Clock, ExecutionId, ExecutionStatus, Project, Seq, Timestamp};

use super::listener::ListenerQueue;
use super::topic::{Topic, Topics};
use super::{Filter, Listener, ListenerId, ListenerStatistics, Subscription, Update, UpdateKind};
use crate::liveness::{Liveness, Now, Turned};
use crate::materialise::{Delta, Observer};

/// Bytes of updates that all viewers together may be behind. Beyond it the topic that holds most gives way: a quiet
/// one never pays for a busy one.
pub const HELD_BYTES: usize = 64 * 1024 * 1024;

/// The live side of a store: make it first, open the store with it as the observer, then give both to a
/// [`LineageManager`](crate::manager::LineageManager).
pub struct Live {
    clock: Arc<dyn Clock>,
    liveness: Mutex<Liveness>,
    audience: Mutex<Audience>,
    /// Viewers and listeners: whether it is worth asking anybody.
    watching: AtomicUsize,
    published: Mutex<HashMap<Project, Arc<AtomicU64>>>,
    held_bytes: Arc<AtomicUsize>,
    fallen_off: AtomicU64,
    taken: AtomicU64,
}

/// What the live side counts, since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveStatistics {
    /// Viewers now.
    pub viewers: u64,
    /// Listeners now.
    pub listeners: u64,
    /// Updates that viewers took.
    pub taken: u64,
    /// Times that a viewer was too slow and had to begin anew.
    pub fallen_off: u64,
    /// Bytes of updates that not all viewers have taken yet, roughly.
    pub held_bytes: u64,
}

#[derive(Debug, Default)]
struct Audience {
    viewers: usize,
    topics: HashMap<Project, Topics>,
    listeners: Vec<ListenerQueue>,
    last_listener: u64,
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
            held_bytes: Arc::default(),
            fallen_off: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        })
    }

    /// A viewer begins here: everything that is published from now on can be taken from the subscription.
    pub fn subscribe(self: &Arc<Self>, project: Project, filter: Filter) -> Subscription {
        let published = self.published(&project);
        let mut audience = lock(&self.audience);
        let topic = audience.topics.entry(project.clone()).or_default().enter(&filter, &self.held_bytes);
        let place = topic.enter();
        audience.viewers += 1;
        self.watching.fetch_add(1, Ordering::AcqRel);
        Subscription::new(Arc::clone(self), project, filter, topic, place, published)
    }

    pub(super) fn leave(&self, project: &Project, filter: &Filter, topic: &Topic, place: u64) {
        let mut audience = lock(&self.audience);
        audience.viewers -= 1;
        self.watching.fetch_sub(1, Ordering::AcqRel);
        if !topic.leave(place) {
            return;
        }
        if let Some(topics) = audience.topics.get_mut(project) {
            topics.remove(filter);
            if topics.is_empty() {
                audience.topics.remove(project);
            }
        }
    }

    pub(super) fn count_taken(&self, updates: usize, fell_off: bool) {
        self.taken.fetch_add(updates as u64, Ordering::Relaxed);
        self.fallen_off.fetch_add(u64::from(fell_off), Ordering::Relaxed);
    }

    /// Calls `listener` for every event, on a thread of its own. One that is slow misses events, which are
    /// counted; one that panics or hangs harms nobody.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn add_listener(&self, listener: Listener) -> std::io::Result<ListenerId> {
        let mut audience = lock(&self.audience);
        audience.last_listener += 1;
        let id = ListenerId(audience.last_listener);
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
            viewers: audience.viewers as u64,
            listeners: audience.listeners.len() as u64,
            taken: self.taken.load(Ordering::Relaxed),
            fallen_off: self.fallen_off.load(Ordering::Relaxed),
            held_bytes: self.held_bytes.load(Ordering::Relaxed) as u64,
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
        let project = turned.project.clone();
        audience.tell(&project, &Arc::new(Update::new(UpdateKind::Turned(turned), seq)));
        self.make_room(&audience);
    }

    /// Keeps what is held within bounds, at the cost of who holds most. Half of a ring goes at once, so that this is
    /// rare.
    fn make_room(&self, audience: &Audience) {
        while self.held_bytes.load(Ordering::Relaxed) > HELD_BYTES {
            let largest = audience.topics.values().flat_map(Topics::all).max_by_key(|topic| topic.bytes());
            let Some(largest) = largest else { return };
            largest.halve();
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

impl Audience {
    /// Tells the topics that an update belongs to.
    fn tell(&self, project: &Project, update: &Arc<Update>) {
        let Some(topics) = self.topics.get(project) else { return };
        let Some(execution_id) = update.execution_id() else { return };
        topics.about(execution_id, update.workflow_name()).for_each(|topic| topic.publish(update));
    }
}

impl Observer for Live {
    fn wants(&self, project: &Project, execution_id: &ExecutionId) -> bool {
        if self.watching.load(Ordering::Acquire) == 0 {
            return false;
        }
        let audience = lock(&self.audience);
        !audience.listeners.is_empty()
            || audience.topics.get(project).is_some_and(|topics| topics.may_want(execution_id))
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
            audience.tell(&project, &update);
            self.make_room(&audience);
            // Still under the lock: a turn that is told next says that this event has been.
            self.published(&project).fetch_max(seq.0, Ordering::AcqRel);
        } else {
            self.published(&project).fetch_max(seq.0, Ordering::AcqRel);
        }
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
