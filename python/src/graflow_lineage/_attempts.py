"""What is rare in an attempt; what happens in each is native, in ``_native.begin`` and ``_native.end``."""

from __future__ import annotations

from typing import Any

from graflow_lineage import _native, _state
from graflow_lineage._faults import error_data, guarded
from graflow_lineage._parameters import unresolved
from graflow_lineage._state import Frame, Group, Loops, Run


@guarded
def fail(begun: tuple[Frame, Any], context: Any, error: BaseException) -> None:
    """The attempt failed."""
    current = _native.ended(begun, context)
    if current is None:
        return
    frame = begun[0]
    if isinstance(error, TypeError):
        for parameter in unresolved(frame, current):
            key = f"{parameter}.__result__"
            frame.run.native.read(current, key, None, None, parameter, True)
    if isinstance(error, KeyboardInterrupt):
        current.cancel("interrupted by KeyboardInterrupt")
    elif type(error).__name__ == "FeedbackTimeoutError":
        # It waits, and goes on from the checkpoint in another run.
        return
    else:
        data = error_data(error)
        current.fail(data["type"], data["message"], data.get("traceback"))
    if _state.listeners:
        _state.tell("task_failed", current)


def following_pass(run: Run, node_id: str, cause: _native.TaskExecution, context: Any) -> int:
    """Which pass of its loop an execution is that follows another task, and was not the task's first."""
    last = run.passes[node_id]
    graph = context.graph.nx_graph()
    loops = run.loops
    if loops is None or loops.edges != graph.number_of_edges() or loops.nodes != graph.number_of_nodes():
        loops = run.loops = Loops(graph, context.start_node)
    if (cause.task_id, node_id) in loops.back:
        return last + 1
    if loops.loop_of.get(cause.task_id) == loops.loop_of.get(node_id):
        return cause.iteration
    return last


def settle(group: Group, frame: Frame) -> None:
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
