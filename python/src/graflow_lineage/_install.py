"""Puts the hooks into graflow's classes as its modules are imported, and takes them out again.

Only classes are touched, and only by methods that call the one they replace. Nothing here imports graflow: a process
that does not use it never pays for it.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

#: Module of graflow -> the function of ours that hooks it, as `module:function`.
HOOKED = {
    "graflow.core.workflow": "_hooks:workflow",
    "graflow.core.engine": "_hooks:engine",
    "graflow.core.context": "_hooks:context",
    "graflow.core.task": "_hooks:task",
    "graflow.coordination.executor": "_hooks:executor",
    "graflow.core.checkpoint": "_hooks:checkpoint",
    "graflow.channels.memory_channel": "_channels:memory",
    "graflow.channels.redis_channel": "_channels:redis",
    "graflow.channels.factory": "_channels:factory",
    "graflow.hitl.manager": "_people:manager",
    "graflow.coordination.redis_coordinator": "_workers:coordinator",
    "graflow.worker.worker": "_workers:worker",
    "graflow.llm.client": "_models:client",
    "graflow.llm.agents.base": "_models:agent",
}

_replaced: list[tuple[Any, str, Any]] = []
_hooked: set[str] = set()


def replace(owner: Any, name: str, make: Callable[[Any], Callable[..., Any]]) -> None:
    """Replaces a method by what `make` makes of it, remembering the method."""
    plain = owner.__dict__.get(name) if isinstance(owner, type) else getattr(owner, name, None)
    if plain is None:
        # Another version of graflow: what it does not have is not recorded.
        return
    function = plain.__func__ if isinstance(plain, staticmethod) else plain
    hooked = functools.wraps(function)(make(function))
    _replaced.append((owner, name, plain))
    setattr(owner, name, staticmethod(hooked) if isinstance(plain, staticmethod) else hooked)


def add(owner: Any, name: str, method: Callable[..., Any]) -> None:
    """Adds a method that graflow's class does not have."""
    _replaced.append((owner, name, None))
    setattr(owner, name, method)


def hook(module_name: str) -> None:
    """Hooks one module of graflow, once."""
    if module_name in _hooked:
        return
    _hooked.add(module_name)
    where, _, function = HOOKED[module_name].partition(":")
    try:
        import importlib

        ours = importlib.import_module(f"graflow_lineage.{where}")
        getattr(ours, function)(sys.modules[module_name])
    except Exception:
        from graflow_lineage._settings import settings

        settings.faults += 1


class Finder:
    """Finds nothing itself, and hooks what others find."""

    def __init__(self) -> None:
        self._asking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec, with a loader that hooks it once it has run."""
        if name not in HOOKED or self._asking:
            return None
        self._asking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asking = False
        if spec is not None and spec.loader is not None and hasattr(spec.loader, "exec_module"):
            _wrap(spec.loader, name)
        return spec


def _wrap(loader: Loader, name: str) -> None:
    plain = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        plain(module)
        hook(name)

    loader.exec_module = exec_module  # type: ignore[method-assign]


_finder = Finder()


def install() -> None:
    """Hooks what is imported already, and what will be."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    for name in HOOKED:
        module = sys.modules.get(name)
        # A module that is being imported is hooked when it is whole.
        if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
            hook(name)


def uninstall() -> None:
    """Gives every class its own methods back."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    while _replaced:
        owner, name, plain = _replaced.pop()
        if plain is None:
            delattr(owner, name)
        else:
            setattr(owner, name, plain)
    _hooked.clear()
