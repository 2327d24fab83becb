"""What is told of the graph: at the start, when a task adds to it, and at the end what was added otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graflow_lineage._state import Run

_PART = 1_000
_NUMBERS = re.compile(r"[-_]?(?:0x)?(?:[0-9a-f]*\d[0-9a-f]*)(?=$|[-_])")


# Id, type, kind, group, family, file, line, doc, and whether its executions are told of.
_Node = tuple[str, str, str, str | None, str | None, str | None, int | None, str | None, bool]


def declare_run(run: Run, graph: Any) -> None:
    """The graph as it stands before the first task."""
    known = graph.nx_graph()
    tasks = [(task_id, attributes.get("task")) for task_id, attributes in known._node.items()]
    # A member knows its group only when all groups are known.
    for task_id, task in tasks:
        if type(task).__name__ == "ParallelGroup":
            _group(run, task, task_id)
    nodes = [_node(run, task, task_id, "static") for task_id, task in tasks]
    edges = [(source, target, "static") for source, targets in known._adj.items() for target in targets]
    for source, target, kind in edges:
        run.edges[source, target] = kind
    edges.extend((group, member, "group_member") for member, group in run.group_of.items())
    _tell(run, nodes, edges)


def declare_added(run: Run, graph: Any) -> None:
    """What is in the graph at the end and nobody told of."""
    known = graph.nx_graph()
    nodes: list[_Node] = []
    edges: list[tuple[str, str, str]] = []
    if len(known._node) > len(run.nodes) + len(run.iterations):
        for task_id, attributes in known._node.items():
            if task_id not in run.nodes and task_id not in run.iterations:
                _added(run, attributes.get("task"), task_id, nodes, edges)
    if sum(map(len, known._adj.values())) > len(run.edges):
        for source, targets in known._adj.items():
            for target in targets:
                if (source, target) not in run.edges:
                    run.edges[source, target] = "dynamic"
                    edges.append((source, target, "dynamic"))
    _tell(run, nodes, edges)


def declare_node(run: Run, task: Any, task_id: str, source: str | None) -> None:
    """A node that a task added, and the edge that leads to it."""
    nodes: list[_Node] = []
    edges: list[tuple[str, str, str]] = []
    _added(run, task, task_id, nodes, edges)
    if source is not None:
        edges.append((source, task_id, "dynamic"))
    _tell(run, nodes, edges)


def declare_edge(run: Run, source: str, target: str, kind: str) -> None:
    """An edge that a task took for the first time."""
    if (source, target, kind) not in run.edges:
        run.edges[source, target, kind] = kind
        _tell(run, [], [(source, target, kind)])


def _added(run: Run, task: Any, task_id: str, nodes: list[_Node], edges: list[tuple[str, str, str]]) -> None:
    nodes.append(_node(run, task, task_id, "dynamic"))
    if type(task).__name__ == "ParallelGroup":
        _group(run, task, task_id)
        for member in task.tasks:
            edges.append((task_id, member.task_id, "group_member"))
            if member.task_id not in run.nodes:
                _added(run, member, member.task_id, nodes, edges)


def _group(run: Run, group: Any, task_id: str) -> None:
    run.groups.add(task_id)
    for member in group.tasks:
        run.group_of[member.task_id] = task_id


def _node(run: Run, task: Any, task_id: str, kind: str) -> _Node:
    task_type = type(task).__name__
    run.nodes[task_id] = task_type
    group = run.group_of.get(task_id) if run.group_of else None
    if task_type == "ParallelGroup":
        return task_id, task_type, "group", group, None, None, None, None, True
    function: Any = getattr(task, "_original_func", None)
    try:
        code = function.__code__
        doc = function.__doc__
        marks = function.__dict__
    except AttributeError:
        return task_id, task_type, kind, group, None, None, None, None, True
    if doc is not None:
        doc = doc.strip().split("\n\n", 1)[0][:1000] if type(doc) is str else None
    is_told = True
    if marks and marks.get("__track_lineage__") is False:
        is_told = False
        run.hidden.add(task_id)
    of = family(code.co_name, task_id) if kind == "dynamic" else None
    return task_id, task_type, kind, group, of, code.co_filename, code.co_firstlineno, doc, is_told


def family(function: str, task_id: str) -> str:
    """The declared function of a dynamic task, or its name without numbers."""
    if function and function not in ("<lambda>", "wrapper"):
        return function
    return _NUMBERS.sub("", task_id) or task_id


def _tell(run: Run, nodes: list[_Node], edges: list[tuple[str, str, str]]) -> None:
    for at in range(0, max(len(nodes), len(edges)), _PART):
        run.native.declare(nodes[at : at + _PART], edges[at : at + _PART])
