//! Which edges lead back.

use super::adjacency::Adjacency;

/// Says of each edge whether it leads back to a node that is still on the way to it: depth first from the nodes that
/// nothing leads to, in their order, and then from those that were not reached. This is the rule by which the engine
/// tells back edges, so that a picture shows as a loop what ran as one.
pub(crate) fn back_edges(nodes: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let out = Adjacency::new(nodes, edges.iter().map(|(source, _)| *source));
    let mut has_incoming = vec![false; nodes];
    for &(source, target) in edges {
        has_incoming[target] |= source != target;
    }
    let mut is_back = vec![false; edges.len()];
    let mut state = vec![State::New; nodes];
    let starts = (0..nodes).filter(|node| !has_incoming[*node]);
    let mut stack: Vec<(usize, usize)> = Vec::new();
    for start in starts.chain(0..nodes) {
        if state[start] != State::New {
            continue;
        }
        state[start] = State::Open;
        stack.push((start, 0));
        while let Some((node, next)) = stack.last_mut() {
            let Some(&edge) = out.of(*node).get(*next) else {
                state[*node] = State::Done;
                stack.pop();
                continue;
            };
            *next += 1;
            let target = edges[edge].1;
            match state[target] {
                State::New => {
                    state[target] = State::Open;
                    stack.push((target, 0));
                }
                State::Open => is_back[edge] = true,
                State::Done => {}
            }
        }
    }
    is_back
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes, edges, and what is to be found.
    type Case = (usize, &'static [(usize, usize)], &'static [usize]);

    #[test]
    fn table() {
        let cases: &[Case] = &[
            (2, &[(0, 1)], &[]),
            (1, &[(0, 0)], &[0]),
            (3, &[(0, 1), (1, 2), (2, 0)], &[2]),
            // Two starts: the loop is closed by the edge that comes back to the open path.
            (4, &[(3, 1), (1, 2), (2, 1), (0, 2)], &[1]),
            (4, &[(0, 1), (0, 2), (1, 3), (2, 3)], &[]),
            // Nothing leads in from outside: the first in the list begins.
            (2, &[(1, 0), (0, 1)], &[0]),
        ];
        for &(nodes, edges, expected) in cases {
            let back = back_edges(nodes, edges);
            let found: Vec<_> = (0..edges.len()).filter(|edge| back[*edge]).collect();
            assert_eq!(found, expected, "{edges:?}");
        }
    }
}
