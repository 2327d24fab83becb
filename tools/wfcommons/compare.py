"""Compares what the server says of a run with the graph in the package, and with what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from run import Run, time_at
from server import Server, path_of

Row = dict[str, Any]


def differences(run: Run, server: Server) -> Iterator[str]:
    """Every difference, in words; none when all is as it was."""
    id_ = run.execution_id
    yield from of_execution(run, server.get(path_of(id_))["execution"])
    graph = server.get(path_of(id_, "/graph"))
    yield from of_nodes(run, graph["nodes"])
    yield from of_edges(run, graph["edges"])
    yield from of_task_executions(run, list(server.pages(path_of(id_, "/task_executions"), "task_executions")))
    for finding in server.pages(path_of(id_, "/findings"), "findings"):
        yield f"a clean run has no findings: {finding['code']}: {finding['message']}"


def of_execution(run: Run, row: Row) -> Iterator[str]:
    count = len(run.graph.types)
    expected = {
        "execution_id": run.execution_id,
        "workflow_name": run.graph.name,
        "status": "completed",
        "start_time": time_at(0),
        "end_time": time_at(run.length),
        "duration": run.length / 1e6,
        "labels": run.labels,
        "total_tasks": count,
        "completed_tasks": count,
        "failed_tasks": 0,
        "running_tasks": 0,
        "retried_tasks": 0,
    }
    yield from unequal("the execution", row, expected)


def of_nodes(run: Run, rows: list[Row]) -> Iterator[str]:
    nodes = {row["id"]: row["data"] for row in rows}
    yield from same_keys("node", set(run.graph.types), [row["id"] for row in rows])
    for task in run.graph.types.keys() & nodes.keys():
        expected = {
            "task_type": run.graph.types[task],
            "kind": "static",
            "status": "completed",
            "executions": 1,
            "iterations": 1,
            "retried": 0,
            "by_status": {"completed": 1},
            "last_duration": (run.ends[task] - run.starts[task]) / 1e6,
        }
        yield from unequal(f"node {task}", nodes[task], expected)


def of_edges(run: Run, rows: list[Row]) -> Iterator[str]:
    edges = {(row["source"], row["target"]): row["data"] for row in rows}
    yield from same_keys("edge", run.graph.edges, [(row["source"], row["target"]) for row in rows])
    for edge in run.graph.edges & edges.keys():
        yield from unequal(f"edge {edge[0]} -> {edge[1]}", edges[edge], {"kind": "static", "count": 1})
        taken = {how: times for how, times in edges[edge]["taken"].items() if times}
        if taken != {"successor": 1}:
            yield f"edge {edge[0]} -> {edge[1]}: taken {taken}, expected once, as successor"


def of_task_executions(run: Run, rows: list[Row]) -> Iterator[str]:
    task_of = {run.task_execution_id(task): task for task in run.graph.types}
    yield from same_keys("task execution", set(task_of), [row["task_execution_id"] for row in rows])
    for row in rows:
        task = task_of.get(row["task_execution_id"])
        if task is None:
            continue
        expected = {
            "task_id": task,
            "execution_id": row["task_execution_id"],
            "workflow_execution_id": run.execution_id,
            "workflow_name": run.graph.name,
            "status": "completed",
            "iteration": 0,
            "attempt": 1,
            "start_time": time_at(run.starts[task]),
            "end_time": time_at(run.ends[task]),
            "duration": (run.ends[task] - run.starts[task]) / 1e6,
        }
        yield from unequal(f"task execution of {task}", row, expected)
        causes = sorted((cause["kind"], cause["task_execution_id"]) for cause in row["causes"])
        before = sorted(("successor", run.task_execution_id(one)) for one in run.graph.predecessors[task])
        if causes != before:
            yield f"task execution of {task}: {len(causes)} causes, which are not the {len(before)} that were sent"


def same_keys(what: str, expected: set[Any], found: list[Any]) -> Iterator[str]:
    """Each of the expected ones is there, once, and no other."""
    yield from (f"{what} {key} is missing" for key in sorted(expected - set(found)))
    yield from (f"{what} {key} came from nowhere" for key in sorted(set(found) - expected))
    if len(found) != len(set(found)):
        yield f"{len(found) - len(set(found))} times a {what} is there again"


def unequal(what: str, row: Row, expected: Row) -> Iterator[str]:
    for name, value in expected.items():
        if name not in row:
            yield f"{what}: `{name}` is missing"
        elif row[name] != value:
            yield f"{what}: `{name}` is {row[name]!r}, expected {value!r}"
