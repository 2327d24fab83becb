"""Hooks around the engine: runs, attempts, what leads to what.

Each hook does its part before and after graflow's own method, and whatever goes wrong in it stays in it: a workflow
runs as if nobody looked on. :func:`guarded` says so once for all of them.
"""

from __future__ import annotations

import functools
import re
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

from graflow_lineage import _native, _state
from graflow_lineage._graph import declare_added, declare_edge, declare_node, declare_run
from graflow_lineage._settings import settings
from graflow_lineage._state import Frame, Group, Loops, Run, channels, frames, local

if TYPE_CHECKING:
    from collections.abc import Callable

_CYCLE = re.compile(r"(_cycle_\d+_[0-9a-f]+)+$")


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which gives None instead of raising."""

    @functools.wraps(function)
    def careful(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception:
            fault()
            return None

    return careful


def fault() -> None:
    """Counts what went wrong in a hook. Where a hook runs for each task, it says `try` itself, which costs less."""
    settings.faults += 1
    settings.last_fault = traceback.format_exc(limit=8)


# --- a run, or a branch of one ---------------------------------------------------------------------------------------


class Entry:
    """An engine that entered a context."""

    __slots__ = ("current", "frame", "is_root", "last", "outer")

    def __init__(self, frame: Frame, outer: Frame | None, is_root: bool) -> None:
        self.frame = frame
        self.outer = outer
        self.is_root = is_root
        self.current = frame.current
        self.last = frame.last


@guarded
def enter(context: Any, start_task_id: str | None) -> Entry:
    """An engine begins to work through a context."""
    outer = local.frame
    frame = frames.get(id(context))
    if frame is not None and frame.context is context and frame.tracked:
        # Somebody began the run by hand; this engine carries it on to its end.
        frame.tracked = False
        frame.expected += context.task_queue.size()
        local.frame = frame
        return Entry(frame, outer, True)
    if frame is not None and frame.context is context:
        # A group without threads: the engine enters the context of its own run once for each member.
        entry = Entry(frame, outer, False)
        frame.expected += 1
        frame.current = None
        local.frame = frame
        return entry
    parent = context.parent_context
    while parent is not None and id(parent) not in frames:
        parent = parent.parent_context
    if parent is not None:
        frame = _branch(context, frames[id(parent)])
    elif local.joining is not None:
        from graflow_lineage._workers import join

        frame = join(context)
    else:
        frame = _root(context, outer, None)
    if start_task_id is not None:
        frame.expected += 1
    else:
        frame.expected += context.task_queue.size()
    entry = Entry(frame, outer, frame.parent is None)
    frames[id(context)] = frame
    channels[frame.channel_id] = frame
    local.frame = frame
    return entry


def start_tracking(context: Any, workflow_name: str) -> Frame:
    """A run begins that no engine has begun."""
    frame = _root(context, local.frame, workflow_name)
    frame.tracked = True
    frames[id(context)] = frame
    channels[frame.channel_id] = frame
    return frame


def end_tracking(frame: Frame, error: BaseException | None) -> None:
    """It ends."""
    frames.pop(id(frame.context), None)
    channels.pop(frame.channel_id, None)
    _end(frame, frame.context, error)


def _root(context: Any, outer: Frame | None, name: str | None) -> Frame:
    graph = context.graph
    origin = _state.origins.get(context, {}) if _state.origins else {}
    name = name or _state.names.get(graph) or origin.get("workflow_name") or f"workflow_{context.session_id[:8]}"
    run = Run(_native.Run(name), id(context))
    frame = Frame(run, context)
    parent = None
    if outer is not None:
        task = _state.current_task()
        parent = (outer.run.native.execution_id, None if task is None else task.id)
    elif _state.forked_from is not None:
        parent = _state.forked_from
    data: dict[str, Any] = {
        "labels": settings.labels or None,
        "code": settings.code(),
        "runtime": settings.runtime(),
        "session_id": context.session_id,
        "trace_id": context.trace_id,
        "resumed_from": origin.get("execution_id"),
    }
    if parent is not None:
        data["parent"] = {"execution_id": parent[0]}
        if parent[1] is not None:
            data["parent"]["task_execution_id"] = parent[1]
    run.started_us = time.time_ns() // 1000
    run.native.tell("workflow_started", data)
    _state.runs.append(run)
    settings.executions.append(run.native.execution_id)
    declare_run(run, graph)
    _inputs(frame)
    if _state.listeners:
        _state.tell("workflow_started", run)
    return frame


def _inputs(frame: Frame) -> None:
    """What lies in the channel before the first task: nobody's writes, so that its readers find something."""
    data = getattr(frame.context.channel, "data", None)
    if type(data) is dict:
        native = frame.run.native
        for key, value in list(data.items()):
            frame.versions[key] = native.write(None, key, value, True, None, settings.policy(frame.run, None, key))


