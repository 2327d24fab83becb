"""The hooks themselves: graflow's methods, with ours before and after. As little as can be stands here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graflow_lineage import _attempts, _copies, _engine, _leads, _native, _parameters, _process, _state
from graflow_lineage._install import add, replace

if TYPE_CHECKING:
    from collections.abc import Callable


def workflow(module: Any) -> None:
    """A workflow knows its name, its graph does not."""

    def make(plain: Callable[..., Any]) -> Callable[..., Any]:
        def initialize(self: Any, *arguments: Any, **named: Any) -> None:
            plain(self, *arguments, **named)
            try:
                _state.names[self.graph] = str(self.name)
            except Exception:
                return

        return initialize

    replace(module.WorkflowContext, "__init__", make)


def engine(module: Any) -> None:
    """Runs and attempts."""
    _process.prepare()
    begin, end, fail = _native.begin, _native.end, _attempts.fail
    enter, leave = _engine.enter, _engine.leave

    def make_execute(plain: Callable[..., Any]) -> Callable[..., Any]:
        def execute(self: Any, context: Any, start_task_id: str | None = None) -> Any:
            entry = enter(context, start_task_id)
            if entry is None:
                return plain(self, context, start_task_id)
            try:
                result = plain(self, context, start_task_id)
            except BaseException as error:
                leave(entry, context, error)
                raise
            leave(entry, context, None)
            return result

        return execute

    def make_execute_task(plain: Callable[..., Any]) -> Callable[..., Any]:
        def _execute_task(self: Any, task: Any, context: Any) -> Any:
            begun = begin(task, context)
            if begun is None:
                return plain(self, task, context)
            try:
                result = plain(self, task, context)
            except BaseException as error:
                fail(begun, context, error)
                raise
            end(begun, context)
            return result

        return _execute_task

    def make_retry(plain: Callable[..., Any]) -> Callable[..., Any]:
        def _handle_task_retry(self: Any, task_id: str, task: Any, error: Exception, context: Any) -> Any:
            frame = _leads.before_retry(task_id, error, context)
            try:
                return plain(self, task_id, task, error, context)
            finally:
                if frame is not None:
                    frame.retrying = False

        return _handle_task_retry

    def make_timeout(plain: Callable[..., Any]) -> Callable[..., Any]:
        def _handle_feedback_timeout(self: Any, error: Any, task_id: str, task: Any, context: Any) -> Any:
            result = plain(self, error, task_id, task, context)
            frame = _state.frames.get(id(context))
            if frame is not None and frame.parent is None:
                frame.run.waiting = True
            return result

        return _handle_feedback_timeout

    replace(module.WorkflowEngine, "execute", make_execute)
    replace(module.WorkflowEngine, "_execute_task", make_execute_task)
    replace(module.WorkflowEngine, "_handle_task_retry", make_retry)
    replace(module.WorkflowEngine, "_handle_feedback_timeout", make_timeout)


def context(module: Any) -> None:
    """What leads to what, and graflow's own copies."""
    queued, mute, unmute = _native.queued, _copies.mute, _native.unmute

    def make_add(plain: Callable[..., Any]) -> Callable[..., Any]:
        def add_to_queue(self: Any, executable: Any) -> Any:
            queued(self, executable)
            return plain(self, executable)

        return add_to_queue

    def make_next(plain: Callable[..., Any]) -> Callable[..., Any]:
        def next_task(self: Any, executable: Any, goto: bool = False, _is_iteration: bool = False) -> Any:
            frame = _leads.before_next_task(self, executable, _is_iteration)
            try:
                return plain(self, executable, goto, _is_iteration)
            finally:
                if frame is not None:
                    frame.next_kind = None

        return next_task

    def make_branch(plain: Callable[..., Any]) -> Callable[..., Any]:
        def create_branch_context(self: Any, branch_id: str) -> Any:
            frame = mute(self)
            try:
                branch = plain(self, branch_id)
            finally:
                if frame is not None:
                    unmute(frame)
            _copies.branched(frame, branch)
            return branch

        return create_branch_context

    def make_merge(plain: Callable[..., Any]) -> Callable[..., Any]:
        def merge_results(self: Any, sub_context: Any) -> None:
            frame = mute(self)
            try:
                plain(self, sub_context)
            finally:
                if frame is not None:
                    unmute(frame)
            _copies.merged(frame, sub_context)

        return merge_results

    def make_getstate(plain: Callable[..., Any]) -> Callable[..., Any]:
        def getstate(self: Any) -> Any:
            frame = mute(self)
            try:
                state = plain(self)
            finally:
                if frame is not None:
                    unmute(frame)
            return _process.into_pickle(self, frame, state)

        return getstate

    def make_setstate(plain: Callable[..., Any]) -> Callable[..., Any]:
        def setstate(self: Any, state: Any) -> None:
            plain(self, state)
            _process.out_of_pickle(self)

        return setstate

    def start_workflow_tracking(self: Any, workflow_name: str) -> None:
        """Begins a run of that name; the engine that executes this context next carries it on."""
        _engine.start_tracking(self, workflow_name)

    if not hasattr(module.ExecutionContext, "start_workflow_tracking"):
        add(module.ExecutionContext, "start_workflow_tracking", start_workflow_tracking)
    replace(module.ExecutionContext, "add_to_queue", make_add)
    replace(module.ExecutionContext, "next_task", make_next)
    replace(module.ExecutionContext, "create_branch_context", make_branch)
    replace(module.ExecutionContext, "merge_results", make_merge)
    replace(module.ExecutionContext, "__getstate__", make_getstate)
    replace(module.ExecutionContext, "__setstate__", make_setstate)


def task(module: Any) -> None:
    """Parameters that graflow fills from the channel."""
    replace(module.TaskWrapper, "_resolve_keyword_args_from_channel", _parameters.make_resolve)


def executor(module: Any) -> None:
    """Groups."""

    def make(plain: Callable[..., Any]) -> Callable[..., Any]:
        def execute_parallel_group(group_id: str, tasks: Any, exec_context: Any, **named: Any) -> Any:
            _leads.before_group(group_id, tasks, exec_context)
            return plain(group_id, tasks, exec_context, **named)

        return execute_parallel_group

    replace(module.GroupExecutor, "execute_parallel_group", make)


def checkpoint(module: Any) -> None:
    """Nothing of its own: what a checkpoint needs travels in the context's pickle."""
