"""What leads to what: tasks that tasks add, retries, and groups."""

from __future__ import annotations

import re
from typing import Any

from graflow_lineage import _native
from graflow_lineage._faults import guarded, text_of
from graflow_lineage._graph import declare_edge, declare_node
from graflow_lineage._state import Frame, Group, frames

_CYCLE = re.compile(r"(_cycle_\d+_[0-9a-f]+)+$")


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
def before_group(group_id: str, tasks: list[Any], context: Any) -> None:
    """A group begins."""
    frame = frames.get(id(context))
    if frame is not None and type(frame.current) is Group and frame.current.group_id == group_id:
        frame.current.member_ids = frozenset(task.task_id for task in tasks)
        frame.group = frame.current
