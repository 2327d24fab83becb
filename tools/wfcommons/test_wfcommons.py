"""Durations are drawn as they should be, and a difference is found out.

Run it as `python -m unittest discover tools/wfcommons`.
"""

from __future__ import annotations

import io
import os
import pickle
import unittest
from collections.abc import Iterator
from random import Random
from typing import Any

from compare import of_edges, of_execution, of_nodes, of_task_executions
from distributions import DRAW, Distribution
from package import Graph, GraphReader
from run import Run, events_of, make_run, time_at

GRAPH = Graph(
    name="diamond",
    types={"SRC": "SRC", "b": "work", "c": "work", "DST": "DST"},
    successors={"SRC": ["b", "c"], "b": ["DST"], "c": ["DST"], "DST": []},
    predecessors={"SRC": [], "b": ["SRC"], "c": ["SRC"], "DST": ["b", "c"]},
)
WORK = Distribution("norm", (), 0.5, 0.1, 1.0, 10.0)


class Drawing(unittest.TestCase):
    def test_means_are_those_of_the_distributions(self) -> None:
        # By their closed forms; for argus with a small chi, 3 pi / 16.
        means = [("argus", (1e-4,), 0.58905), ("beta", (2.0, 3.0), 0.4), ("dweibull", (2.0,), 0.0), ("norm", (), 0.0)]
        means += [("rdist", (1.75,), 0.0), ("trapezoid", (1.0, 1.0), 2 / 3), ("trapezoid", (0.2, 0.6), 0.46667)]
        self.assertEqual({name for name, _, _ in means}, DRAW.keys())
        for name, shapes, mean in means:
            random = Random(7)
            drawn = [DRAW[name](random, *shapes) for _ in range(20_000)]
            self.assertAlmostEqual(sum(drawn) / len(drawn), mean, delta=0.025, msg=name)

    def test_seconds_are_bounded_below_as_the_package_does(self) -> None:
        random = Random(7)
        low = Distribution("norm", (), -5.0, 0.1, 1.0, 10.0)
        self.assertEqual(low.draw(random), 1.0)
        self.assertEqual(Distribution(None, (), 0, 1, 3.0, 3.0).draw(random), 3.0)
        with self.assertRaisesRegex(ValueError, "cannot draw from `cauchy`"):
            Distribution.of({"min": 0, "max": 1, "distribution": {"name": "cauchy", "params": [0, 1]}})

    def test_the_same_seed_draws_the_same(self) -> None:
        runs = [make_run(GRAPH, {"work": WORK}, seed) for seed in (7, 7, 8)]
        self.assertEqual(runs[0].ends, runs[1].ends)
        self.assertNotEqual(runs[0].ends, runs[2].ends)


class Reading(unittest.TestCase):
    def test_a_pickle_that_calls_something_is_refused(self) -> None:
        class Call:
            def __reduce__(self) -> tuple[Any, tuple[str]]:
                return os.system, ("true",)

        with self.assertRaisesRegex(pickle.UnpicklingError, "system has no place in a graph"):
            GraphReader(io.BytesIO(pickle.dumps(Call()))).load()

    def test_a_cycle_is_refused(self) -> None:
        loop = Graph("loop", {"a": "x", "b": "x"}, {"a": ["b"], "b": ["a"]}, {"a": ["b"], "b": ["a"]})
        with self.assertRaisesRegex(ValueError, "loop: the graph has a cycle"):
            loop.in_order()


