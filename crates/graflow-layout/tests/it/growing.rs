//! With the picture before.

use graflow_layout::{Picture, layout};
use proptest::prelude::*;

use crate::checks::{Draft, covered, faults, flat, nested};

fn moved(before: &Picture, after: &Picture) -> usize {
    before.nodes.iter().zip(&after.nodes).filter(|(one, other)| one != other).count()
}

/// Which nodes an edge leads to, and where these lead.
fn reached(draft: &Draft, from: usize) -> Vec<bool> {
    let mut reached = vec![false; draft.nodes.len()];
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for &(_, target) in draft.edges.iter().filter(|(source, _)| *source == node) {
            if !std::mem::replace(&mut reached[target], true) {
                open.push(target);
            }
        }
    }
    reached
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_new_moves_nothing(draft in nested()) {
        let graph = draft.graph();
        let picture = layout(&graph, None);
        prop_assert_eq!(moved(&picture, &layout(&graph, Some(&picture))), 0);
    }

    #[test]
    fn a_new_end_moves_nothing(draft in flat(12), source in any::<prop::sample::Index>()) {
        let before = layout(&draft.graph(), None);
        let mut draft = draft;
        let source = source.index(draft.nodes.len());
        let new = draft.nodes.len();
        draft.nodes.push((false, None));
        draft.edges.push((source, new));
        let graph = draft.graph();
        let after = layout(&graph, Some(&before));
        prop_assert_eq!(moved(&before, &after), 0);
        prop_assert_eq!(faults(&graph, &after), Vec::<String>::new());
        prop_assert_eq!(covered(&graph, &after), Vec::<String>::new());
    }

    /// What a new node does not lead to stays where it is.
    #[test]
    fn a_new_node_moves_only_what_it_leads_to(
        draft in flat(12),
        ends in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..4),
    ) {
        let before = layout(&draft.graph(), None);
        let mut draft = draft;
        let (count, new) = (draft.nodes.len(), draft.nodes.len());
        draft.nodes.push((false, None));
        for (other, is_source) in ends {
            let other = other.index(count);
            draft.edges.push(if is_source { (other, new) } else { (new, other) });
        }
        let graph = draft.graph();
        let after = layout(&graph, Some(&before));
        let reached = reached(&draft, new);
        for node in (0..count).filter(|node| !reached[*node]) {
            prop_assert_eq!(before.nodes[node], after.nodes[node], "node {}", node);
        }
        prop_assert_eq!(faults(&graph, &after), Vec::<String>::new());
    }

    /// Node by node, as a run declares them while it goes.
    #[test]
    fn a_graph_that_grows_from_nothing_has_no_fault(draft in nested()) {
        let mut picture = Picture::default();
        for count in 1..=draft.nodes.len() {
            let known = Draft {
                nodes: draft.nodes[..count].to_vec(),
                edges: draft.edges.iter().copied().filter(|(one, other)| *one < count && *other < count).collect(),
            };
            let graph = known.graph();
            let next = layout(&graph, Some(&picture));
            prop_assert_eq!(faults(&graph, &next), Vec::<String>::new());
            prop_assert_eq!(&next, &layout(&graph, Some(&picture)));
            picture = next;
        }
    }
}
