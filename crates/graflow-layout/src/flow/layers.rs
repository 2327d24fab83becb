//! Which layer each node is in.

use super::adjacency::Adjacency;

/// Gives each node a layer, from 0, so that every edge leads to a later one and edges are short. The edges must
/// have no loops.
///
/// The longest way to a node says how early it can be. Then nodes are moved to where their edges are shorter
/// together, later and earlier in turn: in the end nothing alone can be moved to gain, as in a network simplex, whose
/// gain over this was not worth its time on graphs of tens of thousands.
pub(crate) fn layers(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let incoming = Adjacency::new(nodes, edges.iter().map(|(_, target)| *target));
    let outgoing = Adjacency::new(nodes, edges.iter().map(|(source, _)| *source));
    let order = topological_order(nodes, edges, &incoming, &outgoing);
    let mut layer = vec![0; nodes];
    for &node in &order {
        layer[node] = earliest(node, &layer, edges, &incoming);
    }
    for _ in 0..2 {
        for &node in order.iter().rev() {
            let latest = outgoing.of(node).iter().map(|edge| layer[edges[*edge].1] - 1).min();
            if let Some(latest) = latest
                && outgoing.of(node).len() >= incoming.of(node).len()
            {
                layer[node] = latest;
            }
        }
        for &node in &order {
            if incoming.of(node).len() >= outgoing.of(node).len() {
                layer[node] = earliest(node, &layer, edges, &incoming);
            }
        }
    }
    without_gaps(layer)
}

fn earliest(node: usize, layer: &[usize], edges: &[(usize, usize)], incoming: &Adjacency) -> usize {
    incoming.of(node).iter().map(|edge| layer[edges[*edge].0] + 1).max().unwrap_or(0)
}

fn topological_order(
    nodes: usize,
    edges: &[(usize, usize)],
    incoming: &Adjacency,
    outgoing: &Adjacency,
) -> Vec<usize> {
    let mut missing: Vec<_> = (0..nodes).map(|node| incoming.of(node).len()).collect();
    let mut order: Vec<_> = (0..nodes).filter(|node| missing[*node] == 0).collect();
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        next += 1;
        for &edge in outgoing.of(node) {
            let target = edges[edge].1;
            missing[target] -= 1;
            if missing[target] == 0 {
                order.push(target);
            }
        }
    }
    order
}

fn without_gaps(mut layer: Vec<usize>) -> Vec<usize> {
    let count = layer.iter().max().map_or(0, |last| last + 1);
    let mut number = vec![0; count];
    for &used in &layer {
        number[used] = 1;
    }
    let mut next = 0;
    for slot in &mut number {
        let is_used = *slot;
        *slot = next;
        next += is_used;
    }
    for value in &mut layer {
        *value = number[*value];
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes, edges, and what is to be found.
    type Case = (usize, &'static [(usize, usize)], &'static [usize]);

    #[test]
    fn table() {
        let cases: &[Case] = &[
            (3, &[(0, 1), (1, 2)], &[0, 1, 2]),
            (3, &[(0, 1), (1, 2), (0, 2)], &[0, 1, 2]),
            // What begins late stands beside what it leads to.
            (4, &[(0, 1), (1, 2), (3, 2)], &[0, 1, 2, 1]),
            // And so does all that leads to it.
            (5, &[(0, 1), (1, 2), (3, 4), (4, 2)], &[0, 1, 2, 0, 1]),
            // What comes of something stands close to it.
            (4, &[(0, 1), (1, 2), (0, 3)], &[0, 1, 2, 1]),
        ];
        for &(nodes, edges, expected) in cases {
            assert_eq!(layers(nodes, edges), expected, "{edges:?}");
        }
    }
}
