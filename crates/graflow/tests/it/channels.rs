//! The channel under tasks that use it at the same time, and from inside of its own operations.

use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use graflow::ExecutionContext;
use graflow::prelude::*;
use graflow::sink::NullSink;

const COUNT: Key<u64> = Key::new("count");
const OTHER: Key<u64> = Key::new("other");
const LIST: Key<Vec<u64>> = Key::new("list");

fn channel() -> Channel {
    ExecutionContext::start_workflow_tracking("channel", NullSink).unwrap().channel()
}

#[test]
fn an_update_may_use_the_channel() {
    let channel = channel();
    channel.set(COUNT, 1);
    let new = channel.update(COUNT, |count| {
        channel.set(OTHER, 5);
        assert_eq!(channel.get(COUNT).as_deref(), Some(&1));
        count.unwrap_or(0) + *channel.get(OTHER).unwrap()
    });
    assert_eq!((*new, channel.get(COUNT).as_deref()), (6, Some(&6)));
    // What it sets itself is what it replaces.
    assert_eq!(
        *channel.update(COUNT, |count| {
            channel.set(COUNT, 100);
            count.unwrap_or(0) + 1
        }),
        7
    );
    assert_eq!(
        *channel.update(COUNT, |count| {
            channel.delete(COUNT);
            count.unwrap_or(1) + 1
        }),
        2
    );
    assert_eq!(channel.get(COUNT).as_deref(), Some(&2));
}

#[test]
fn a_change_that_panics_leaves_the_value() {
    let channel = channel();
    channel.set(COUNT, 1);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        channel.update(COUNT, |_| panic!("as told"))
    }));
    assert!(panicked.is_err());
    assert_eq!(channel.get(COUNT).as_deref(), Some(&1));
    assert_eq!(channel.atomic_add(COUNT, 1), 2);
}

#[test]
fn nobody_comes_in_between() {
    let channel = channel();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    channel.update(COUNT, |count| count.unwrap_or(0) + 1);
                    channel.atomic_add(OTHER, 1);
                    channel.append(LIST, 1);
                    // Somebody who holds the list makes the next change a copy.
                    drop(channel.get(LIST));
                }
            });
        }
    });
    assert_eq!((channel.get(COUNT).as_deref(), channel.get(OTHER).as_deref()), (Some(&4_000), Some(&4_000)));
    assert_eq!(channel.get(LIST).unwrap().len(), 4_000);
}

/// Uses the channel wherever the channel calls it.
struct Nosy(Channel, Arc<AtomicU32>);

impl Nosy {
    fn look(&self) {
        self.0.set(COUNT, 3);
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

impl Clone for Nosy {
    fn clone(&self) -> Self {
        self.look();
        Self(self.0.clone(), Arc::clone(&self.1))
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.look();
    }
}

const NOSY: Key<Nosy> = Key::new("nosy");
const NOSIES: Key<Vec<Nosy>> = Key::new("nosies");

#[test]
fn the_code_of_values_may_use_the_channel() {
    let channel = channel();
    let looked = Arc::new(AtomicU32::new(0));
    let nosy = || Nosy(channel.clone(), Arc::clone(&looked));
    channel.set(NOSY, nosy());
    channel.set(NOSY, nosy());
    channel.update(NOSY, |old| old.unwrap());
    channel.append(NOSIES, nosy());
    let held = channel.get(NOSIES);
    channel.prepend(NOSIES, nosy());
    drop(held);
    channel.delete(NOSY);
    assert!(looked.load(Ordering::Relaxed) >= 6);
    // They hold the channel that holds them.
    channel.delete(NOSIES);
}

#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Sum(u64);

impl Add for Sum {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        assert!(other.0 < 10, "too much");
        Self(self.0 + other.0)
    }
}

const SUM: Key<Sum> = Key::new("sum");

#[test]
fn an_addition_that_panics_leaves_the_value() {
    let channel = channel();
    channel.atomic_add(SUM, Sum(1));
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| channel.atomic_add(SUM, Sum(10))));
    assert!(panicked.is_err());
    assert_eq!(channel.get(SUM).as_deref(), Some(&Sum(1)));
}
