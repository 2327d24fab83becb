//! What runs next: a pure state machine over the graph.
//!
//! A vertex is *live* while it may still run: it runs, is ready, or has a forward predecessor that is live. `waiting`
//! counts those predecessors. When the count falls to zero, the vertex runs if a predecessor completed (it has a
//! *token*), and else can no longer run and ceases to be live, which lets its own successors settle. So a join runs
//! once, when no forward predecessor can still run and one completed.
//!
//! Going back (a back edge, a jump) makes everything downstream of the target live again; a vertex never runs twice
//! at the same time.

use std::collections::VecDeque;

use graflow_model::state::CauseKind;

use crate::flow::{Graph, GroupEdge, NO_GROUP};
use crate::sink::Cause;

#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    states: Vec<State>,
    ready: VecDeque<u32>,
    /// Vertices that could never run and will not, since the last look.
    pub(crate) skipped: Vec<u32>,
    stopped_groups: Vec<bool>,
    /// Whether somebody wants to know what led to a pass.
    with_causes: bool,
    unsettled: VecDeque<u32>,
}

#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they vary independently: live and waiting, ready with a token, …"
)]
struct State {
    /// Forward predecessors that are live.
    waiting: u32,
    is_live: bool,
    /// Something led here since the last pass began.
    has_token: bool,
    is_ready: bool,
    is_running: bool,
    /// The token came by a back edge or a jump: the loop goes on.
    is_loop: bool,
    /// Passes so far, a skip counted.
    passes: u32,
    /// Passes since the loop was entered.
    cycle: u32,
    max_cycles: u32,
    /// What led here, and from which vertex.
    causes: Vec<(u32, Cause)>,
}

/// What follows a pass that has ended.
#[derive(Debug)]
pub(crate) enum Follow<'a> {
    /// Nothing: it failed, was cancelled, or went elsewhere.
    Nothing,
    /// Its successors.
    Successors(&'a [Cause]),
}

/// A pass that begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) iteration: u32,
    /// From 1, since the loop was entered.
    pub(crate) cycle: u32,
    pub(crate) causes: Vec<Cause>,
}

impl Scheduler {
    pub(crate) fn new(with_causes: bool) -> Self {
        Self { with_causes, ..Self::default() }
    }

    /// Takes notice of new vertices.
    pub(crate) fn grow(&mut self, graph: &Graph, max_cycles: impl Fn(u32) -> u32) {
        for vertex in self.states.len()..graph.vertices.len() {
            let max_cycles = max_cycles(crate::flow::index(vertex));
            self.states.push(State { max_cycles, ..State::default() });
        }
        self.stopped_groups.resize(graph.groups.len(), false);
    }

    /// Leads to these vertices, all at once.
    pub(crate) fn activate(&mut self, graph: &Graph, vertices: &[u32], from: u32, causes: &[Cause]) {
        for &vertex in vertices {
            self.give_token(vertex, from, causes, None);
            self.make_live(graph, vertex);
        }
        self.settle(graph, vertices.iter().copied());
    }

    /// Goes back to a vertex, or on to one that is no successor.
    pub(crate) fn jump(&mut self, graph: &Graph, target: u32, from: u32, causes: &[Cause]) {
        self.states[target as usize].is_loop = self.has_run(target);
        self.activate(graph, &[target], from, causes);
    }

    pub(crate) fn next_ready(&mut self) -> Option<u32> {
        while let Some(vertex) = self.ready.pop_front() {
            // What a stopped group had ready is left in the queue.
            if std::mem::take(&mut self.states[vertex as usize].is_ready) {
                return Some(vertex);
            }
        }
        None
    }

    /// Puts back what was taken.
    pub(crate) fn put_back(&mut self, vertex: u32) {
        self.states[vertex as usize].is_ready = true;
        self.ready.push_front(vertex);
    }

    pub(crate) fn has_ready(&self) -> bool {
        self.ready.iter().any(|&vertex| self.states[vertex as usize].is_ready)
    }

    /// A pass of a vertex begins.
    pub(crate) fn begin(&mut self, vertex: u32) -> Pass {
        let state = &mut self.states[vertex as usize];
        state.is_running = true;
        state.has_token = false;
        state.cycle = if std::mem::take(&mut state.is_loop) { state.cycle + 1 } else { 1 };
        let iteration = state.passes;
        state.passes += 1;
        Pass {
            iteration,
            cycle: state.cycle,
            causes: state.causes.drain(..).map(|(_, cause)| cause).collect(),
        }
    }

    /// The same vertex begins its next pass, without a pause in which others could come in.
    pub(crate) fn begin_again(&mut self, vertex: u32) -> Pass {
        let state = &mut self.states[vertex as usize];
        state.cycle += 1;
        let iteration = state.passes;
        state.passes += 1;
        Pass { iteration, cycle: state.cycle, causes: Vec::new() }
    }

