"""Makes a run of a graph, and the events that a producer would send of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any
from uuid import uuid4

from distributions import Distribution
from package import ENDS, Graph

Event = dict[str, Any]

# Nobody saw these runs: they begin at a moment that is easy to read.
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
# So many nodes or edges stand in one event, which keeps it under the limit of 1 MiB.
SHARE = 1_000


@dataclass(frozen=True)
class Run:
    """A graph with times: every task starts when the last task before it ends."""

    graph: Graph
    execution_id: str
    labels: dict[str, str]
    # Microseconds since the beginning.
    starts: dict[str, int]
    ends: dict[str, int]

    @property
    def length(self) -> int:
        return max(self.ends.values())

    def task_execution_id(self, task: str) -> str:
        return f"{self.execution_id}.{task}"


def make_run(graph: Graph, distributions: dict[str, Distribution], seed: int) -> Run:
    random = Random(f"{graph.name} {seed}")
    starts: dict[str, int] = {}
    ends: dict[str, int] = {}
    for task in graph.in_order():
        task_type = graph.types[task]
        seconds = 0.0 if task_type in ENDS else distributions[task_type].draw(random)
        starts[task] = max((ends[before] for before in graph.predecessors[task]), default=0)
        ends[task] = starts[task] + round(seconds * 1_000_000)
    labels = {"durations": f"drawn from wfcommons distributions, seed {seed}"}
    return Run(graph, f"{graph.name}-{uuid4().hex[:12]}", labels, starts, ends)


def time_at(micros: int) -> str:
    return (BEGIN + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def events_of(run: Run) -> list[Event]:
    """All events of a run, as one producer tells them: in the order of time, what leads to a task before the task."""
    told: list[tuple[int, Event]] = [(0, started(run)), *((0, change) for change in declared(run.graph))]
    of_tasks = [
        ((micros, place, phase), event)
        for place, task in enumerate(run.graph.in_order())
        for phase, (micros, event) in enumerate(events_of_task(run, task))
    ]
    of_tasks.sort(key=lambda one: one[0])
    told.extend((key[0], event) for key, event in of_tasks)
    told.append((run.length, {"type": "workflow_completed", "data": {}}))
    # Host, boot and process are made up; what comes last is new for every run.
    producer = f"wfcommons/0/0/{uuid4().hex[:16]}"
    return [
        {
            "event_id": f"{run.execution_id}-{number}",
            "type": event["type"],
            "time": time_at(micros),
            "mono_us": micros,
            "execution_id": run.execution_id,
            "workflow_name": run.graph.name,
            "producer": producer,
            "producer_seq": number,
            **event,
        }
        for number, (micros, event) in enumerate(told, 1)
    ]


def started(run: Run) -> Event:
    return {"type": "workflow_started", "data": {"labels": run.labels}}


def declared(graph: Graph) -> list[Event]:
    nodes = [{"id": task, "task_type": task_type, "kind": "static"} for task, task_type in graph.types.items()]
    edges = [{"source": source, "target": target, "kind": "static"} for source, target in sorted(graph.edges)]
    shares = [{"nodes": nodes[at : at + SHARE]} for at in range(0, len(nodes), SHARE)]
    shares += [{"edges": edges[at : at + SHARE]} for at in range(0, len(edges), SHARE)]
    return [{"type": "graph_changed", "data": share} for share in shares]


def events_of_task(run: Run, task: str) -> list[tuple[int, Event]]:
    about = {"task_id": task, "task_execution_id": run.task_execution_id(task), "iteration": 0, "attempt": 1}
    causes = [
        {"kind": "successor", "task_execution_id": run.task_execution_id(before)}
        for before in run.graph.predecessors[task]
    ]
    return [
        (run.starts[task], {"type": "task_queued", "data": {}, **about}),
        (run.starts[task], {"type": "task_started", "data": {"causes": causes}, **about}),
        (run.ends[task], {"type": "task_completed", "data": {}, **about}),
    ]