class Comparing(unittest.TestCase):
    def setUp(self) -> None:
        self.run_ = make_run(GRAPH, {"work": WORK}, 7)
        length = self.run_.length
        self.execution: dict[str, Any] = {
            "execution_id": self.run_.execution_id,
            "workflow_name": "diamond",
            "status": "completed",
            "start_time": "2026-01-01T00:00:00.000000Z",
            "end_time": time_at(length),
            "duration": length / 1e6,
            "labels": {"durations": "drawn from wfcommons distributions, seed 7"},
            "total_tasks": 4,
            "completed_tasks": 4,
            **dict.fromkeys(["failed_tasks", "running_tasks", "retried_tasks"], 0),
        }
        self.nodes = list(nodes_of(self.run_))
        self.edges: list[dict[str, Any]] = [
            {
                "source": source,
                "target": target,
                "data": {"kind": "static", "count": 1, "taken": {"successor": 1, "dynamic": 0}},
            }
            for source, target in GRAPH.edges
        ]
        self.rows = list(rows_of(self.run_))

    def check(self, *expected: str) -> None:
        run = self.run_
        found = [*of_execution(run, self.execution), *of_nodes(run, self.nodes), *of_edges(run, self.edges)]
        self.assertEqual([*found, *of_task_executions(run, self.rows)], list(expected))

    def test_equal(self) -> None:
        self.check()

    def test_execution(self) -> None:
        self.execution["completed_tasks"] = 3
        del self.execution["status"]
        self.check("the execution: `status` is missing", "the execution: `completed_tasks` is 3, expected 4")

    def test_nodes(self) -> None:
        self.nodes[1]["data"]["executions"] = 2
        self.nodes[3]["id"] = "other"
        self.check("node DST is missing", "node other came from nowhere", "node b: `executions` is 2, expected 1")

    def test_edges(self) -> None:
        again = self.edges[0]
        again["data"]["count"] = 2
        again["data"]["taken"]["dynamic"] = 1
        self.edges.append(again)
        name = f"edge {again['source']} -> {again['target']}"
        self.check(
            "1 times a edge is there again",
            f"{name}: `count` is 2, expected 1",
            f"{name}: taken {{'successor': 1, 'dynamic': 1}}, expected once, as successor",
        )

    def test_task_executions(self) -> None:
        self.rows[1]["duration"] += 0.000001
        self.rows[3]["causes"].pop()
        expected = self.rows[1]["duration"] - 0.000001
        self.check(
            f"task execution of b: `duration` is {self.rows[1]['duration']!r}, expected {expected!r}",
            "task execution of DST: 1 causes, which are not the 2 that were sent",
        )


class Telling(unittest.TestCase):
    def test_events_come_in_the_order_of_a_producer(self) -> None:
        run = make_run(GRAPH, {"work": WORK}, 7)
        events = events_of(run)
        self.assertEqual([event["producer_seq"] for event in events], list(range(1, len(events) + 1)))
        self.assertEqual([event["time"] for event in events], sorted(event["time"] for event in events))
        told = [(event["type"], event.get("task_id")) for event in events]
        self.assertEqual(told[0], ("workflow_started", None))
        self.assertEqual(told[-1], ("workflow_completed", None))
        for source, target in GRAPH.edges:
            self.assertLess(told.index(("task_completed", source)), told.index(("task_queued", target)))
        self.assertEqual(len(told), len(set(told)) + 1, "graph_changed comes twice, all else once")


def nodes_of(run: Run) -> Iterator[dict[str, Any]]:
    for task, task_type in GRAPH.types.items():
        data = {
            "task_type": task_type,
            "kind": "static",
            "status": "completed",
            "executions": 1,
            "iterations": 1,
            "retried": 0,
            "by_status": {"completed": 1},
            "last_duration": (run.ends[task] - run.starts[task]) / 1e6,
        }
        yield {"id": task, "data": data}


def rows_of(run: Run) -> Iterator[dict[str, Any]]:
    for task in GRAPH.types:
        id_ = f"{run.execution_id}.{task}"
        yield {
            "task_id": task,
            "execution_id": id_,
            "task_execution_id": id_,
            "workflow_execution_id": run.execution_id,
            "workflow_name": "diamond",
            "status": "completed",
            "iteration": 0,
            "attempt": 1,
            "start_time": time_at(run.starts[task]),
            "end_time": time_at(run.ends[task]),
            "duration": (run.ends[task] - run.starts[task]) / 1e6,
            "causes": [
                {"kind": "successor", "task_execution_id": f"{run.execution_id}.{before}"}
                for before in GRAPH.predecessors[task]
            ],
        }


if __name__ == "__main__":
    unittest.main()
