"""What this process recorded, as objects: the last hundred runs, their task executions and their graphs.

The store that keeps every run for good is the server's; ask it with :class:`graflow_lineage.Client`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from graflow_lineage import _native, _state
from graflow_lineage._engine import error_data
from graflow_lineage._settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import networkx

__all__ = ["LineageManager", "TaskExecutionInfo", "WorkflowExecution", "get_lineage_manager"]


@dataclass
class TaskExecutionInfo:
    """One attempt of one pass of a task. As in the source of this API, ``execution_id`` is its own id."""

    task_id: str
    execution_id: str
    start_time: datetime
    end_time: datetime | None = None
    status: str = "pending"
    duration: float | None = None
    result_size: int | None = None
    error_message: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class WorkflowExecution:
    """One run of a workflow."""

    execution_id: str
    workflow_name: str
    start_time: datetime
    end_time: datetime | None = None
    status: str = "running"
    total_tasks: int = 0
    completed_tasks: int = 0
    failed_tasks: int = 0


class LineageManager:
    """Looks at the runs of this process, and records runs that no engine drives."""

    @property
    def executions(self) -> dict[str, WorkflowExecution]:
        """The last runs by id, oldest first."""
        return {run.native.execution_id: _workflow_execution(run) for run in list(_state.runs)}

    @property
    def task_executions(self) -> dict[str, TaskExecutionInfo]:
        """Their task executions by id, oldest first; of each run the last ten thousand."""
        return {task.id: _task_execution(task) for run in list(_state.runs) for task in list(run.tasks)}

    @property
    def current_execution(self) -> str | None:
        """The run that the caller is in; outside of any, the newest one that has not ended."""
        frame = _state.local.frame
        if frame is not None:
            return frame.run.native.execution_id
        running = [run for run in list(_state.runs) if run.status == "running"]
        return running[-1].native.execution_id if running else None

    @property
    def graph(self) -> networkx.DiGraph[str]:
        """The graph of the current run, or else of the last one; a copy. It needs networkx, which graflow brings."""
        import networkx

        graph: networkx.DiGraph[str] = networkx.DiGraph()
        run = self._run()
        if run is None:
            return graph
        created_at = _moment(run.started_us).isoformat()
        for node_id, task_type in list(run.nodes.items()):
            data = {"task_type": task_type, "status": "pending", "created_at": created_at}
            graph.add_node(node_id, **data)
        for key, kind in list(run.edges.items()):
            graph.add_edge(key[0], key[1], kind=kind)
        for task in list(run.tasks):
            info = _task_execution(task)
            if info.task_id not in graph:
                graph.add_node(info.task_id)
            node = graph.nodes[info.task_id]
            node["status"] = info.status
            node["current_execution"] = info.execution_id
            if info.duration is not None:
                node["last_duration"] = info.duration
            if info.error_message is not None:
                node["error"] = info.error_message
        return graph

    def get_graph_snapshot(self) -> dict[str, Any]:
        """The graph as data that JSON can hold."""
        graph = self.graph
        return {
            "nodes": [{"id": node_id, "data": dict(data)} for node_id, data in graph.nodes(data=True)],
            "edges": [
                {"source": source, "target": target, "data": dict(data)}
                for source, target, data in graph.edges(data=True)
            ],
        }

    def add_listener(self, callback: Callable[[str, Any], None]) -> None:
        """Calls ``callback(event_type, data)`` at each start and end of a run or task execution, in the thread where
        it happens. What it raises is not the workflow's concern."""

        def tell(event_type: str, native: Any) -> None:
            data = _workflow_execution(native) if isinstance(native, _state.Run) else _task_execution(native)
            callback(event_type, data)

        _state.listeners.append(tell)

    def start_workflow_execution(self, workflow_name: str, execution_context: Any) -> str:
        """Begins a run of that name on the context; an engine that executes the context afterwards carries it on.

        Without an engine, say what happens by :meth:`add_task_execution` and the others, and at the end call
        :meth:`complete_workflow_execution`.
        """
        from graflow_lineage import _engine

        frame = _engine.start_tracking(execution_context, workflow_name)
        return str(frame.run.native.execution_id)

    def complete_workflow_execution(self, execution_context: Any, error: BaseException | None = None) -> None:
        """Ends a run that no engine drives."""
        from graflow_lineage import _engine

        frame = self._frame(execution_context)
        _engine.end_tracking(frame, error)

    def add_task_execution(self, task_id: str, execution_context: Any) -> str:
        """A task begins. Gives the id of the task execution."""
        frame = self._frame(execution_context)
        run = frame.run
        iteration = run.passes[task_id] = run.passes.get(task_id, -1) + 1
        cause = frame.last
        task = run.native.start(task_id, iteration, 1, None if cause is None else "successor", cause)
        frame.by_hand.append((task, frame.current))
        frame.current = task
        run.tasks.append(task)
        _state.tell("task_started", task)
        return task.id

    def complete_task_execution(self, task_id: str, result: Any, execution_context: Any) -> None:
        """The task of that name that began last on this context came to its end."""
        frame = self._frame(execution_context)
        task = self._pop(frame, task_id)
        frame.run.native.write(task, f"{task_id}.__result__", result, True)
        task.complete()
        _state.tell("task_completed", task)

    def fail_task_execution(self, task_id: str, error: BaseException, execution_context: Any = None) -> None:
        """The task of that name that began last on this context, or where none is given in this thread, failed."""
        frame = _state.local.frame if execution_context is None else self._frame(execution_context)
        if frame is None:
            open_frames = [frame for frame in list(_state.frames.values()) if frame.by_hand]
            if len(open_frames) != 1:
                raise ValueError("more than one context is tracked, or none: say which one by execution_context")
            frame = open_frames[0]
        task = self._pop(frame, task_id)
        data = error_data(error)
        task.fail(data["type"], data["message"], data.get("traceback"))
        _state.tell("task_failed", task)

    def _pop(self, frame: _state.Frame, task_id: str) -> _native.TaskExecution:
        for at in range(len(frame.by_hand) - 1, -1, -1):
            task, before = frame.by_hand[at]
            if task.task_id == task_id:
                del frame.by_hand[at]
                frame.current = before
                frame.last = task
                return task
        raise ValueError(f"no execution of task `{task_id}` is open on this context")

    def _frame(self, execution_context: Any) -> _state.Frame:
        frame = _state.frames.get(id(execution_context))
        if frame is None:
            raise ValueError("no run is tracked on this context: call start_workflow_execution first")
        return frame

    def _run(self) -> _state.Run | None:
        current = self.current_execution
        runs = list(_state.runs)
        for run in runs:
            if run.native.execution_id == current:
                return run
        return runs[-1] if runs else None


