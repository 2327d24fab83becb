"""Hooks around model calls."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from graflow_lineage import _native, _state
from graflow_lineage._engine import guarded
from graflow_lineage._faults import error_data
from graflow_lineage._install import replace
from graflow_lineage._settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable


def client(module: Any) -> None:
    """Calls through ``LLMClient.completion``; ``completion_text`` goes through it too."""

    def make(plain: Callable[..., Any]) -> Callable[..., Any]:
        def completion(self: Any, messages: Any, model: str | None = None, *rest: Any, **named: Any) -> Any:
            began = time.monotonic()
            response = failure = None
            try:
                response = plain(self, messages, model, *rest, **named)
            except BaseException as error:
                failure = error
                raise
            finally:
                seconds = time.monotonic() - began
                _called(model or getattr(self, "model", None), messages, response, failure, seconds)
            return response

        return completion

    replace(module.LLMClient, "completion", make)


def agent(module: Any) -> None:
    """Calls through ``LLMAgent.run``, which every kind of agent has of its own."""
    base = module.LLMAgent
    for known in _subclasses(base):
        _hook_run(known)
    plain = base.__dict__.get("__init_subclass__")

    def subclassed(cls: Any, /, **named: Any) -> None:
        super(base, cls).__init_subclass__(**named)
        _hook_run(cls)

    from graflow_lineage import _install

    _install._replaced.append((base, "__init_subclass__", plain))
    base.__init_subclass__ = classmethod(subclassed)


def _subclasses(base: type) -> list[type]:
    direct: list[type] = base.__subclasses__()
    return direct + [further for known in direct for further in _subclasses(known)]


def _hook_run(known: type) -> None:
    plain = known.__dict__.get("run")
    if plain is None or getattr(plain, "__isabstractmethod__", False):
        return

    def make(plain: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(plain)
        def run(self: Any, input_text: Any, *rest: Any, **named: Any) -> Any:
            began = time.monotonic()
            result = failure = None
            try:
                result = plain(self, input_text, *rest, **named)
            except BaseException as error:
                failure = error
                raise
            finally:
                _ran(self, input_text, result, failure, time.monotonic() - began)
            return result

        return run

    replace(known, "run", make)


@guarded
def _called(model: Any, messages: Any, response: Any, failure: BaseException | None, seconds: float) -> None:
    task, frame = _state.current_task(), _state.local.frame
    if task is None or frame is None:
        return
    usage = getattr(response, "usage", None)
    hidden = getattr(response, "_hidden_params", None)
    cost = hidden.get("response_cost") if isinstance(hidden, dict) else None
    message = getattr((getattr(response, "choices", None) or [None])[0], "message", None)
    tools = [
        str(getattr(getattr(call, "function", None), "name", "")) for call in getattr(message, "tool_calls", None) or []
    ]
    data = {
        "model": str(getattr(response, "model", None) or model),
        "duration_us": int(seconds * 1_000_000),
        "input_tokens": _count(getattr(usage, "prompt_tokens", None)),
        "output_tokens": _count(getattr(usage, "completion_tokens", None)),
        "cost_usd": float(cost) if isinstance(cost, (int, float)) and cost > 0 else None,
        "tools": tools or None,
        "error": None if failure is None else error_data(failure),
        "prompt": _shown(frame, task, "prompt", messages),
        "completion": _shown(frame, task, "completion", getattr(message, "content", None)),
    }
    frame.run.native.tell("llm_called", data, task)


@guarded
def _ran(agent: Any, prompt: Any, result: Any, failure: BaseException | None, seconds: float) -> None:
    task, frame = _state.current_task(), _state.local.frame
    if task is None or frame is None:
        return
    metadata = result.get("metadata") if isinstance(result, dict) else None
    metadata = metadata if isinstance(metadata, dict) else {}
    usage = metadata.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    own = getattr(agent, "metadata", {})
    model = metadata.get("model") or (own.get("model") if isinstance(own, dict) else None) or agent.name
    output = result.get("output") if isinstance(result, dict) else None
    data = {
        "model": str(model),
        "duration_us": int(seconds * 1_000_000),
        "input_tokens": _count(usage.get("input_tokens", usage.get("prompt_tokens"))),
        "output_tokens": _count(usage.get("output_tokens", usage.get("completion_tokens"))),
        "error": None if failure is None else error_data(failure),
        "prompt": _shown(frame, task, "prompt", prompt),
        "completion": _shown(frame, task, "completion", output),
    }
    frame.run.native.tell("llm_called", data, task)


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _shown(frame: _state.Frame, task: Any, key: str, value: Any) -> Any:
    """By the value policy, as that of a key `prompt` or `completion` would be."""
    import json

    policy = settings.policy(frame.run, task.task_id, key) or _native.default_policy()
    if policy not in ("preview", "full"):
        return None
    if settings.redact is not None:
        value = settings.redact(key, value)
    preview = _native.describe(value, policy)[3]
    return None if preview is None else json.loads(preview)
