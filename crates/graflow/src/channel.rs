//! The channel: where the tasks of one execution share values by typed keys.

use std::collections::HashMap;
use std::ops::Add;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::context::Attempt;
use crate::engine::Shared;
use crate::key::Key;
use crate::sink::{Read, ReadFrom, RecordKind};
use crate::value::Value;

/// The values that the tasks of an execution share. Every method is atomic; what it writes is seen at once.
///
/// ```
/// use graflow::prelude::*;
/// const SEEN: Key<u32> = Key::new("seen");
///
/// #[task]
/// async fn count(ctx: &TaskContext) -> u32 {
///     ctx.channel().atomic_add(SEEN, 2)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let run = Workflow::new("count", count()).execute().input(SEEN, 40).await?;
/// assert_eq!(run.result(count())?, &42);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Channel {
    shared: Arc<Shared>,
    attempt: Option<Arc<Attempt>>,
}

/// Where the values are.
#[derive(Debug, Default)]
pub(crate) struct ChannelStore {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<&'static str, Entry>,
    writes: u64,
}

#[derive(Debug)]
struct Entry {
    value: Value,
    write: u64,
    written_by: ThreadId,
    expires: Option<Instant>,
}

impl Entry {
    fn is_live(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}

impl ChannelStore {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        // A panic between two entries leaves both whole; the values are still good.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a key and the number of its write.
    pub(crate) fn get(&self, key: &str) -> Option<(Value, u64)> {
        let entries = self.lock();
        let entry = entries.by_key.get(key).filter(|entry| entry.is_live())?;
        Some((entry.value.clone(), entry.write))
    }

    pub(crate) fn set(&self, key: &'static str, value: Value, ttl: Option<Duration>) -> u64 {
        let expires = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
        let (write, before) = self.lock().put(key, value, expires);
        // Dropped without the lock, since that runs the user's code.
        drop(before);
        write
    }

    /// A key as it is now.
    fn seen(&self, key: &str) -> Seen {
        let entries = self.lock();
        let entry = entries.by_key.get(key);
        let live = entry.filter(|entry| entry.is_live());
        Seen {
            value: live.map(|entry| entry.value.clone()),
            write: entry.map(|entry| entry.write),
            expires: live.and_then(|entry| entry.expires),
        }
    }

    /// Puts a value in the place of what was seen, unless another thread came in between. What this thread wrote
    /// in between it wrote inside of the change, which comes last.
    fn replace(&self, key: &'static str, seen: &Seen, value: Value) -> Option<u64> {
        let mut entries = self.lock();
        let now = entries.by_key.get(key);
        let is_own = now.is_some_and(|entry| entry.written_by == thread::current().id());
        if now.map(|entry| entry.write) != seen.write && !is_own {
            return None;
        }
        let (write, before) = entries.put(key, value, seen.expires);
        drop(entries);
        drop(before);
        Some(write)
    }

    /// Keys with a value, and the values' types.
    pub(crate) fn types(&self) -> Vec<(&'static str, &'static crate::value::ValueType)> {
        let entries = self.lock();
        let live = entries.by_key.iter().filter(|(_, entry)| entry.is_live());
        live.map(|(key, entry)| (*key, entry.value.value_type())).collect()
    }
}

/// What a change begins with.
#[derive(Debug)]
struct Seen {
    value: Option<Value>,
    write: Option<u64>,
    expires: Option<Instant>,
}

impl Entries {
    /// Gives the number of the write, and what was there.
    fn put(&mut self, key: &'static str, value: Value, expires: Option<Instant>) -> (u64, Option<Entry>) {
        self.writes += 1;
        let entry = Entry { value, write: self.writes, written_by: thread::current().id(), expires };
        (self.writes, self.by_key.insert(key, entry))
    }
}

impl Channel {
    pub(crate) fn new(shared: Arc<Shared>, attempt: Option<Arc<Attempt>>) -> Self {
        Self { shared, attempt }
    }

    /// The value of a key; none when it was never set, was deleted, has expired, or is of another type.
    pub fn get<T: Send + Sync + 'static>(&self, key: Key<T>) -> Option<Arc<T>> {
        let found = self.shared.channel.get(key.name());
        let write = found.as_ref().map(|(_, write)| *write);
        let read = Read { parameter: None, from: ReadFrom::Key { key: key.name(), write } };
        self.record(|task| RecordKind::DataRead { task, read });
        found?.0.into_arc()
    }

