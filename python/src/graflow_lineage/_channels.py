"""Hooks around channels: what tasks write and read."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from graflow_lineage import _native, _state
from graflow_lineage._faults import fault, guarded
from graflow_lineage._install import replace
from graflow_lineage._settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable

_MISSING = object()
_channels = _state.channels
_TaskExecution = _native.TaskExecution
_mute, _unmute, _written, _found = _native.mute, _native.unmute, _native.written, _native.found


def memory(module: Any) -> None:
    """Channels in memory."""
    hook(module.MemoryChannel)


def redis(module: Any) -> None:
    """Channels in redis."""
    hook(module.RedisChannel)


def factory(module: Any) -> None:
    """Channels of the user's own."""

    def make(plain: Callable[..., Any]) -> Callable[..., Any]:
        def register_backend(cls: Any, name: str, channel_class: Any) -> None:
            plain(cls, name, channel_class)
            hook(channel_class)

        return register_backend

    plain = module.ChannelFactory.__dict__.get("register_backend")
    if isinstance(plain, classmethod):
        from graflow_lineage import _install

        _install._replaced.append((module.ChannelFactory, "register_backend", plain))
        module.ChannelFactory.register_backend = classmethod(make(plain.__func__))


def hook(channel_class: Any) -> None:
    """Hooks the methods that a class of channels has itself."""
    replace(channel_class, "set", _make_set)
    replace(channel_class, "get", _make_get)
    replace(channel_class, "delete", _make_delete)
    for operation in ("append", "prepend", "atomic_add"):
        replace(channel_class, operation, functools.partial(_make_update, operation))


def _make_set(plain: Callable[..., Any]) -> Callable[..., Any]:
    def set(self: Any, key: str, value: Any, *rest: Any, **named: Any) -> Any:  # noqa: A001 - graflow's name
        frame = _mute(self)
        if frame is None:
            return plain(self, key, value, *rest, **named)
        try:
            result = plain(self, key, value, *rest, **named)
        except BaseException:
            _unmute(frame)
            raise
        if settings.rules or settings.redact is not None:
            _written_by_rule(frame, key, value)
        else:
            _written(frame, key, value)
        return result

    return set


def _written_by_rule(frame: Any, key: str, value: Any) -> None:
    try:
        task = frame.current
        shown, policy = _by_rule(frame, task if type(task) is _TaskExecution else None, key, value)
    except Exception as error:
        _unmute(frame)
        fault(error)
    else:
        _written(frame, key, shown, policy)


def _by_rule(frame: _state.Frame, task: Any, key: str, value: Any) -> tuple[Any, str | None]:
    policy = settings.policy(frame.run, None if task is None else task.task_id, key)
    if settings.redact is not None and policy != "off":
        try:
            value = settings.redact(key, value)
        except Exception:
            # What was to be hidden must not be shown because hiding it went wrong.
            return None, "off"
    return value, policy


def _make_get(plain: Callable[..., Any]) -> Callable[..., Any]:
    def get(self: Any, key: str, default: Any = None) -> Any:
        frame = _mute(self)
        if frame is None:
            return plain(self, key, default)
        try:
            value = plain(self, key, _MISSING)
        except BaseException:
            _unmute(frame)
            raise
        policy = _policy_of_read(frame, key) if settings.rules else None
        if value is _MISSING:
            _found(frame, key, None, True, policy)
            return default
        _found(frame, key, value, False, policy)
        return value

    return get


@guarded
def _policy_of_read(frame: Any, key: str) -> str | None:
    task = frame.current
    return settings.policy(frame.run, task.task_id, key) if type(task) is _TaskExecution else None


def _make_update(operation: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    def update(self: Any, key: str, *rest: Any, **named: Any) -> Any:
        frame = _channels.get(id(self))
        if frame is None or frame.muted:
            return plain(self, key, *rest, **named)
        frame.muted += 1
        try:
            result = plain(self, key, *rest, **named)
        finally:
            frame.muted -= 1
        value = result if operation == "atomic_add" else rest[0] if rest else named.get("value")
        _updated(frame, key, value, operation)
        return result

    return update


@guarded
def _updated(frame: _state.Frame, key: str, value: Any, operation: str) -> None:
    """Of what is appended, only that is told; of a sum, the sum."""
    task = frame.current
    if type(task) is _TaskExecution:
        value, policy = _by_rule(frame, task, key, value)
        frame.versions[key] = frame.run.native.write(task, key, value, False, operation, policy)


def _make_delete(plain: Callable[..., Any]) -> Callable[..., Any]:
    def delete(self: Any, key: str) -> Any:
        frame = _channels.get(id(self))
        existed = plain(self, key)
        if frame is not None and not frame.muted and existed:
            _deleted(frame, key)
        return existed

    return delete


@guarded
def _deleted(frame: _state.Frame, key: str) -> None:
    task = frame.current
    frame.versions.pop(key, None)
    if type(task) is _TaskExecution:
        frame.run.native.delete(task, key)
