"""Hooks around redis groups: what is sent to workers belongs to the run that sent it.

The two sides meet at a key beside graflow's own, which a worker without this package never looks at. It ends by itself
after a day.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from graflow_lineage import _native, _state
from graflow_lineage._engine import guarded
from graflow_lineage._install import replace
from graflow_lineage._state import Frame, Group, Run

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 86_400


def coordinator(module: Any) -> None:
    """The side that sends."""

    def make(plain: Callable[..., Any]) -> Callable[..., Any]:
        def execute_group(self: Any, group_id: str, tasks: Any, execution_context: Any, policy: Any) -> Any:
            key = _sent(self, group_id, tasks, execution_context)
            try:
                return plain(self, group_id, tasks, execution_context, policy)
            finally:
                if key is not None:
                    _came_back(self, key, execution_context)

        return execute_group

    replace(module.RedisCoordinator, "execute_group", make)


@guarded
def _sent(coordinator: Any, group_id: str, tasks: Any, context: Any) -> str | None:
    frame = _state.frames.get(id(context))
    if frame is None or frame.group is None:
        return None
    key = _key(coordinator.task_queue.key_prefix, context.session_id, group_id)
    group = frame.group
    cause: Any = group.cause
    causes: list[Any] = cause.members if type(cause) is Group else cause if isinstance(cause, list) else [cause]
    native = frame.run.native
    told = {
        "execution_id": native.execution_id,
        "workflow_name": native.workflow_name,
        "causes": [cause if isinstance(cause, str) else cause.id for cause in causes if cause is not None],
        "members": [task.task_id for task in tasks],
        "iterations": frame.run.iterations,
        "hidden": sorted(frame.run.hidden),
    }
    coordinator.redis.set(key, json.dumps(told), ex=_SECONDS)
    return key


@guarded
def _came_back(coordinator: Any, key: str, context: Any) -> None:
    frame = _state.frames.get(id(context))
    if frame is not None and frame.group is not None:
        ended = coordinator.redis.hvals(f"{key}:ended")
        frame.group.members.extend(one.decode() if isinstance(one, bytes) else one for one in ended)
    # What the workers wrote is not known here; a read is joined to its write by the server.
    if frame is not None:
        frame.versions.clear()


def worker(module: Any) -> None:
    """The side that works."""

    def make(plain: Callable[..., Any]) -> Callable[..., Any]:
        def _process_task_wrapper(self: Any, task_spec: Any) -> Any:
            outer = _state.local.joining
            _state.local.joining = (self, task_spec)
            try:
                return plain(self, task_spec)
            finally:
                _state.local.joining = outer

        return _process_task_wrapper

    replace(module.TaskWorker, "_process_task_wrapper", make)


def join(context: Any) -> Frame:
    """A run that another process began."""
    taker, spec = _state.local.joining
    redis = taker.queue.redis_client
    key = _key(taker.queue.key_prefix, context.session_id, spec.group_id or "")
    text = redis.get(key) if spec.group_id else None
    told = json.loads(text) if text else {}
    # Sent by a process that does not record: it is a run of its own kind, named by its session.
    execution_id = told.get("execution_id") or context.session_id
    name = told.get("workflow_name") or f"workflow_{context.session_id[:8]}"
    run = Run(_native.Run(name, execution_id), id(context))
    run.joined = True
    for task_id in context.graph.nodes:
        task = context.graph.get_node(task_id)
        run.nodes[task_id] = type(task).__name__
        if type(task).__name__ == "ParallelGroup":
            run.groups.add(task_id)
    run.iterations.update(told.get("iterations", {}))
    run.hidden.update(told.get("hidden", []))
    _native.open_execution(execution_id)
    frame = Frame(run, context)
    frame.worker = str(getattr(taker, "worker_id", "")) or None
    frame.thread = socket.gethostname()
    if spec.group_id:
        group = Group(spec.group_id, "member", told.get("causes") or None)
        group.member_ids = frozenset(told.get("members", [spec.task_id]))
        frame.member_of = group
    return frame


def part(frame: Frame) -> None:
    """The worker is done with its part of the run."""
    _native.close_execution(frame.run.native.execution_id)
    joining = _state.local.joining
    if joining is None or frame.member_of is None or not frame.member_of.members:
        return
    taker, spec = joining
    key = f"{_key(taker.queue.key_prefix, frame.context.session_id, spec.group_id)}:ended"
    last = frame.member_of.members[-1]
    taker.queue.redis_client.hset(key, spec.task_id, last if isinstance(last, str) else last.id)
    taker.queue.redis_client.expire(key, _SECONDS)


def _key(prefix: str, session_id: str, group_id: str) -> str:
    return f"{prefix}:lineage:{session_id}:{group_id}"