    /// A pass has ended.
    pub(crate) fn end(&mut self, graph: &Graph, vertex: u32, follow: &Follow<'_>) {
        self.states[vertex as usize].is_running = false;
        if let Follow::Successors(causes) = follow {
            let shape = graph.vertex(vertex);
            for &target in &shape.back {
                let state = &self.states[target as usize];
                if state.cycle < state.max_cycles {
                    let again = causes.iter().map(|cause| Cause { kind: CauseKind::Iteration, ..*cause });
                    let again: Vec<Cause> = again.collect();
                    self.jump(graph, target, vertex, &again);
                }
            }
            for &successor in &shape.successors {
                match graph.group_edge(vertex, successor) {
                    // The engine knows what led out of a group: the member that ended last.
                    None if graph.is_group_end(successor) => self.give_token(successor, vertex, &[], None),
                    None => self.give_token(successor, vertex, causes, None),
                    Some(GroupEdge::Member) => {
                        self.give_token(successor, vertex, causes, Some(CauseKind::Member));
                    }
                    // Members lead out of a group; of an empty one, what led to its begin.
                    Some(GroupEdge::End { is_empty }) => {
                        self.give_token(successor, vertex, if is_empty { causes } else { &[] }, None);
                    }
                }
            }
        }
        self.settle(graph, [vertex]);
    }

    /// Nothing inside of the group runs any more; gives the vertices that run now.
    pub(crate) fn stop_group(&mut self, graph: &Graph, group: u32) -> Vec<u32> {
        let mut running = Vec::new();
        let mut stopped = vec![group];
        while let Some(group) = stopped.pop() {
            self.stopped_groups[group as usize] = true;
            for &vertex in &graph.groups[group as usize].inside {
                if let crate::flow::VertexKind::Begin(inner) = graph.vertex(vertex).kind {
                    stopped.push(inner);
                }
                let state = &mut self.states[vertex as usize];
                state.is_ready = false;
                if state.is_running {
                    running.push(vertex);
                }
            }
        }
        let inside = graph.groups[group as usize].inside.clone();
        self.settle(graph, inside);
        running
    }

    /// A new pass of the group begins: its members may run.
    pub(crate) fn open_group(&mut self, group: u32) {
        self.stopped_groups[group as usize] = false;
    }

    /// Whether a vertex has run, or runs.
    pub(crate) fn has_run(&self, vertex: u32) -> bool {
        self.states[vertex as usize].cycle > 0
    }

    pub(crate) fn max_cycles(&self, vertex: u32) -> u32 {
        self.states[vertex as usize].max_cycles
    }

    fn give_token(
        &mut self,
        vertex: u32,
        from: u32,
        causes: &[Cause],
        instead_of_successor: Option<CauseKind>,
    ) {
        let came_before = self.with_causes && self.states[from as usize].passes > 1;
        let state = &mut self.states[vertex as usize];
        state.has_token = true;
        if !self.with_causes {
            return;
        }
        if came_before {
            // Only its last pass led here.
            state.causes.retain(|(source, _)| *source != from);
        }
        state.causes.extend(causes.iter().map(|cause| {
            let kind =
                instead_of_successor.filter(|_| cause.kind == CauseKind::Successor).unwrap_or(cause.kind);
            (from, Cause { kind, ..*cause })
        }));
    }

    fn make_live(&mut self, graph: &Graph, vertex: u32) {
        let mut stack = vec![vertex];
        while let Some(vertex) = stack.pop() {
            if std::mem::replace(&mut self.states[vertex as usize].is_live, true) {
                continue;
            }
            for &successor in &graph.vertex(vertex).successors {
                let state = &mut self.states[successor as usize];
                state.waiting += 1;
                if !state.is_live {
                    stack.push(successor);
                }
            }
        }
    }

    /// Decides over vertices that wait for nobody, and over those that waited for them.
    fn settle(&mut self, graph: &Graph, vertices: impl IntoIterator<Item = u32>) {
        let mut unsettled = std::mem::take(&mut self.unsettled);
        unsettled.extend(vertices);
        while let Some(vertex) = unsettled.pop_front() {
            let may_run = !self.is_stopped(graph.vertex(vertex).group);
            let state = &mut self.states[vertex as usize];
            if state.waiting > 0 || state.is_running || state.is_ready || !state.is_live {
                continue;
            }
            if state.has_token && may_run {
                state.is_ready = true;
                self.ready.push_back(vertex);
                continue;
            }
            state.is_live = false;
            state.has_token = false;
            state.is_loop = false;
            state.causes.clear();
            if state.passes == 0 {
                state.passes = 1;
                self.skipped.push(vertex);
            }
            for &successor in &graph.vertex(vertex).successors {
                self.states[successor as usize].waiting -= 1;
                unsettled.push_back(successor);
            }
        }
        self.unsettled = unsettled;
    }

    pub(crate) fn is_stopped(&self, group: u32) -> bool {
        group != NO_GROUP && self.stopped_groups[group as usize]
    }
}
