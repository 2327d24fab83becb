"""Graflow Lineage for graflow's Python users: what your workflows really did, without a change to them.

Installed means on. ``GRAFLOW_LINEAGE=0`` in the environment switches it off; :func:`enable` and :func:`disable` do so
in code. Everything else is imported when it is first used, since this module is imported by every interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graflow_lineage.client import Client
    from graflow_lineage.manager import LineageManager, TaskExecutionInfo, WorkflowExecution, get_lineage_manager
    from graflow_lineage.notebook import show
    from graflow_lineage.tracer import LineageTracer

__all__ = [
    "Client",
    "LineageManager",
    "LineageTracer",
    "TaskExecutionInfo",
    "WorkflowExecution",
    "disable",
    "enable",
    "flush",
    "get_lineage_manager",
    "is_enabled",
    "link",
    "show",
    "task",
]

_LATER = {
    "Client": "client",
    "LineageManager": "manager",
    "LineageTracer": "tracer",
    "TaskExecutionInfo": "manager",
    "WorkflowExecution": "manager",
    "get_lineage_manager": "manager",
    "show": "notebook",
}


def enable(
    *,
    url: str | None = None,
    token: str | None = None,
    data_dir: str | None = None,
    project: str | None = None,
    values: str | None = None,
    rules: Sequence[tuple[str, str, str, str]] | None = None,
    redact: Callable[[str, Any], Any] | None = None,
    labels: Mapping[str, str] | None = None,
    prints: bool | None = None,
) -> None:
    """Records every workflow from now on. What is not said here is taken from the environment.

    :param url: the server; without one, that of the data folder, and while there is none, the folder's spool.
    :param token: the server's bearer token.
    :param data_dir: the data folder.
    :param project: whose events these are.
    :param values: how much is told of values: ``off``, ``metadata``, ``preview`` or ``full``.
    :param rules: ``(workflow, task, key, policy)`` with patterns as in a shell; the first that fits counts.
    :param redact: called as ``redact(key, value)``; what it returns is recorded instead of the value.
    :param labels: what every run is labelled with.
    :param prints: whether what tasks print is kept as log lines.
    :raises ValueError: when an address, a policy or a rule is none.
    """
    import os

    from graflow_lineage import _install, _logs, _native
    from graflow_lineage._settings import settings
    from graflow_lineage._waiting import stop_waiting

    stop_waiting()
    _native.configure(
        url=url,
        token=token,
        data_dir=data_dir,
        project=project,
        values=values or (None if settings.enabled else os.environ.get("GRAFLOW_LINEAGE_VALUES") or None),
    )
    if rules is not None:
        settings.set_rules(rules)
    if redact is not None:
        settings.redact = redact
    if labels is not None:
        settings.labels = {**settings.labels, **{str(name): str(value) for name, value in labels.items()}}
    if prints is not None:
        settings.record_print = prints
    _install.install()
    if not settings.enabled:
        settings.enabled = True
        _logs.install()


def disable() -> None:
    """Records no further workflow, and gives graflow its own methods back."""
    from graflow_lineage import _install
    from graflow_lineage._settings import settings
    from graflow_lineage._waiting import stop_waiting

    stop_waiting()
    _install.uninstall()
    settings.enabled = False


def is_enabled() -> bool:
    """Whether workflows are recorded."""
    from graflow_lineage._settings import settings

    return settings.enabled


def flush(seconds: float = 5.0) -> str:
    """Waits until everything recorded so far is kept: ``delivered``, ``spooled`` or ``incomplete``."""
    from graflow_lineage import _native

    return _native.flush(seconds)


def link() -> str | None:
    """The page of the last run of this process, where a server shows it."""
    from graflow_lineage import _native
    from graflow_lineage._settings import settings

    url = _native.server_url()
    if url is None or not settings.executions:
        return None
    return f"{url}/executions/{settings.executions[-1]}"


def task(*arguments: Any, track_lineage: bool = True, name: str | None = None, **named: Any) -> Any:
    """graflow's ``@task``, with ``track_lineage=False`` for a task whose executions and values are not to be told.

    ``name`` is another word for graflow's ``id``.
    """
    from graflow.core.decorators import task as plain

    if name is not None:
        named.setdefault("id", name)
    if len(arguments) == 1 and callable(arguments[0]) and not named:
        return plain(_marked(arguments[0], track_lineage))

    def decorate(function: Callable[..., Any]) -> Any:
        if arguments and callable(arguments[0]):
            return plain(_marked(arguments[0], track_lineage), **named)
        return plain(*arguments, **named)(_marked(function, track_lineage))

    if arguments and callable(arguments[0]):
        return decorate(arguments[0])
    return decorate


def _marked(function: Callable[..., Any], track_lineage: bool) -> Callable[..., Any]:
    if not track_lineage:
        # On the function itself: it goes with the task to wherever it runs, and means nothing to anybody else.
        function.__track_lineage__ = False  # type: ignore[attr-defined]
    return function


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module 'graflow_lineage' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"graflow_lineage.{module}"), name)
