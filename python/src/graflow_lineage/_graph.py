"""What is told of the graph: at the start, when a task adds to it, and at the end what was added otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graflow_lineage._state import Run

_PART = 1_000
_NUMBERS = re.compile(r"[-_]?(?:0x)?(?:[0-9a-f]*\d[0-9a-f]*)(?=$|[-_])")


def declare_run(run: Run, graph: Any) -> None:
    """The graph as it stands before the first task."""
    known = graph.nx_graph()
    nodes = []
    for task_id, attributes in known._node.items():
        nodes.extend(_node(run, attributes.get("task"), task_id, "static"))
    edges = [(source, target) for source, targets in known._adj.items() for target in targets]
    members = [(group, member) for member, group in run.group_of.items()]
    told = []
    for source, target in edges:
        run.edges[source, target] = "static"
        told.append({"source": source, "target": target, "kind": "static"})
    for group, member in members:
        told.append({"source": group, "target": member, "kind": "group_member"})
    # A member knows its group only when all groups are known.
    for node in nodes:
        group_id = run.group_of.get(node["id"])
        if group_id is not None:
            node["group"] = group_id
    _tell(run, nodes, told)


def declare_added(run: Run, graph: Any) -> None:
    """What is in the graph at the end and nobody told of."""
    known = graph.nx_graph()
    nodes: list[dict[str, Any]] = []
    if len(known._node) > len(run.nodes) + len(run.iterations):
        for task_id, attributes in known._node.items():
            if task_id not in run.nodes and task_id not in run.iterations:
                nodes.extend(_node(run, attributes.get("task"), task_id, "dynamic"))
    edges = []
    if sum(map(len, known._adj.values())) > len(run.edges):
        for source, targets in known._adj.items():
            for target in targets:
                if (source, target) not in run.edges:
                    run.edges[source, target] = "dynamic"
                    edges.append({"source": source, "target": target, "kind": "dynamic"})
    _tell(run, nodes, edges)


def declare_node(run: Run, task: Any, task_id: str, kind: str, source: str | None) -> None:
    """A node that a task added, and the edge that leads to it."""
    nodes = list(_node(run, task, task_id, kind))
    edges = []
    if source is not None:
        edges.append({"source": source, "target": task_id, "kind": kind})
    _tell(run, nodes, edges)


def declare_edge(run: Run, source: str, target: str, kind: str) -> None:
    """An edge that a task took for the first time."""
    if (source, target, kind) not in run.edges:
        run.edges[source, target, kind] = kind
        _tell(run, [], [{"source": source, "target": target, "kind": kind}])


def _node(run: Run, task: Any, task_id: str, kind: str) -> list[dict[str, Any]]:
    node: dict[str, Any] = {"id": task_id, "task_type": type(task).__name__, "kind": kind}
    run.nodes[task_id] = node
    added = [node]
    function = getattr(task, "_original_func", None)
    if function is not None:
        try:
            code = function.__code__
            node["source"] = {"file": code.co_filename, "line": code.co_firstlineno}
            marks = function.__dict__
        except AttributeError:
            marks = {}
        doc = function.__doc__
        if type(doc) is str:
            node["doc"] = doc.strip().split("\n\n", 1)[0][:1000]
        if marks and marks.get("__track_lineage__") is False:
            node["track_lineage"] = False
            run.hidden.add(task_id)
        if kind == "dynamic":
            node["family"] = family(getattr(function, "__name__", ""), task_id)
    elif type(task).__name__ == "ParallelGroup":
        members = task.tasks
        node["kind"] = "group"
        run.groups.add(task_id)
        for member in members:
            run.group_of[member.task_id] = task_id
            if kind == "dynamic" and member.task_id not in run.nodes:
                added.extend(_node(run, member, member.task_id, kind))
    return added


def family(function: str, task_id: str) -> str:
    """The declared function of a dynamic task, or its name without numbers."""
    if function and function not in ("<lambda>", "wrapper"):
        return function
    return _NUMBERS.sub("", task_id) or task_id


def _tell(run: Run, nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> None:
    for at in range(0, max(len(nodes), len(edges)), _PART):
        run.native.tell("graph_changed", {"nodes": nodes[at : at + _PART], "edges": edges[at : at + _PART]})
