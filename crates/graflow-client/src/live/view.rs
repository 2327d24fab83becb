//! Rows by id; of two that speak of the same thing, the one with the higher number stays.

use std::collections::BTreeMap;

use graflow_model::{ExecutionId, Seq, TaskExecutionId, TaskId};
use graflow_wire::{Edge, Execution, Node, Rows, TaskExecution};

/// Everything that a live stream has told, as it stands now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    executions: Table<ExecutionId, Execution>,
    task_executions: Table<(ExecutionId, TaskExecutionId), TaskExecution>,
    graphs: BTreeMap<ExecutionId, GraphView>,
}

/// The task graph of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GraphView {
    nodes: Table<TaskId, Node>,
    edges: Table<(TaskId, TaskId), Edge>,
}

/// Rows with the number they are from. A row that was taken away stays as a mark, so that an older one cannot return.
#[derive(Debug, Clone, PartialEq)]
struct Table<K, V>(BTreeMap<K, (Seq, Option<V>)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, V> Table<K, V> {
    fn put(&mut self, key: K, seq: Seq, row: Option<V>) {
        match self.0.get_mut(&key) {
            Some(known) if known.0 > seq => {}
            Some(known) => *known = (seq, row),
            None => {
                self.0.insert(key, (seq, row));
            }
        }
    }

    fn rows(&self) -> impl Iterator<Item = &V> {
        self.0.values().filter_map(|(_, row)| row.as_ref())
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)?.1.as_ref()
    }
}

impl View {
    /// Takes rows in that stood so at `seq`.
    pub fn apply(&mut self, seq: Seq, rows: Rows) {
        for execution in rows.executions {
            self.executions.put(execution.execution_id.clone(), seq, Some(execution));
        }
        for row in rows.task_executions {
            let key = (row.workflow_execution_id.clone(), row.task_execution_id.clone());
            self.task_executions.put(key, seq, Some(row));
        }
        for graph in rows.graphs {
            let view = self.graphs.entry(graph.execution_id).or_default();
            for id in graph.removed_nodes {
                view.nodes.put(id, seq, None);
            }
            for edge in graph.removed_edges {
                view.edges.put((edge.source, edge.target), seq, None);
            }
            for node in graph.nodes {
                view.nodes.put(node.id.clone(), seq, Some(node));
            }
            for edge in graph.edges {
                view.edges.put((edge.source.clone(), edge.target.clone()), seq, Some(edge));
            }
        }
    }

    /// Runs, by id.
    pub fn executions(&self) -> impl Iterator<Item = &Execution> {
        self.executions.rows()
    }

    /// A run.
    pub fn execution(&self, id: &ExecutionId) -> Option<&Execution> {
        self.executions.get(id)
    }

    /// Task executions, by run and id.
    pub fn task_executions(&self) -> impl Iterator<Item = &TaskExecution> {
        self.task_executions.rows()
    }

    /// The task graph of a run.
    pub fn graph(&self, id: &ExecutionId) -> Option<&GraphView> {
        self.graphs.get(id)
    }

    /// Rows that are kept.
    pub fn len(&self) -> usize {
        let graphs = self.graphs.values().map(|graph| graph.nodes.0.len() + graph.edges.0.len());
        self.executions.0.len() + self.task_executions.0.len() + graphs.sum::<usize>()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl GraphView {
    /// Nodes, by id.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.rows()
    }

    /// Edges, by source and target.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.rows()
    }
}
