//! Lists of numbers by number, in one piece of memory.

/// For each of some vertices a list of items, such as the edges that leave it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Adjacency {
    begin: Vec<usize>,
    items: Vec<usize>,
}

impl Adjacency {
    /// The n-th of `owners` says which vertex item n belongs to. Each list keeps the order of the items.
    pub(crate) fn new(vertices: usize, owners: impl Iterator<Item = usize> + Clone) -> Self {
        let mut begin = vec![0; vertices + 1];
        let mut count = 0;
        for owner in owners.clone() {
            begin[owner + 1] += 1;
            count += 1;
        }
        for vertex in 0..vertices {
            begin[vertex + 1] += begin[vertex];
        }
        let mut next = begin.clone();
        let mut items = vec![0; count];
        for (item, owner) in owners.enumerate() {
            items[next[owner]] = item;
            next[owner] += 1;
        }
        Self { begin, items }
    }

    pub(crate) fn of(&self, vertex: usize) -> &[usize] {
        &self.items[self.begin[vertex]..self.begin[vertex + 1]]
    }

    /// Sorts each list.
    pub(crate) fn sort_by_key<K: Ord>(&mut self, key: impl Fn(usize) -> K) {
        for vertex in 0..self.begin.len().saturating_sub(1) {
            self.items[self.begin[vertex]..self.begin[vertex + 1]].sort_by_key(|item| key(*item));
        }
    }
}
