"""What is remembered of a run while it runs: beside graflow's objects, never on them, since those are pickled."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

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
        # Task id -> its type.
        self.nodes: dict[str, str] = {}
        self.edges: dict[tuple[str, ...], str] = {}
        self.hidden: set[str] = set()
        self.group_of: dict[str, str] = {}
        self.groups: set[str] = set()
        # Id of an iteration -> the task it repeats.
        self.iterations: dict[str, str] = {}
        # The last pass of each task that ran.
        self.passes: dict[str, int] = {}
        self.loops: Loops | None = None
        self.tasks: deque[_native.TaskExecution] = deque(maxlen=_MOST_TASKS_KEPT)
        self.retried: deque[_native.TaskExecution] = deque(maxlen=_MOST_TASKS_KEPT)


class Group:
    """A parallel group while it runs, and what its members were when it has ended."""

    __slots__ = ("cause", "cause_kind", "group_id", "member_ids", "members")

    def __init__(self, group_id: str, cause_kind: str | None, cause: object) -> None:
        self.group_id = group_id
        self.cause_kind = cause_kind
        self.cause = cause
        self.member_ids: frozenset[str] = frozenset()
        self.members: list[_native.TaskExecution | str] = []


class Frame:
    """A context that an engine is working through, in one thread."""

    __slots__ = (
        "base_versions",
        "branches",
        "by_hand",
        "channel_id",
        "context",
        "current",
        "expected",
        "group",
        "last",
        "member_of",
        "muted",
        "next_kind",
        "parent",
        "pending",
        "resolving",
        "retrying",
        "run",
        "started",
        "thread",
        "tracked",
        "unresolved",
        "versions",
        "worker",
    )

    def __init__(self, run: Run, context: Any) -> None:
        self.run = run
        self.context = context
        self.channel_id = id(context.channel)
        self.parent: Frame | None = None
        # The task execution that runs, or the group.
        self.current: _native.TaskExecution | Group | None = None
        # What ended last: what is queued next is led to by it.
        self.last: Any = None
        # Task id -> how it came to be queued, as (kind, cause), in the order in which it was.
        self.pending: dict[str, tuple[str, Any] | list[tuple[str, Any]]] = {}
        self.next_kind: str | None = None
        self.retrying = False
        # Tasks that were queued, and that began.
        self.expected = 0
        self.started = 0
        # The group that this branch belongs to, and the one that runs here.
        self.member_of: Group | None = None
        self.group: Group | None = None
        self.thread: str | None = None
        self.worker: str | None = None
        # Key -> its last write, as far as this context sees.
        self.versions: dict[str, _native.Write] = {}
        self.base_versions: dict[str, _native.Write] = {}
        # Id of a branch's context -> the versions it began with, and, when it has ended, its frame.
        self.branches: dict[int, tuple[dict[str, _native.Write], Frame | None]] = {}
        self.muted = 0
        self.resolving = False
        self.unresolved: list[str] = []
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
frames: dict[int, Frame] = {}
channels: dict[int, Frame] = {}

# The last runs of this process, newest last.
runs: deque[Run] = deque(maxlen=_MOST_RUNS_KEPT)

# Graph -> the name of its workflow.
names: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()

# Context that came out of a pickle -> what it was when it went in.
origins: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()

# Who wants to be told of what happens in this process.
listeners: list[Callable[[str, Any], None]] = []


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
