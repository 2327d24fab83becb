"""What is remembered of a run while it runs: beside graflow's objects, never on them, since those are pickled."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import Any

from graflow_lineage import _native

_MOST_TASKS_KEPT = 10_000
_MOST_RUNS_KEPT = 100


class Run:
    """One run of a workflow, shared by the frames of its branches."""

    __slots__ = (
        "context_id",
        "cut",
        "edges",
        "end",
        "group_of",
        "groups",
        "hidden",
        "iterations",
        "joined",
        "loops",
        "native",
        "nodes",
        "passes",
        "retried",
        "started_us",
        "status",
        "tasks",
        "waiting",
    )

    def __init__(self, native: _native.Run, context_id: int) -> None:
        self.native = native
        self.context_id = context_id
        self.joined = False
        self.cut = False
        self.waiting = False
        self.status = "running"
        self.started_us = 0
        self.end: int | None = None
        # Kept by the native part, which looks at them for each task.
        self.nodes = native.nodes
        self.edges = native.edges
        self.hidden = native.hidden
        self.group_of = native.group_of
        self.groups = native.groups
        self.iterations = native.iterations
        self.passes = native.passes
        self.loops: Loops | None = None
        self.tasks: deque[_native.TaskExecution] = deque(maxlen=_MOST_TASKS_KEPT)
        self.retried: deque[_native.TaskExecution] = deque(maxlen=_MOST_TASKS_KEPT)


Group = _native.Group


class Frame(_native.Frame):
    """A context that an engine is working through, in one thread."""

    __slots__ = (
        "base_versions",
        "branches",
        "by_hand",
        "channel_id",
        "context",
        "parent",
        "resolution",
        "run",
        "tracked",
    )

    def __init__(self, run: Run, context: Any) -> None:
        self.run = run
        self.context = context
        self.channel_id = id(context.channel)
        self.parent: Frame | None = None
        # The writes that it began with.
        self.base_versions: dict[str, _native.Write] = {}
        # Id of a branch's context -> the versions it began with, and, when it has ended, its frame.
        self.branches: dict[int, tuple[dict[str, _native.Write], Frame | None]] = {}
        # The attempt, task and names of the parameters that graflow filled last.
        self.resolution: tuple[Any, Any, tuple[str, ...]] | None = None
        # Whether somebody said by hand that a run begins here, and the task executions that began by hand.
        self.tracked = False
        self.by_hand: list[tuple[_native.TaskExecution, Any]] = []


class Loops:
    """Which edges lead back, and which tasks a loop holds together."""

    def __init__(self, graph: Any, start: str | None) -> None:
        import networkx as nx

        self.edges = graph.number_of_edges()
        self.nodes = graph.number_of_nodes()
        self.back: set[tuple[str, str]] = set()
        starts = ([start] if start in graph else []) + [node for node in graph if graph.in_degree(node) == 0]
        done: set[str] = set()
        for root in [*starts, *graph]:
            if root in done:
                continue
            path: list[tuple[str, Any]] = [(root, iter(graph.successors(root)))]
            on_path = {root}
            done.add(root)
            while path:
                node, successors = path[-1]
                following = next(successors, None)
                if following is None:
                    path.pop()
                    on_path.discard(node)
                elif following in on_path:
                    self.back.add((node, following))
                elif following not in done:
                    done.add(following)
                    on_path.add(following)
                    path.append((following, iter(graph.successors(following))))
        self.loop_of: dict[str, int] = {}
        for number, component in enumerate(nx.strongly_connected_components(graph)):
            for node in component:
                self.loop_of[node] = number


# Id of a context, or of its channel -> its frame, while an engine works through it.
frames: dict[int, Frame] = _native.frames
channels: dict[int, Frame] = _native.channels

# The last runs of this process, newest last.
runs: deque[Run] = deque(maxlen=_MOST_RUNS_KEPT)

# Graph -> the name of its workflow.
names: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()

# Context that came out of a pickle -> what it was when it went in.
origins: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()

# Who wants to be told of what happens in this process.
listeners = _native.listeners


def tell(event_type: str, what: Any) -> None:
    """Tells the listeners; what they raise is theirs."""
    for listener in listeners:
        try:
            listener(event_type, what)
        except Exception:
            continue


class Local(threading.local):
    """What belongs to a thread."""

    # The innermost frame.
    frame: Frame | None = None
    # What a worker is about to run, as its hook knows it.
    joining: Any = None
    # What a person is being asked.
    asking: dict[str, Any] | None = None


local = Local()

# Where this process was forked: the run and the task execution that its workflows belong to.
forked_from: tuple[str, str | None] | None = None


def current_task() -> _native.TaskExecution | None:
    """The task execution that this thread is in."""
    frame = local.frame
    if frame is None or frame.current is None or isinstance(frame.current, Group):
        return None
    return frame.current


def after_fork_in_child() -> None:
    """The child is another process: what the parent runs is the parent's to tell."""
    global forked_from
    frame = local.frame
    if frame is not None:
        task = current_task()
        forked_from = (frame.run.native.execution_id, None if task is None else task.id)
    frames.clear()
    channels.clear()
    runs.clear()
    local.frame = None
    local.joining = None
    local.asking = None
