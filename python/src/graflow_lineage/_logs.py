"""Log lines, and on request what is printed, under the task execution that wrote them.

No handler is added: that would make ``logging.basicConfig`` do nothing. The user's output is what it was.
"""

from __future__ import annotations

import builtins
import logging
import sys
from typing import TYPE_CHECKING, Any

from graflow_lineage import _state
from graflow_lineage._engine import guarded
from graflow_lineage._install import replace
from graflow_lineage._settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable


def install() -> None:
    """Follows ``logging``, and ``print`` where that is wanted."""

    def make(plain: Callable[..., Any]) -> Callable[..., Any]:
        def callHandlers(self: Any, record: logging.LogRecord) -> Any:  # noqa: N802 - logging's name
            if _state.local.frame is not None:
                _logged(record)
            return plain(self, record)

        return callHandlers

    replace(logging.Logger, "callHandlers", make)
    if settings.record_print:

        def make_print(plain: Callable[..., Any]) -> Callable[..., Any]:
            def print(*values: Any, **named: Any) -> None:  # noqa: A001 - the builtin's name
                plain(*values, **named)
                if _state.local.frame is not None and named.get("file") in (None, sys.stdout, sys.stderr):
                    _printed(values, named)

            return print

        replace(builtins, "print", make_print)


@guarded
def _logged(record: logging.LogRecord) -> None:
    task = _state.current_task()
    if task is None or (record.name.startswith("graflow.") and record.levelno < logging.WARNING):
        return
    task.log(record.levelname.lower(), record.name, record.getMessage(), record.filename, record.lineno)


@guarded
def _printed(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    task = _state.current_task()
    if task is not None:
        separator = named.get("sep")
        text = (" " if separator is None else separator).join(str(value) for value in values)
        task.log("info", "print", text)
