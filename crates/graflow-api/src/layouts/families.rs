//! Many tasks alike, that nobody declared a group for: a fan of thousands is one card.

use std::collections::{BTreeSet, HashMap};

use graflow_model::row::{EdgeRow, NodeRow};
use graflow_model::{EdgeKind, NodeKind, TaskId};

/// So many tasks alike become a group.
pub(super) const LEAST: usize = 16;

/// A group that nobody declared.
pub(super) struct Family {
    /// `family:` and its first member's id.
    pub(super) id: TaskId,
    /// What its members have in common.
    pub(super) label: String,
    /// The members, by their places in the list of nodes.
    pub(super) members: Vec<usize>,
}

/// Tasks of one family, in no declared group, to which the same tasks lead. What they lead to does not count: it
/// becomes known only while they run, and a group must not fall apart and form again.
pub(super) fn families(nodes: &[NodeRow], edges: &[EdgeRow]) -> Vec<Family> {
    let mut sources: HashMap<&TaskId, BTreeSet<&TaskId>> = HashMap::new();
    for edge in edges.iter().filter(|edge| edge.kind != EdgeKind::GroupMember && edge.source != edge.target) {
        sources.entry(&edge.target).or_default().insert(&edge.source);
    }
    let mut alike: HashMap<(String, Option<BTreeSet<&TaskId>>), Vec<usize>> = HashMap::new();
    // Members of a group are in one place already.
    let alone =
        nodes.iter().enumerate().filter(|(_, node)| node.kind != NodeKind::Group && node.group.is_none());
    for (place, node) in alone {
        let name = node.family.clone().unwrap_or_else(|| node.id.without_digits());
        alike.entry((name, sources.get(&node.id).cloned())).or_default().push(place);
    }
    let mut families: Vec<_> = alike
        .into_iter()
        .filter(|(_, members)| members.len() >= LEAST)
        .map(|((label, _), members)| {
            let id = TaskId::from(format!("family:{}", nodes[members[0]].id));
            Family { id, label, members }
        })
        .collect();
    families.sort_by_key(|family| family.members[0]);
    families
}
