//! What to say of a parameter that nothing fills.

use super::{Check, Fault};

impl Check<'_> {
    /// Says what there is, and which name was perhaps meant.
    pub(super) fn nothing(&self, vertex: usize, name: &str) -> Fault {
        let mut results: Vec<&str> = Vec::new();
        for upstream in self.upstream(vertex) {
            let upstream = self.graph.node(upstream);
            results.push(&self.graph.vertex(upstream).id);
        }
        results.sort_unstable();
        results.dedup();
        let keys: Vec<&str> =
            self.available.keys.keys().copied().chain(self.written.keys().copied()).collect();
        let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let reason = format!(
            "nothing of that name is there; results upstream: {}; keys: {}",
            list(&results),
            list(&keys)
        );
        let every = self.graph.nodes().map(|(_, node)| &*node.id).chain(keys);
        let closest = every.map(|other| (distance(name, other), other)).min();
        let hint = match closest {
            Some((distance, other)) if distance * 2 <= name.len() => format!("did you mean `{other}`?"),
            _ => format!(
                "bind it with .{name}(…), give it with .input(KEY, …), \
                 or, if a task writes that key, say so there: #[task(writes(KEY))]"
            ),
        };
        Fault { reason, hint }
    }

    fn upstream(&self, vertex: usize) -> Vec<u32> {
        let mut seen = vec![false; self.graph.vertices.len()];
        let mut found = Vec::new();
        let mut stack = self.graph.vertices[vertex].predecessors.clone();
        while let Some(vertex) = stack.pop() {
            if !std::mem::replace(&mut seen[vertex as usize], true) {
                found.push(vertex);
                stack.extend_from_slice(&self.graph.vertex(vertex).predecessors);
            }
        }
        found
    }
}

/// How many letters have to change to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, other) in right.iter().enumerate() {
            let cost = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = cost.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("extract", "extrakt"), 1);
        assert_eq!(distance("clean", "clean"), 0);
        assert_eq!(distance("", "abc"), 3);
    }
}
