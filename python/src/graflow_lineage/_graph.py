"""What is told of the graph: at the start, when a task adds to it, and at the end what was added otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graflow_lineage._state import Run

_NUMBERS = re.compile(r"[-_]?(?:0x)?(?:[0-9a-f]*\d[0-9a-f]*)(?=$|[-_])")

# Id, task, and family.
_Node = tuple[str, Any, "str | None"]


def declare_run(run: Run, graph: Any) -> None:
    """The graph as it stands before the first task."""
    known = graph.nx_graph()
    run.native.declare_graph(known._node, known._adj)


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
    run.native.declare(nodes, edges)


def declare_node(run: Run, task: Any, task_id: str, source: str | None) -> None:
    """A node that a task added, and the edge that leads to it."""
    nodes: list[_Node] = []
    edges: list[tuple[str, str, str]] = []
    _added(run, task, task_id, nodes, edges)
    if source is not None:
        edges.append((source, task_id, "dynamic"))
    run.native.declare(nodes, edges)


def declare_edge(run: Run, source: str, target: str, kind: str) -> None:
    """An edge that a task took for the first time."""
    if (source, target, kind) not in run.edges:
        run.edges[source, target, kind] = kind
        run.native.declare([], [(source, target, kind)])


def _added(run: Run, task: Any, task_id: str, nodes: list[_Node], edges: list[tuple[str, str, str]]) -> None:
    code = getattr(getattr(task, "_original_func", None), "__code__", None)
    nodes.append((task_id, task, None if code is None else family(code.co_name, task_id)))
    # Known from here on, though told only at the end.
    run.nodes[task_id] = type(task).__name__
    if type(task).__name__ == "ParallelGroup":
        for member in task.tasks:
            edges.append((task_id, member.task_id, "group_member"))
            if member.task_id not in run.nodes:
                _added(run, member, member.task_id, nodes, edges)


def family(function: str, task_id: str) -> str:
    """The declared function of a dynamic task, or its name without numbers."""
    if function and function not in ("<lambda>", "wrapper"):
        return function
    return _NUMBERS.sub("", task_id) or task_id
