"""Runs, and the branches of them that groups make.

Each hook does its part before and after graflow's own method, and whatever goes wrong in it stays in it: a workflow
runs as if nobody looked on. :func:`guarded` says so once for all of them.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from graflow_lineage import _native, _state
from graflow_lineage._faults import error_data, fault, guarded, text_of
from graflow_lineage._graph import declare_added, declare_run
from graflow_lineage._settings import settings
from graflow_lineage._state import Frame, Run, channels, frames, local

# What other modules take from here.
__all__ = ["Entry", "end_tracking", "enter", "error_data", "fault", "guarded", "leave", "start_tracking", "text_of"]


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
        "labels": _prepared("labels", settings.labels) if settings.labels else None,
        "code": _prepared("code", settings.code()),
        "runtime": _prepared("runtime", settings.runtime()),
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
    if data["resumed_from"] is not None:
        # The run that waited is told: it waits no longer.
        resumed = _native.Run(str(origin.get("workflow_name") or name), data["resumed_from"])
        resumed.tell("workflow_resumed", {"resumed_by": run.native.execution_id})
    _state.runs.append(run)
    settings.executions.append(run.native.execution_id)
    declare_run(run, graph)
    _inputs(frame)
    if _state.listeners:
        _state.tell("workflow_started", run)
    return frame


# What every run tells alike -> what it was made of, and that written out.
_written_out: dict[str, tuple[dict[str, Any], _native.Prepared]] = {}


def _prepared(what: str, data: dict[str, Any]) -> _native.Prepared:
    known = _written_out.get(what)
    if known is None or known[0] != data:
        known = _written_out[what] = (dict(data), _native.Prepared(data))
    return known[1]


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
