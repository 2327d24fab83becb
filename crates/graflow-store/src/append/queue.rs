//! A bounded queue between many threads that append and one that writes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueLimits {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
    /// What is taken out together is not more than this, unless it is one thing: so that no group takes for ever.
    pub(crate) group_items: usize,
    pub(crate) group_bytes: usize,
}

/// Something with a size.
pub(crate) trait Queued {
    /// Items in it.
    fn items(&self) -> usize;
    /// Bytes in it.
    fn bytes(&self) -> usize;
}

/// Why something was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushError {
    Full,
    Closed,
}

/// First in, first out, up to limits. An empty queue takes anything, however large.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    limits: QueueLimits,
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    items: usize,
    bytes: usize,
    closed: bool,
}

impl<T: Queued> Queue<T> {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        let state = State { waiting: VecDeque::new(), items: 0, bytes: 0, closed: false };
        Self { limits, state: Mutex::new(state), filled: Condvar::new() }
    }

    /// Adds something, or gives it back.
    pub(crate) fn push(&self, item: T) -> Result<(), (T, PushError)> {
        let mut state = self.state();
        if state.closed {
            return Err((item, PushError::Closed));
        }
        let full = state.items.saturating_add(item.items()) > self.limits.items
            || state.bytes.saturating_add(item.bytes()) > self.limits.bytes;
        if full && !state.waiting.is_empty() {
            return Err((item, PushError::Full));
        }
        state.items += item.items();
        state.bytes += item.bytes();
        state.waiting.push_back(item);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Takes the next group, at once if something waits, else as soon as something does. `None` when the queue
    /// is closed and empty.
    pub(crate) fn take_group(&self) -> Option<Vec<T>> {
        let waits = |state: &mut State<T>| state.waiting.is_empty() && !state.closed;
        let mut state = self.filled.wait_while(self.state(), waits).unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() {
            return None;
        }
        let mut group = Vec::new();
        let (mut group_items, mut group_bytes) = (0, 0);
        while let Some((items, bytes)) = state.waiting.front().map(|next| (next.items(), next.bytes()))
            && (group.is_empty()
                || group_items + items <= self.limits.group_items
                    && group_bytes + bytes <= self.limits.group_bytes)
        {
            (group_items, group_bytes) = (group_items + items, group_bytes + bytes);
            state.items = state.items.saturating_sub(items);
            state.bytes = state.bytes.saturating_sub(bytes);
            group.extend(state.waiting.pop_front());
        }
        Some(group)
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// Takes nothing more in; what waits can still be taken out.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Queued for usize {
        fn items(&self) -> usize {
            1
        }
        fn bytes(&self) -> usize {
            *self
        }
    }

    const LIMITS: QueueLimits = QueueLimits { items: 3, bytes: 100, group_items: 3, group_bytes: 50 };

    #[test]
    fn it_is_full_by_items_or_by_bytes_and_says_so() {
        let queue = Queue::new(LIMITS);
        assert_eq!(queue.push(500), Ok(()), "an empty queue takes anything");
        assert_eq!(queue.push(1), Err((1, PushError::Full)));
        assert_eq!(queue.take_group(), Some(vec![500]));
        for item in [1, 2, 3] {
            assert_eq!(queue.push(item), Ok(()));
        }
        assert_eq!(queue.push(4), Err((4, PushError::Full)));
        assert_eq!(queue.take_group(), Some(vec![1, 2, 3]));
    }

    #[test]
    fn groups_are_bounded_and_in_order() {
        let queue = Queue::new(LIMITS);
        for item in [30, 30, 10] {
            queue.push(item).unwrap();
        }
        assert_eq!(queue.take_group(), Some(vec![30]));
        assert_eq!(queue.bytes(), 40);
        assert_eq!(queue.take_group(), Some(vec![30, 10]));
        let by_items = Queue::new(QueueLimits { group_items: 2, ..LIMITS });
        for item in [1, 2, 3] {
            by_items.push(item).unwrap();
        }
        assert_eq!(by_items.take_group(), Some(vec![1, 2]));
    }

    #[test]
    fn a_closed_queue_gives_what_waits_and_then_ends() {
        let queue = Queue::new(LIMITS);
        queue.push(1).unwrap();
        queue.close();
        assert_eq!(queue.push(2), Err((2, PushError::Closed)));
        assert_eq!(queue.take_group(), Some(vec![1]));
        assert_eq!(queue.take_group(), None);
    }
}