_manager = LineageManager()


def get_lineage_manager() -> LineageManager:
    """The manager of this process; switches recording on."""
    if not settings.enabled:
        import graflow_lineage

        graflow_lineage.enable()
    return _manager


def _workflow_execution(run: _state.Run) -> WorkflowExecution:
    retried = {id(task) for task in run.retried}
    tasks = [task for task in list(run.tasks) if id(task) not in retried]
    return WorkflowExecution(
        execution_id=run.native.execution_id,
        workflow_name=run.native.workflow_name,
        start_time=_moment(run.started_us),
        end_time=None if run.end is None else _moment(run.end),
        status=run.status,
        total_tasks=len(tasks),
        completed_tasks=sum(task.status == "completed" for task in tasks),
        failed_tasks=sum(task.status == "failed" for task in tasks),
    )


def _task_execution(task: _native.TaskExecution) -> TaskExecutionInfo:
    start, took = _moment(task.started_us), task.took_us
    return TaskExecutionInfo(
        task_id=task.task_id,
        execution_id=task.id,
        start_time=start,
        end_time=None if took is None else start + timedelta(microseconds=took),
        status=task.status,
        duration=None if took is None else took / 1_000_000,
        result_size=task.result_size,
        error_message=task.error_message,
        metadata={
            "workflow_execution_id": task.execution_id,
            "iteration": task.iteration,
            "attempt": task.attempt,
        },
    )


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, timezone.utc)
