//! What is told of the graph, read from graflow's own objects: done natively, since it is done for each task.

use graflow_model::event::{EdgeDeclaration, NodeDeclaration, SourceLocation};
use graflow_model::{EdgeKind, NodeKind, TaskId};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::record::Kind;
use crate::run::Run;
use crate::words::edge_kind_of;

/// Most nodes or edges in one event.
const PART: usize = 1_000;
/// Longest documentation of a node, in characters.
const DOC_CHARACTERS: usize = 1_000;

/// The graph as it stands before the first task.
pub(crate) fn declare_graph(
    run: &Run,
    nodes: &Bound<'_, PyDict>,
    adjacency: &Bound<'_, PyDict>,
) -> PyResult<()> {
    let py = nodes.py();
    let mut tasks = Vec::with_capacity(nodes.len());
    for (task_id, attributes) in nodes {
        let task = match attributes.cast::<PyDict>()?.get_item(intern!(py, "task"))? {
            Some(task) => task,
            None => py.None().into_bound(py),
        };
        let task_type = task.get_type().name()?;
        let task_id = task_id.cast_into::<PyString>()?;
        // A member knows its group only when all groups are known.
        if task_type == "ParallelGroup" {
            add_group(run, &task_id, &task)?;
        }
        tasks.push((task_id, task, task_type));
    }
    let declared = tasks
        .into_iter()
        .map(|(task_id, task, task_type)| node(run, &task_id, &task, &task_type, NodeKind::Static))
        .collect::<PyResult<Vec<_>>>()?;
    let mut edges = Vec::new();
    let known = run.edges.bind(py);
    for (source, targets) in adjacency {
        let source_id = TaskId::from(source.cast::<PyString>()?.to_str()?);
        for target in targets.cast::<PyDict>()?.keys() {
            let edge = EdgeDeclaration {
                source: source_id.clone(),
                target: target.cast::<PyString>()?.to_str()?.into(),
                kind: EdgeKind::Static,
            };
            edges.push(edge);
            known.set_item(PyTuple::new(py, [&source, &target])?, intern!(py, "static"))?;
        }
    }
    for (member, group) in run.group_of.bind(py) {
        edges.push(EdgeDeclaration {
            source: group.cast::<PyString>()?.to_str()?.into(),
            target: member.cast::<PyString>()?.to_str()?.into(),
            kind: EdgeKind::GroupMember,
        });
    }
    tell(run, declared, edges);
    Ok(())
}

/// What was added to it since.
pub(crate) fn declare(
    run: &Run,
    nodes: Vec<(Bound<'_, PyString>, Bound<'_, PyAny>, Option<String>)>,
    edges: Vec<(String, String, String)>,
) -> PyResult<()> {
    let nodes = nodes
        .into_iter()
        .map(|(task_id, task, family)| {
            let task_type = task.get_type().name()?;
            if task_type == "ParallelGroup" {
                add_group(run, &task_id, &task)?;
            }
            let node = node(run, &task_id, &task, &task_type, NodeKind::Dynamic)?;
            Ok(NodeDeclaration { family, ..node })
        })
        .collect::<PyResult<_>>()?;
    let edges = edges
        .into_iter()
        .map(|(source, target, kind)| {
            Ok(EdgeDeclaration { source: source.into(), target: target.into(), kind: edge_kind_of(&kind)? })
        })
        .collect::<PyResult<_>>()?;
    tell(run, nodes, edges);
    Ok(())
}

fn add_group(run: &Run, task_id: &Bound<'_, PyString>, group: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = group.py();
    run.groups.bind(py).add(task_id)?;
    for member in group.getattr(intern!(py, "tasks"))?.try_iter()? {
        run.group_of.bind(py).set_item(member?.getattr(intern!(py, "task_id"))?, task_id)?;
    }
    Ok(())
}

/// What is told of a task that came to be so.
fn node(
    run: &Run,
    task_id: &Bound<'_, PyString>,
    task: &Bound<'_, PyAny>,
    task_type: &Bound<'_, PyString>,
    kind: NodeKind,
) -> PyResult<NodeDeclaration> {
    let py = task.py();
    run.nodes.bind(py).set_item(task_id, task_type)?;
    let is_group = task_type == "ParallelGroup";
    let kind = if is_group { NodeKind::Group } else { kind };
    let mut node = NodeDeclaration::new(task_id.to_str()?.into(), kind);
    node.task_type = Some(task_type.to_str()?.to_owned());
    let groups = run.group_of.bind(py);
    if !groups.is_empty()
        && let Some(group) = groups.get_item(task_id)?
    {
        node.group = Some(group.cast::<PyString>()?.to_str()?.into());
    }
    if is_group {
        return Ok(node);
    }
    let Ok(function) = task.getattr(intern!(py, "_original_func")) else { return Ok(node) };
    let Ok(code) = function.getattr(intern!(py, "__code__")) else { return Ok(node) };
    if let Ok(file) = code.getattr(intern!(py, "co_filename"))
        && let Ok(file) = file.extract()
    {
        let line = code.getattr(intern!(py, "co_firstlineno"))?.extract().unwrap_or_default();
        node.source = Some(SourceLocation { file, line });
    }
    if let Ok(doc) = function.getattr(intern!(py, "__doc__"))
        && let Ok(doc) = doc.cast::<PyString>()
    {
        let first = doc.to_str()?.trim().split("\n\n").next().unwrap_or_default();
        node.doc = Some(first.chars().take(DOC_CHARACTERS).collect());
    }
    if let Ok(marks) = function.getattr(intern!(py, "__dict__"))
        && let Ok(marks) = marks.cast::<PyDict>()
        && !marks.is_empty()
        && let Some(told) = marks.get_item(intern!(py, "__track_lineage__"))?
        && told.is(pyo3::types::PyBool::new(py, false))
    {
        node.track_lineage = Some(false);
        run.hidden.bind(py).add(task_id)?;
    }
    Ok(node)
}

fn tell(run: &Run, mut nodes: Vec<NodeDeclaration>, mut edges: Vec<EdgeDeclaration>) {
    while !nodes.is_empty() || !edges.is_empty() {
        let later_nodes = nodes.split_off(nodes.len().min(PART));
        let later_edges = edges.split_off(edges.len().min(PART));
        run.send(Kind::Declared { nodes, edges });
        (nodes, edges) = (later_nodes, later_edges);
    }
}
