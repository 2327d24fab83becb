"""Parameters that graflow fills by name from the channel."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from graflow_lineage import _state
from graflow_lineage._faults import fault

if TYPE_CHECKING:
    from collections.abc import Callable

_INJECTED = ("llm_client", "llm_agent")


def make_resolve(plain: Callable[..., Any]) -> Callable[..., Any]:
    """The hooked method."""
    frames = _state.frames

    def _resolve_keyword_args_from_channel(self: Any, exec_context: Any) -> Any:
        frame = frames.get(id(exec_context)) if self.resolve_keyword_args else None
        if frame is None:
            return plain(self, exec_context)
        frame.resolving = True
        try:
            resolved = plain(self, exec_context)
        finally:
            frame.resolving = False
        try:
            # Names only: a value is not kept alive. Which are missing is looked into only when the task fails for it.
            frame.resolution = (frame.current, self, tuple(resolved))
        except Exception as error:
            fault(error)
        return resolved

    return _resolve_keyword_args_from_channel


def unresolved(frame: _state.Frame, current: Any) -> list[str]:
    """Parameters of an attempt that have no default and found no value."""
    if frame.resolution is None or frame.resolution[0] is not current:
        return []
    _, task, resolved = frame.resolution
    required = _required(task._original_func)
    return [
        name
        for name in (required[1:] if task.inject_context else required)
        if name not in resolved and name not in task._bound_kwargs and name not in _INJECTED
    ]


def _required(function: Any) -> list[str]:
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]
