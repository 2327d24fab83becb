"""Hooks around graflow's questions to people."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from graflow_lineage import _state
from graflow_lineage._engine import guarded
from graflow_lineage._install import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from graflow_lineage import _native


def manager(module: Any) -> None:
    """A question that is asked, and the waiting for its answer."""

    def make_request(plain: Callable[..., Any]) -> Callable[..., Any]:
        def request_feedback(self: Any, *arguments: Any, **named: Any) -> Any:
            outer = _state.local.asking
            names = ("task_id", "session_id", "feedback_type", "prompt", "options")
            _state.local.asking = {**dict(zip(names, arguments, strict=False)), **named}
            try:
                return plain(self, *arguments, **named)
            finally:
                _state.local.asking = outer

        return request_feedback

    def make_poll(plain: Callable[..., Any]) -> Callable[..., Any]:
        def _poll_for_response(self: Any, feedback_id: str, timeout: float) -> Any:
            task = _asked(feedback_id, timeout)
            began = time.monotonic()
            response = plain(self, feedback_id, timeout)
            if task is not None and response is not None:
                _answered(task, feedback_id, time.monotonic() - began)
            return response

        return _poll_for_response

    replace(module.FeedbackManager, "request_feedback", make_request)
    replace(module.FeedbackManager, "_poll_for_response", make_poll)


@guarded
def _asked(feedback_id: str, timeout: float) -> _native.TaskExecution | None:
    task, frame = _state.current_task(), _state.local.frame
    if task is None or frame is None:
        return None
    asking = _state.local.asking or {}
    kind = asking.get("feedback_type")
    options = asking.get("options")
    deadline = datetime.now(timezone.utc) + timedelta(seconds=timeout)
    data = {
        "feedback_id": feedback_id,
        "kind": None if kind is None else str(getattr(kind, "value", kind)),
        "prompt": str(asking.get("prompt", "")),
        "options": None if options is None else [str(option) for option in options],
        "deadline": deadline.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    frame.run.native.tell("waiting", data, task)
    return task


@guarded
def _answered(task: _native.TaskExecution, feedback_id: str, seconds: float) -> None:
    frame = _state.local.frame
    if frame is not None:
        data = {"feedback_id": feedback_id, "waited_us": int(seconds * 1_000_000)}
        frame.run.native.tell("waiting_ended", data, task)
