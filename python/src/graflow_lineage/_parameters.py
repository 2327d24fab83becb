"""Parameters that graflow fills by name from the channel."""

from __future__ import annotations

import inspect
import weakref
from typing import TYPE_CHECKING, Any

from graflow_lineage import _state
from graflow_lineage._faults import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

# Function -> the parameters that have no default.
_required: weakref.WeakKeyDictionary[Any, tuple[str, ...]] = weakref.WeakKeyDictionary()


def make_resolve(plain: Callable[..., Any]) -> Callable[..., Any]:
    """The hooked method."""

    def _resolve_keyword_args_from_channel(self: Any, exec_context: Any) -> Any:
        # Most tasks take nothing from the channel.
        frame = _state.frames.get(id(exec_context)) if self.resolve_keyword_args else None
        if frame is None:
            return plain(self, exec_context)
        frame.resolving = True
        try:
            resolved = plain(self, exec_context)
        finally:
            frame.resolving = False
        _after(self, frame, resolved)
        return resolved

    return _resolve_keyword_args_from_channel


@guarded
def _after(task: Any, frame: _state.Frame, resolved: dict[str, Any]) -> None:
    """Remembers what found no value; a task that fails for it says so."""
    function = task._original_func
    required = _required.get(function)
    if required is None:
        required = _required[function] = _required_of(function)
    skip = 1 if task.inject_context else 0
    names = required[skip:] if skip else required
    frame.unresolved = [
        name
        for name in names
        if name not in resolved and name not in task._bound_kwargs and name not in ("llm_client", "llm_agent")
    ]


def _required_of(function: Any) -> tuple[str, ...]:
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty)
