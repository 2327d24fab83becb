//! Whether what a task takes comes from a task that runs before it.

use std::collections::HashSet;

use super::{Check, Fault};

impl Check<'_> {
    /// Finds the parameters whose giver does not run before them.
    pub(super) fn order(&mut self) {
        let mut before = std::mem::take(&mut self.before);
        before.retain(|(giver, taker, _)| {
            let direct = self.graph.vertices[*taker].predecessors.contains(&self.graph.end_of(*giver));
            !direct && !(self.available.has_result)(*giver)
        });
        if before.is_empty() {
            return;
        }
        let position = self.positions();
        before.sort_by_key(|(giver, ..)| *giver);
        for takers in before.chunk_by(|(left, ..), (right, ..)| left == right) {
            let giver = takers[0].0;
            let last = takers.iter().map(|(_, taker, _)| position[*taker]).max().unwrap_or(0);
            let reached = self.reached(self.graph.end_of(giver), last, &position);
            for &(_, taker, parameter) in takers {
                if reached.contains(&taker) {
                    continue;
                }
                let (name, id) = (&self.graph.vertex(giver).id, &self.graph.vertices[taker].id);
                let reason = format!("`{name}` is there, and does not run before `{id}`");
                let hint = format!(
                    "put it before, {name} >> … >> {id}; or take an `Option`, if only a later pass has it"
                );
                self.fault(taker, parameter, Fault { reason, hint });
            }
        }
    }

    /// The place of every vertex in an order that the forward edges agree with.
    fn positions(&self) -> Vec<u32> {
        let count = self.graph.vertices.len();
        let mut waiting: Vec<usize> =
            self.graph.vertices.iter().map(|vertex| vertex.predecessors.len()).collect();
        let mut ready: Vec<usize> = (0..count).filter(|&vertex| waiting[vertex] == 0).collect();
        let mut position = vec![0; count];
        let mut next = 0;
        while let Some(vertex) = ready.pop() {
            position[vertex] = next;
            next += 1;
            for &successor in &self.graph.vertices[vertex].successors {
                waiting[successor as usize] -= 1;
                if waiting[successor as usize] == 0 {
                    ready.push(successor as usize);
                }
            }
        }
        position
    }

    /// The vertices that forward edges lead to, up to a position.
    fn reached(&self, from: u32, last: u32, position: &[u32]) -> HashSet<usize> {
        let mut reached = HashSet::new();
        let mut stack = vec![from];
        while let Some(vertex) = stack.pop() {
            for &successor in &self.graph.vertex(vertex).successors {
                let successor_place = position[successor as usize];
                if successor_place <= last && reached.insert(successor as usize) {
                    stack.push(successor);
                }
            }
        }
        reached
    }
}
