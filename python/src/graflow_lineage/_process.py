"""What a process goes through: forks, its end, and pickles that leave it."""

from __future__ import annotations

import atexit
import os
from typing import Any

from graflow_lineage import _native, _state
from graflow_lineage._engine import guarded

# A process that ends waits this long at the most for what it holds to be kept.
_AT_EXIT_SECONDS = 2.0
_AT_OS_EXIT_SECONDS = 1.0

# Where a context's origin lies in its pickle: plain data, which means nothing where this package is not installed.
_ORIGIN = "_graflow_lineage_origin"

_prepared = False


def prepare() -> None:
    """Looks after the process, once."""
    global _prepared
    if _prepared:
        return
    _prepared = True
    atexit.register(_native.flush, _AT_EXIT_SECONDS)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
    plain_exit = os._exit

    def _exit(status: int) -> None:
        # It runs no exit handlers, and multiprocessing ends its children by it.
        if _native.statistics():
            _native.flush(_AT_OS_EXIT_SECONDS)
        plain_exit(status)

    os._exit = _exit  # type: ignore[assignment]


def _after_fork() -> None:
    _state.after_fork_in_child()
    _native.after_fork_in_child()


@guarded
def _origin(context: Any, frame: _state.Frame | None) -> dict[str, Any] | None:
    if frame is not None:
        native = frame.run.native
        return {"execution_id": native.execution_id, "workflow_name": native.workflow_name}
    name = _state.names.get(context.graph)
    return None if name is None else {"workflow_name": name}


def into_pickle(context: Any, frame: _state.Frame | None, state: Any) -> Any:
    """Lets a context's pickle say which run it is of."""
    origin = _origin(context, frame) or _state.origins.get(context)
    if origin is not None and type(state) is dict:
        state[_ORIGIN] = origin
    return state


@guarded
def out_of_pickle(context: Any) -> None:
    """Takes what the pickle says, and leaves the context as graflow made it."""
    origin = context.__dict__.pop(_ORIGIN, None)
    if type(origin) is dict:
        _state.origins[context] = origin