    /// Sets a key.
    pub fn set<T: Send + Sync + 'static>(&self, key: Key<T>, value: T) {
        self.put(key, value, None);
    }

    /// Sets a key for a time.
    pub fn set_for<T: Send + Sync + 'static>(&self, key: Key<T>, value: T, ttl: Duration) {
        self.put(key, value, Some(ttl));
    }

    /// Replaces the value by what `change` makes of it. Gives the new value.
    ///
    /// Nobody comes in between: when another task did, `change` is called again with what is there then. It may use
    /// the channel itself; should it set the same key, its result comes after. Should it panic, the key keeps its
    /// value.
    pub fn update<T: Clone + Send + Sync + 'static>(
        &self,
        key: Key<T>,
        change: impl FnMut(Option<T>) -> T,
    ) -> Arc<T> {
        self.change(key, "update", change)
    }

    /// Adds to the end of a list, which is empty where there is none. Gives the new length.
    pub fn append<T: Clone + Send + Sync + 'static>(&self, key: Key<Vec<T>>, item: T) -> usize {
        self.insert(key, "append", item, <[T]>::len)
    }

    /// Adds to the beginning of a list, which is empty where there is none. Gives the new length.
    pub fn prepend<T: Clone + Send + Sync + 'static>(&self, key: Key<Vec<T>>, item: T) -> usize {
        self.insert(key, "prepend", item, |_| 0)
    }

    /// Adds to a number, which is zero where there is none. Gives the sum.
    pub fn atomic_add<N>(&self, key: Key<N>, amount: N) -> N
    where
        N: Add<Output = N> + Copy + Default + Send + Sync + 'static,
    {
        *self.change(key, "atomic_add", |number| number.unwrap_or_default() + amount)
    }

    /// Removes a key. Says whether it was there.
    pub fn delete<T: Send + Sync + 'static>(&self, key: Key<T>) -> bool {
        let mut entries = self.shared.channel.lock();
        let Some(entry) = entries.by_key.remove(key.name()) else { return false };
        entries.writes += 1;
        let write = entries.writes;
        drop(entries);
        self.record_write(key.name(), write, None, None);
        entry.is_live()
    }

    /// Whether a key has a value.
    pub fn exists<T: Send + Sync + 'static>(&self, key: Key<T>) -> bool {
        self.shared.channel.lock().by_key.get(key.name()).is_some_and(Entry::is_live)
    }

    /// The names of the keys that have a value, in order.
    pub fn keys(&self) -> Vec<&'static str> {
        let mut keys: Vec<&'static str> =
            self.shared.channel.types().into_iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys
    }

    /// No lock is held while the value is changed: that is the user's code.
    fn change<T: Clone + Send + Sync + 'static>(
        &self,
        key: Key<T>,
        operation: &'static str,
        mut change: impl FnMut(Option<T>) -> T,
    ) -> Arc<T> {
        loop {
            let seen = self.shared.channel.seen(key.name());
            let old = seen.value.as_ref().and_then(Value::downcast_ref::<T>).cloned();
            let new = Arc::new(change(old));
            let value = key.shared_value(Arc::clone(&new));
            if let Some(write) = self.shared.channel.replace(key.name(), &seen, value.clone()) {
                self.record_write(key.name(), write, Some(&value), Some(operation));
                return new;
            }
        }
    }

    /// Inserts into a list: where it stands, or, while somebody else holds that, into a copy.
    fn insert<T: Clone + Send + Sync + 'static>(
        &self,
        key: Key<Vec<T>>,
        operation: &'static str,
        item: T,
        place: fn(&[T]) -> usize,
    ) -> usize {
        let mut entries = self.shared.channel.lock();
        let Entries { by_key, writes } = &mut *entries;
        if let Some(entry) = by_key.get_mut(key.name()).filter(|entry| entry.is_live())
            && let Some(list) = entry.value.get_mut::<Vec<T>>()
        {
            list.insert(place(list), item);
            let length = list.len();
            *writes += 1;
            (entry.write, entry.written_by) = (*writes, thread::current().id());
            let (write, value) = (entry.write, entry.value.clone());
            drop(entries);
            self.record_write(key.name(), write, Some(&value), Some(operation));
            return length;
        }
        drop(entries);
        let list = self.change(key, operation, |list| {
            let mut list = list.unwrap_or_default();
            list.insert(place(&list), item.clone());
            list
        });
        list.len()
    }

    fn put<T: Send + Sync + 'static>(&self, key: Key<T>, value: T, ttl: Option<Duration>) {
        let value = key.value(value);
        let write = self.shared.channel.set(key.name(), value.clone(), ttl);
        self.record_write(key.name(), write, Some(&value), None);
    }

    fn record_write(
        &self,
        key: &'static str,
        write: u64,
        value: Option<&Value>,
        operation: Option<&'static str>,
    ) {
        self.record(|task| RecordKind::DataWritten { task, key, write, value: value.cloned(), operation });
    }

    fn record(&self, kind: impl FnOnce(Option<crate::sink::TaskExecution>) -> RecordKind) {
        let Some(recorder) = self.shared.recorder.as_ref().filter(|recorder| recorder.with_values) else {
            return;
        };
        match &self.attempt {
            Some(attempt) if attempt.is_tracked() => recorder.record(kind(Some(attempt.task))),
            Some(_) => {}
            None => recorder.record(kind(None)),
        }
    }
}
