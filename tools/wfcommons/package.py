"""Reads a workflow from the package `wfcommons`: its task graph, and how long tasks of each type took.

Nothing of the package is imported: it would want scipy, matplotlib and more, to read two files.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from distributions import Distribution

# The ends that wfcommons puts around a graph: no tasks of the workflow, so there are no statistics of them.
ENDS = ("SRC", "DST")


@dataclass(frozen=True)
class Graph:
    """The tasks with their types, and what must come before what."""

    name: str
    types: dict[str, str]
    successors: dict[str, list[str]]
    predecessors: dict[str, list[str]]

    @property
    def edges(self) -> set[tuple[str, str]]:
        return {(source, target) for source, targets in self.successors.items() for target in targets}

    def in_order(self) -> list[str]:
        """The tasks, each after everything before it."""
        waiting = {task: len(before) for task, before in self.predecessors.items()}
        ordered = [task for task, count in waiting.items() if count == 0]
        for task in ordered:
            for target in self.successors[task]:
                waiting[target] -= 1
                if waiting[target] == 0:
                    ordered.append(target)
        if len(ordered) != len(self.types):
            raise ValueError(f"{self.name}: the graph has a cycle")
        return ordered


class PlainGraph:
    """Takes the state of a pickled `networkx.DiGraph`, or of a view of one."""

    graph: dict[str, str]
    _node: dict[str, dict[str, Any]]
    _adj: dict[str, dict[str, Any]]
    _pred: dict[str, dict[str, Any]]


class GraphReader(pickle.Unpickler):
    """Makes graphs and dictionaries, nothing else: a pickle may name any function to be called."""

    KNOWN: ClassVar[dict[tuple[str, str], type]] = {
        ("builtins", "dict"): dict,
        ("networkx.classes.digraph", "DiGraph"): PlainGraph,
        ("networkx.classes.reportviews", "NodeView"): PlainGraph,
    }

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return self.KNOWN[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} has no place in a graph") from None


def recipes() -> Path:
    """The folder of the package's recipes."""
    package = find_spec("wfcommons")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("wfcommons is not installed; pip install --no-deps wfcommons==1.6")
    return Path(package.submodule_search_locations[0]) / "wfchef" / "recipes"


def read_graph(recipe: str, name: str) -> Graph:
    """The graph of one recorded run."""
    path = recipes() / recipe / "microstructures" / name / "base_graph.pickle"
    with path.open("rb") as file:
        read = GraphReader(file).load()
    graph = Graph(
        name=read.graph["name"],
        types={task: facts["type"] for task, facts in read._node.items()},
        successors={task: list(targets) for task, targets in read._adj.items()},
        predecessors={task: list(sources) for task, sources in read._pred.items()},
    )
    if graph.edges != {(source, target) for target, sources in graph.predecessors.items() for source in sources}:
        raise ValueError(f"{name}: successors and predecessors are not the same edges")
    return graph


def read_distributions(recipe: str) -> dict[str, Distribution]:
    """How long tasks of each type take, in seconds."""
    text = (recipes() / recipe / "task_type_stats.json").read_text(encoding="utf-8")
    return {task_type: Distribution.of(facts["runtime"]) for task_type, facts in json.loads(text).items()}
