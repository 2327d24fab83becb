//! The bounded queue between the threads that produce and the one that sends.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use graflow_model::ExecutionId;
use tokio::sync::Notify;

use crate::source::Source;

/// A buffer that has grown beyond so many items is given back.
const KEPT_CAPACITY: usize = 16_384;

/// Executions whose drops are counted one by one; those beyond are only in the sum.
const DROPS_BY_EXECUTION: usize = 1_000;

/// Takes items without ever blocking; what has no room is counted.
pub(crate) struct Queue<S: Source> {
    state: Mutex<State<S::Item>>,
    /// Set while the taker sleeps, so that only the first item after a pause pays for waking it.
    asleep: AtomicBool,
    wake: Notify,
    limit_items: usize,
    limit_bytes: usize,
}

struct State<T> {
    items: Vec<T>,
    bytes: usize,
    /// Items ever offered, whether there was room or not.
    offered: u64,
    drops: Drops,
}

/// Items that had no room, by the execution they belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Drops {
    pub(crate) total: u64,
    pub(crate) by_execution: BTreeMap<ExecutionId, u64>,
}

impl<S: Source> Queue<S> {
    pub(crate) fn new(limit_items: usize, limit_bytes: usize) -> Self {
        let state = State { items: Vec::new(), bytes: 0, offered: 0, drops: Drops::default() };
        Self {
            state: Mutex::new(state),
            asleep: AtomicBool::new(false),
            wake: Notify::new(),
            limit_items,
            limit_bytes,
        }
    }

    /// Adds an item, or counts it as dropped.
    pub(crate) fn offer(&self, item: S::Item) {
        let bytes = S::bytes(&item);
        {
            let mut state = self.lock();
            state.offered += 1;
            if state.items.len() >= self.limit_items || state.bytes + bytes > self.limit_bytes {
                state.drops.count(S::execution_id(&item), 1);
            } else {
                state.bytes += bytes;
                state.items.push(item);
            }
        }
        if self.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Moves everything to `items`, whose buffer becomes the queue's: two buffers go to and fro, and producing threads
    /// seldom have to grow one.
    pub(crate) fn take(&self, items: &mut Vec<S::Item>) -> Drops {
        items.clear();
        items.shrink_to(KEPT_CAPACITY);
        let mut state = self.lock();
        state.bytes = 0;
        std::mem::swap(&mut state.items, items);
        std::mem::take(&mut state.drops)
    }

    /// Items ever offered.
    pub(crate) fn offered(&self) -> u64 {
        self.lock().offered
    }

    /// Items waiting to be taken.
    pub(crate) fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// Whether there is nothing to take.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.items.is_empty() && state.drops.total == 0
    }

    /// Ends the taker's sleep.
    pub(crate) fn wake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Sleeps until an item is offered or [`Self::wake`] is called.
    pub(crate) async fn woken(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        // An item may have come in between the last take and the line above, and not seen the flag.
        if self.is_empty() {
            self.wake.notified().await;
        }
        self.asleep.store(false, Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, State<S::Item>> {
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

impl<S: Source> fmt::Debug for Queue<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Queue").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use graflow_model::{Event, EventType, Timestamp};

    use super::*;
    use crate::source::Events;

    fn event(execution_id: &str) -> Event {
        let mut event = Event::new("e".into(), EventType::Note, Timestamp::default());
        event.execution_id = Some(execution_id.into());
        event
    }

    #[test]
    fn beyond_its_limits_it_counts_by_execution() {
        let queue = Queue::<Events>::new(2, usize::MAX);
        for execution_id in ["a", "a", "b", "c", "b"] {
            queue.offer(event(execution_id));
        }
        let mut items = Vec::new();
        let drops = queue.take(&mut items);
        assert_eq!((items.len(), queue.offered()), (2, 5));
        assert_eq!(drops.total, 3);
        assert_eq!(drops.by_execution, BTreeMap::from([("b".into(), 2), ("c".into(), 1)]));
        // Room again, and the count starts anew.
        queue.offer(event("a"));
        let drops = queue.take(&mut items);
        assert_eq!((items.len(), drops.total), (1, 0));
    }

    #[test]
    fn the_limit_in_bytes_holds_too() {
        let queue = Queue::<Events>::new(usize::MAX, 2 * Events::bytes(&event("a")));
        for _ in 0..3 {
            queue.offer(event("a"));
        }
        assert_eq!((queue.len(), queue.take(&mut Vec::new()).total), (2, 1));
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
        let queue = Queue::<Events>::new(8, usize::MAX);
        queue.offer(event("a"));
        runtime.block_on(queue.woken());
        queue.take(&mut Vec::new());
        queue.wake();
        runtime.block_on(queue.woken());
    }
}