def _branch(context: Any, parent: Frame) -> Frame:
    frame = Frame(parent.run, context)
    frame.parent = parent
    frame.member_of = parent.group or parent.member_of
    frame.thread = threading.current_thread().name
    frame.worker = parent.worker
    versions, _ = parent.branches.get(id(context), (parent.versions, None))
    frame.base_versions = versions
    frame.versions = dict(versions)
    return frame


@guarded
def leave(entry: Entry, context: Any, error: BaseException | None) -> None:
    """The engine is done with the context."""
    frame = entry.frame
    local.frame = entry.outer
    if frames.get(id(context)) is not frame:
        # In a forked child, this is the parent's.
        return
    run = frame.run
    cut = error is None and context.steps >= context.max_steps and frame.expected > frame.started
    if entry.is_root or (frame.parent is not None and entry.outer is not frame):
        del frames[id(context)]
        channels.pop(frame.channel_id, None)
    else:
        frame.current, frame.last = entry.current, entry.last
    if frame.parent is not None and id(context) in frame.parent.branches:
        frame.parent.branches[id(context)] = (frame.base_versions, frame)
    run.cut = run.cut or cut
    if not entry.is_root:
        return
    if run.joined:
        from graflow_lineage._workers import part

        part(frame)
        return
    declare_added(run, context.graph)
    _end(frame, context, error)


def _end(frame: Frame, context: Any, error: BaseException | None) -> None:
    run = frame.run
    run.end = time.time_ns() // 1000
    data: dict[str, Any] = {}
    if error is None:
        if run.waiting:
            # Nothing ended: it goes on from its checkpoint when the person has answered.
            run.status = "waiting"
            _native.close_execution(run.native.execution_id)
            return
        if context.terminate_called:
            kind = "terminated"
            data["reason"] = context.ctrl_message
        else:
            kind = "completed"
            if run.cut:
                data["reason"] = "max_steps"
    elif type(error).__name__ == "GraflowWorkflowCanceledError":
        kind = "cancelled"
        data["reason"] = context.ctrl_message or text_of(error)
    elif isinstance(error, KeyboardInterrupt):
        kind = "cancelled"
        data["reason"] = "interrupted by KeyboardInterrupt"
    else:
        kind = "failed"
        data["error"] = error_data(error)
    run.status = "max_steps" if run.cut and kind == "completed" else kind
    run.native.tell(f"workflow_{kind}", data)
    if _state.listeners:
        _state.tell(f"workflow_{kind}", run)


# --- an attempt ------------------------------------------------------------------------------------------------------


def begin(task: Any, context: Any) -> Any:
    """An attempt begins: gives the frame and what runs in it, or None."""
    frame = frames.get(id(context))
    if frame is None:
        return None
    try:
        return _begin(frame, task, context)
    except Exception:
        fault()
        return None


def _begin(frame: Frame, task: Any, context: Any) -> tuple[Frame, Any]:
    frame.started += 1
    task_id = task.task_id
    # One way led here, mostly; where several did, they come in the order in which they were queued.
    queued = frame.pending.pop(task_id, None)
    kind: str | None
    cause: Any
    if queued is None:
        kind = cause = None
    elif isinstance(queued, tuple):
        kind, cause = queued
    else:
        kind, cause = queued.pop(0)
        if queued:
            frame.pending[task_id] = queued
    run = frame.run
    node_id = run.iterations.get(task_id, task_id) if run.iterations else task_id
    member_of = frame.member_of if frame.group is None else frame.group
    group: str | None = None
    if member_of is not None and node_id in member_of.member_ids:
        group = member_of.group_id
        if kind is None:
            kind, cause = ("member", member_of.cause) if member_of.cause is not None else (None, None)
    if task_id in run.groups:
        current: Any = Group(task_id, kind, cause)
        frame.current = current
        return frame, current
    if node_id in run.hidden:
        frame.current = None
        frame.last = cause
        return frame, None
    attempt = 1
    passes = run.passes
    if node_id not in passes:
        iteration = passes[node_id] = 0
    elif kind == "retry":
        iteration = cause.iteration
        attempt = cause.attempt + 1
    else:
        iteration = passes[node_id] = _pass(run, node_id, kind, cause, context)
    if kind is None or cause is None:
        current = run.native.start(node_id, iteration, attempt, None, None, group, frame.thread, frame.worker)
    else:
        if type(cause) is Group:
            cause = cause.members
        current = run.native.start(node_id, iteration, attempt, kind, cause, group, frame.thread, frame.worker)
    frame.current = current
    if group is not None and member_of is not None:
        member_of.members.append(current)
    run.tasks.append(current)
    if _state.listeners:
        _state.tell("task_started", current)
    return frame, current


