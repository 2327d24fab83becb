//! The bounded queue between the threads that produce and the one that sends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use graflow_model::{Event, ExecutionId};
use tokio::sync::Notify;

/// Bytes that an event takes beyond its `data`, roughly.
const EVENT_OVERHEAD: usize = 640;

/// Room for so many events at the most is asked for in advance.
const KEPT_CAPACITY: usize = 4_096;

/// Executions whose drops are counted one by one; those beyond are only in the sum.
const DROPS_BY_EXECUTION: usize = 1_000;

/// Takes events without ever blocking; what has no room is counted.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Set while the taker sleeps, so that only the first event after a pause pays for waking it.
    asleep: AtomicBool,
    wake: Notify,
    limit_events: usize,
    limit_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    events: Vec<Event>,
    bytes: usize,
    /// Events ever offered, whether there was room or not.
    offered: u64,
    drops: Drops,
}

/// Events that had no room, by the execution they belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Drops {
    pub(crate) total: u64,
    pub(crate) by_execution: BTreeMap<ExecutionId, u64>,
}

/// What was taken out of the queue at once.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) events: Vec<Event>,
    pub(crate) drops: Drops,
    /// Events offered up to here; everything up to this number is in hand or dropped.
    pub(crate) offered: u64,
}

impl Queue {
    pub(crate) fn new(limit_events: usize, limit_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            asleep: AtomicBool::new(false),
            wake: Notify::new(),
            limit_events,
            limit_bytes,
        }
    }

    /// Adds an event, or counts it as dropped.
    pub(crate) fn offer(&self, event: Event) {
        let bytes = event.data.get().len() + EVENT_OVERHEAD;
        {
            let mut state = self.lock();
            state.offered += 1;
            if state.events.len() >= self.limit_events || state.bytes + bytes > self.limit_bytes {
                state.drops.count(event.execution_id.as_ref(), 1);
            } else {
                state.bytes += bytes;
                state.events.push(event);
            }
        }
        if self.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Takes everything.
    pub(crate) fn take(&self) -> Taken {
        let mut state = self.lock();
        state.bytes = 0;
        // The next buffer is as large as this one turned out to be, so that producing threads seldom grow it.
        let next = Vec::with_capacity(state.events.len().min(KEPT_CAPACITY));
        Taken {
            events: std::mem::replace(&mut state.events, next),
            drops: std::mem::take(&mut state.drops),
            offered: state.offered,
        }
    }

    /// Events ever offered.
    pub(crate) fn offered(&self) -> u64 {
        self.lock().offered
    }

    /// Events waiting to be taken.
    pub(crate) fn len(&self) -> usize {
        self.lock().events.len()
    }

    /// Whether there is nothing to take.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.events.is_empty() && state.drops.total == 0
    }

    /// Ends the taker's sleep.
    pub(crate) fn wake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Sleeps until an event is offered or [`Self::wake`] is called.
    pub(crate) async fn woken(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        // An event may have come in between the last take and the line above, and not seen the flag.
        if self.is_empty() {
            self.wake.notified().await;
        }
        self.asleep.store(false, Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way, so a poisoned lock still guards a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drops {
    pub(crate) fn count(&mut self, execution_id: Option<&ExecutionId>, events: u64) {
        self.total += events;
        let Some(execution_id) = execution_id else { return };
        if let Some(count) = self.by_execution.get_mut(execution_id) {
            *count += events;
        } else if self.by_execution.len() < DROPS_BY_EXECUTION {
            self.by_execution.insert(execution_id.clone(), events);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let named: u64 = other.by_execution.values().sum();
        self.total += other.total.saturating_sub(named);
        for (execution_id, events) in &other.by_execution {
            self.count(Some(execution_id), *events);
        }
    }
}

#[cfg(test)]
mod tests {
    use graflow_model::{EventType, Timestamp};

    use super::*;

    fn event(execution_id: &str) -> Event {
        let mut event = Event::new("e".into(), EventType::Note, Timestamp::default());
        event.execution_id = Some(execution_id.into());
        event
    }

    #[test]
    fn beyond_its_limits_it_counts_by_execution() {
        let queue = Queue::new(2, usize::MAX);
        for execution_id in ["a", "a", "b", "c", "b"] {
            queue.offer(event(execution_id));
        }
        let taken = queue.take();
        assert_eq!((taken.events.len(), taken.offered), (2, 5));
        assert_eq!(taken.drops.total, 3);
        assert_eq!(taken.drops.by_execution, BTreeMap::from([("b".into(), 2), ("c".into(), 1)]));
        // Room again, and the count starts anew.
        queue.offer(event("a"));
        let taken = queue.take();
        assert_eq!((taken.events.len(), taken.drops.total), (1, 0));
    }

    #[test]
    fn the_limit_in_bytes_holds_too() {
        let queue = Queue::new(usize::MAX, 2 * EVENT_OVERHEAD + 4);
        for _ in 0..3 {
            queue.offer(event("a"));
        }
        assert_eq!((queue.len(), queue.take().drops.total), (2, 1));
    }

    #[test]
    fn drops_add_up_without_losing_the_unnamed() {
        let mut sum = Drops { total: 5, by_execution: BTreeMap::from([("a".into(), 2)]) };
        sum.add(&Drops { total: 4, by_execution: BTreeMap::from([("a".into(), 1)]) });
        assert_eq!(sum, Drops { total: 9, by_execution: BTreeMap::from([("a".into(), 3)]) });
    }

    #[test]
    fn an_event_offered_before_the_sleep_ends_it() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let queue = Queue::new(8, usize::MAX);
        queue.offer(event("a"));
        runtime.block_on(queue.woken());
        assert_eq!(queue.take().events.len(), 1);
        queue.wake();
        runtime.block_on(queue.woken());
    }
}
