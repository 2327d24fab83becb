//! Tasks that running tasks add, and what is recorded of a graph.

use std::sync::Arc;

use graflow_model::NodeKind;
use graflow_model::state::CauseKind;

use super::driver::Driver;
use crate::context::Attempt;
use crate::error::TaskError;
use crate::flow::{Available, Flow, VertexKind};
use crate::sink::{EdgeRecord, GraphChange, NodeRecord, RecordKind};

impl Driver {
    /// Adds tasks to the running graph; all of them, or none.
    pub(super) fn graft(
        &mut self,
        vertex: u32,
        attempt: &Attempt,
        additions: Vec<Flow>,
    ) -> Result<(), TaskError> {
        if self.stop.is_some() {
            return Ok(());
        }
        let graph = Arc::make_mut(&mut self.graph);
        let size = graph.size();
        let mut starts = Vec::new();
        for flow in additions {
            starts.extend(graph.add_dynamic(flow, vertex, crate::flow::index(size.vertices)));
        }
        let mut problems = std::mem::take(&mut graph.problems);
        if problems.is_empty() {
            let types = self.shared.channel.types();
            let shared = &self.shared;
            // Asked for one by one: a group's policy, which is checked as well, may be the user's own code.
            let available = Available {
                keys: types.into_iter().collect(),
                resources: &shared.resources,
                has_result: &|node| shared.results().get(node).is_some(),
            };
            if let Err(found) = self.plan.extend(graph, &available) {
                problems = found;
            }
        }
        if !problems.is_empty() {
            graph.shrink(size);
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(TaskError::request(format!("cannot add tasks: {}", problems.join("; "))));
        }
        self.record_graph(size.vertices, size.edges);
        self.grow();
        let graph = Arc::clone(&self.graph);
        let cause = self.cause(attempt, CauseKind::Dynamic);
        self.scheduler.activate(&graph, &starts, vertex, cause.as_slice());
        Ok(())
    }

    /// Records the nodes and edges from here on.
    pub(super) fn record_graph(&self, first_vertex: usize, first_edge: usize) {
        let Some(recorder) = &self.shared.recorder else { return };
        let nodes = self.graph.nodes_from(first_vertex).map(|(number, vertex)| NodeRecord {
            number,
            id: Arc::clone(&vertex.id),
            kind: if matches!(vertex.kind, VertexKind::Begin(_)) { NodeKind::Group } else { vertex.origin },
            group: self.graph.groups.get(vertex.group as usize).map(|group| group.begin),
            spec: self.graph.task(number).map(|task| task.spec),
        });
        let edges = self.graph.edges[first_edge..].iter().map(|edge| EdgeRecord {
            source: edge.source,
            target: edge.target,
            kind: edge.kind,
        });
        let change = GraphChange { nodes: nodes.collect(), edges: edges.collect() };
        recorder.record(RecordKind::GraphChanged(Box::new(change)));
    }
}