def _pass(run: Run, node_id: str, kind: str | None, cause: Any, context: Any) -> int:
    """Which pass of its loop an execution is that was not the task's first."""
    last = run.passes[node_id]
    if kind in ("iteration", "jump"):
        return last + 1
    if kind != "successor" or type(cause) is not _native.TaskExecution:
        return last
    graph = context.graph.nx_graph()
    loops = run.loops
    if loops is None or loops.edges != graph.number_of_edges() or loops.nodes != graph.number_of_nodes():
        loops = run.loops = Loops(graph, context.start_node)
    if (cause.task_id, node_id) in loops.back:
        return last + 1
    if loops.loop_of.get(cause.task_id) == loops.loop_of.get(node_id):
        return cause.iteration
    return last


def end(frame: Frame, current: Any, context: Any) -> None:
    """The attempt came to its end."""
    if frames.get(id(context)) is not frame:
        return
    try:
        frame.current = None
        if current is None:
            return
        frame.last = current
        if type(current) is Group:
            _settle(current, frame)
            return
        if context._cancel_called_in_current_task:
            current.cancel(context.ctrl_message)
            event = "task_cancelled"
        else:
            current.complete()
            event = "task_completed"
        if _state.listeners:
            _state.tell(event, current)
    except Exception:
        fault()


@guarded
def fail(frame: Frame, current: Any, context: Any, error: BaseException) -> None:
    """The attempt failed."""
    if frames.get(id(context)) is not frame:
        return
    frame.current = None
    if current is None:
        return
    frame.last = current
    if type(current) is Group:
        _settle(current, frame)
        return
    if frame.unresolved and isinstance(error, TypeError):
        for parameter in frame.unresolved:
            key = f"{parameter}.__result__"
            frame.run.native.read(current, key, None, None, parameter, True)
    if isinstance(error, KeyboardInterrupt):
        current.cancel("interrupted by KeyboardInterrupt")
    elif _is_feedback_timeout(error):
        # It waits, and goes on from the checkpoint in another run.
        return
    else:
        data = error_data(error)
        current.fail(data["type"], data["message"], data.get("traceback"))
    if _state.listeners:
        _state.tell("task_failed", current)


def _settle(group: Group, frame: Frame) -> None:
    """What follows a group is led to by its members, the last attempt of each."""
    if frame.group is group:
        frame.group = None
    last: dict[str, Any] = {}
    for member in group.members:
        last[member if isinstance(member, str) else f"{member.task_id}#{member.iteration}"] = member
    group.members = list(last.values())
    outer = frame.member_of
    if outer is not None and group.group_id in outer.member_ids:
        outer.members.extend(group.members)


def _is_feedback_timeout(error: BaseException) -> bool:
    return type(error).__name__ == "FeedbackTimeoutError"


def text_of(error: BaseException) -> str:
    """The message of an error, whatever its ``__str__`` does."""
    try:
        return str(error)
    except Exception:
        return "the message of the error raised an error itself"


def error_data(error: BaseException) -> dict[str, Any]:
    """Type, message and traceback of an error, without our own frames."""
    data = {"type": type(error).__name__, "message": text_of(error)}
    try:
        summary = traceback.TracebackException.from_exception(error, limit=-50)
        chain: Any = summary
        while chain is not None:
            chain.stack = traceback.StackSummary.from_list(
                [line for line in chain.stack if "graflow_lineage" not in line.filename]
            )
            chain = chain.__cause__ or chain.__context__
        data["traceback"] = "".join(summary.format())
    except Exception:
        pass
    return data


