"""What goes wrong: in a hook, where it stays, and in a task, where it is told of."""

from __future__ import annotations

import functools
import traceback
from typing import TYPE_CHECKING, Any

from graflow_lineage._settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which gives None instead of raising."""

    @functools.wraps(function)
    def careful(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            fault(error)
            return None

    return careful


def fault(error: BaseException) -> None:
    """Counts what went wrong in a hook."""
    settings.faults += 1
    settings.last_fault = "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=8))


def text_of(error: BaseException) -> str:
    """The message of an error, whatever its ``__str__`` does."""
    try:
        return str(error)
    except Exception:
        return "the message of the error raised an error itself"


def error_data(error: BaseException) -> dict[str, Any]:
    """Type, message and traceback of an error, without our own frames."""
    data = {"type": type(error).__name__, "message": text_of(error)}
    try:
        summary = traceback.TracebackException.from_exception(error, limit=-50)
        chain: Any = summary
        while chain is not None:
            chain.stack = traceback.StackSummary.from_list(
                [line for line in chain.stack if "graflow_lineage" not in line.filename]
            )
            chain = chain.__cause__ or chain.__context__
        data["traceback"] = "".join(summary.format())
    except Exception:
        pass
    return data
