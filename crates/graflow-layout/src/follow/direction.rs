//! Which edges lead back, once some are known.

use super::Before;
use crate::flow::{Adjacency, Flow};
use crate::picture::Rect;

/// The directions of edges that were there are kept; a new one leads back if its source can be reached from its target.
pub(super) struct Directions {
    pub(super) is_back: Vec<bool>,
    /// Forward, and not from the end of a row to the next.
    pub(super) must_lead_forward: Vec<bool>,
    is_new: Vec<bool>,
    pub(super) out: Adjacency,
    pub(super) into: Adjacency,
}

impl Directions {
    pub(super) fn new(flow: Flow<'_>, before: &Before) -> Self {
        let nodes = flow.sizes.len();
        let out = Adjacency::new(nodes, flow.edges.iter().map(|(source, _)| *source));
        let into = Adjacency::new(nodes, flow.edges.iter().map(|(_, target)| *target));
        let is_new: Vec<_> = before.routes.iter().map(Option::is_none).collect();
        // A new edge counts once it was looked at.
        let mut is_forward: Vec<_> =
            before.routes.iter().map(|route| route.as_ref().is_some_and(|route| !route.is_back)).collect();
        let mut search = Search { seen: vec![0; nodes], round: 0, open: Vec::new() };
        for (edge, &(source, target)) in flow.edges.iter().enumerate() {
            if is_new[edge] && source != target {
                let leads = |edge: &&usize| is_forward[**edge];
                let can_loop = into.of(source).iter().any(|edge| leads(&edge))
                    && out.of(target).iter().any(|edge| leads(&edge));
                is_forward[edge] = !(can_loop && search.reaches(flow, &out, &is_forward, target, source));
            }
        }
        let right_of = |edge: usize| {
            let (source, target) = flow.edges[edge];
            let (source, target) = (before.boxes[source]?, before.boxes[target]?);
            Some(target.x >= source.right())
        };
        let all_forward = (0..flow.edges.len()).filter(|edge| is_forward[*edge]);
        let has_rows = all_forward.clone().any(|edge| !is_new[edge] && right_of(edge) == Some(false));
        let mut must_lead_forward = vec![false; flow.edges.len()];
        for edge in all_forward {
            // In rows what comes later may stand further left, as in a text.
            must_lead_forward[edge] = !has_rows || right_of(edge) != Some(false);
        }
        let is_back = is_forward.iter().map(|forward| !forward).collect();
        Self { is_back, must_lead_forward, is_new, out, into }
    }

    /// The boxes without a place, each after the new ones that lead to it.
    pub(super) fn new_in_order(&self, flow: Flow<'_>, boxes: &[Option<Rect>]) -> Vec<usize> {
        let new: Vec<_> = (0..boxes.len()).filter(|node| boxes[*node].is_none()).collect();
        let from_new = |node: usize| {
            let edges = self.into.of(node).iter();
            edges.filter(|edge| !self.is_back[**edge] && boxes[flow.edges[**edge].0].is_none()).count()
        };
        let mut missing = vec![0; boxes.len()];
        for node in &new {
            missing[*node] = from_new(*node);
        }
        let mut order: Vec<_> = new.iter().copied().filter(|node| missing[*node] == 0).collect();
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            for &edge in self.out.of(node).iter().filter(|edge| !self.is_back[**edge]) {
                let target = flow.edges[edge].1;
                if boxes[target].is_none() {
                    missing[target] -= 1;
                    if missing[target] == 0 {
                        order.push(target);
                    }
                }
            }
        }
        order
    }

    /// Where new edges leave.
    pub(super) fn new_sources(&self, flow: Flow<'_>) -> impl Iterator<Item = usize> {
        (0..self.is_new.len()).filter(|edge| self.is_new[*edge]).map(move |edge| flow.edges[edge].0)
    }
}

/// A walk along forward edges.
struct Search {
    seen: Vec<usize>,
    round: usize,
    open: Vec<usize>,
}

impl Search {
    fn reaches(
        &mut self,
        flow: Flow<'_>,
        out: &Adjacency,
        is_forward: &[bool],
        from: usize,
        to: usize,
    ) -> bool {
        self.round += 1;
        self.open.clear();
        self.open.push(from);
        self.seen[from] = self.round;
        while let Some(node) = self.open.pop() {
            if node == to {
                return true;
            }
            for &edge in out.of(node).iter().filter(|edge| is_forward[**edge]) {
                let target = flow.edges[edge].1;
                if self.seen[target] != self.round {
                    self.seen[target] = self.round;
                    self.open.push(target);
                }
            }
        }
        false
    }
}