# --- what leads to what ----------------------------------------------------------------------------------------------


def queued(context: Any, executable: Any) -> None:
    """A task is queued: remembers what led to it."""
    frame = frames.get(id(context))
    if frame is None:
        return
    try:
        _queued(frame, executable)
    except Exception:
        fault()


def _queued(frame: Frame, executable: Any) -> None:
    frame.expected += 1
    kind = frame.next_kind
    cause = frame.last
    if kind is not None:
        if frame.current is not None:
            cause = frame.current
    elif frame.retrying:
        kind = "retry"
    else:
        kind = "successor"
    if cause is None:
        return
    task_id = executable.task_id
    before = frame.pending.get(task_id)
    if before is None:
        frame.pending[task_id] = (kind, cause)
    elif isinstance(before, list):
        before.append((kind, cause))
    else:
        frame.pending[task_id] = [before, (kind, cause)]


@guarded
def before_next_task(context: Any, executable: Any, is_iteration: bool) -> Frame | None:
    """A task adds another one, or jumps to one."""
    frame = frames.get(id(context))
    if frame is None:
        return None
    run = frame.run
    task_id = executable.task_id
    current = frame.current
    source = current.task_id if type(current) is _native.TaskExecution else None
    if is_iteration:
        # In a loop, the task that asks is what is repeated; it may as well ask for another.
        asks = source is not None and task_id.startswith(f"{source}_cycle_")
        node_id = source if source is not None and asks else _CYCLE.sub("", task_id) or task_id
        run.iterations[task_id] = node_id
        frame.next_kind = "iteration"
        declare_edge(run, node_id, node_id, "iteration")
    elif task_id in run.nodes:
        frame.next_kind = "jump"
        if source is not None:
            declare_edge(run, source, task_id, "jump")
    else:
        frame.next_kind = "dynamic"
        declare_node(run, executable, task_id, source)
    return frame


@guarded
def after_next_task(frame: Frame) -> None:
    """The task was queued."""
    frame.next_kind = None


@guarded
def before_retry(task_id: str, error: BaseException, context: Any) -> Frame | None:
    """An attempt failed, and may be tried again."""
    frame = frames.get(id(context))
    if frame is None:
        return None
    if context.retry_controller.accept_retry(task_id):
        frame.retrying = True
        if type(frame.last) is _native.TaskExecution:
            frame.last.retry(text_of(error), None)
            frame.run.retried.append(frame.last)
    return frame


@guarded
def after_retry(frame: Frame) -> None:
    """The attempt was queued again, or was the last."""
    frame.retrying = False


@guarded
def before_group(group_id: str, tasks: list[Any], context: Any) -> None:
    """A group begins."""
    frame = frames.get(id(context))
    if frame is not None and type(frame.current) is Group and frame.current.group_id == group_id:
        frame.current.member_ids = frozenset(task.task_id for task in tasks)
        frame.group = frame.current


# --- copies of the channel -------------------------------------------------------------------------------------------


@guarded
def mute(context: Any) -> Frame | None:
    """What graflow itself reads and writes from now on is not the user's."""
    frame = frames.get(id(context))
    if frame is not None:
        frame.muted += 1
    return frame


@guarded
def unmute(frame: Frame | None) -> None:
    """The user's again."""
    if frame is not None:
        frame.muted -= 1


@guarded
def branched(frame: Frame | None, branch: Any) -> None:
    """A branch has copied the channel: its values are those that were there."""
    if frame is not None:
        frame.branches[id(branch)] = (dict(frame.versions), None)


@guarded
def merged(frame: Frame | None, branch: Any) -> None:
    """A branch's copy was written back, what it had not touched as well."""
    if frame is None:
        return
    base, ended = frame.branches.pop(id(branch), ({}, None))
    if ended is None:
        return
    writer = ended.last if type(ended.last) is _native.TaskExecution else None
    for key, write in ended.versions.items():
        before = frame.versions.get(key)
        if write is base.get(key) and before is not write and before is not None:
            # Another branch had written it meanwhile; the old value is back, and that write is lost.
            value = ended.context.channel.data.get(key) if hasattr(ended.context.channel, "data") else None
            frame.run.native.write(writer, key, value, True, None, settings.policy(frame.run, None, key))
        frame.versions[key] = write
