"""What the environment and :func:`graflow_lineage.enable` say."""

from __future__ import annotations

import os
import platform
import sys
from collections import deque
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graflow_lineage._state import Run

#: How much is told of values.
POLICIES = ("off", "metadata", "preview", "full")


class Settings:
    """How this process records."""

    def __init__(self) -> None:
        self.enabled = False
        self.labels: dict[str, str] = parse_labels(os.environ.get("GRAFLOW_LINEAGE_LABELS", ""))
        self.rules: tuple[tuple[str, str, str, str], ...] = ()
        self.redact: Callable[[str, Any], Any] | None = None
        self.record_print = os.environ.get("GRAFLOW_LINEAGE_PRINT", "") == "1"
        # What went wrong in the hooks themselves: nothing, one hopes.
        self.faults = 0
        self.last_fault: str | None = None
        self.executions: deque[str] = deque(maxlen=1_000)
        self._decided: dict[tuple[str, str | None, str], str | None] = {}
        self._code: dict[str, Any] | None = None
        self._runtime: dict[str, Any] = {}

    def policy(self, run: Run, task_id: str | None, key: str) -> str | None:
        """How much may be told of that value; None for the default."""
        if not self.rules:
            return None
        asked = (run.native.workflow_name, task_id, key)
        if asked not in self._decided:
            if len(self._decided) > 10_000:
                self._decided.clear()
            self._decided[asked] = self._decide(*asked)
        return self._decided[asked]

    def set_rules(self, rules: Sequence[tuple[str, str, str, str]]) -> None:
        """Rules as (workflow, task, key, policy), patterns as in a shell; the first that fits counts."""
        for rule in rules:
            if len(rule) != 4 or rule[3] not in POLICIES:
                raise ValueError(f"a rule is (workflow, task, key, policy), the policy one of {', '.join(POLICIES)}")
        self.rules = tuple(rules)
        self._decided.clear()

    def _decide(self, workflow: str, task_id: str | None, key: str) -> str | None:
        for workflow_pattern, task_pattern, key_pattern, policy in self.rules:
            if (
                fnmatchcase(workflow, workflow_pattern)
                and fnmatchcase(task_id or "", task_pattern)
                and fnmatchcase(key, key_pattern)
            ):
                return policy
        return None

    def code(self) -> dict[str, Any]:
        """The program that runs."""
        if self._code is None:
            main = sys.modules.get("__main__")
            entry = getattr(main, "__file__", None) or (sys.argv[0] if sys.argv else None)
            self._code = {}
            if entry:
                self._code = {"entry": os.path.basename(entry), "git_commit": _git_commit(entry)}  # noqa: PTH119
        return self._code

    def runtime(self) -> dict[str, Any]:
        """What runs it."""
        pid = os.getpid()
        if self._runtime.get("pid") != pid:
            self._runtime = {
                "language": "python",
                "version": platform.python_version(),
                "host": os.uname().nodename if hasattr(os, "uname") else platform.node(),
                "pid": pid,
            }
        return self._runtime


def _git_commit(entry: str) -> str | None:
    """The commit that the program's checkout is at, read without running git."""
    from pathlib import Path

    try:
        for folder in Path(entry).resolve().parents:
            git = folder / ".git"
            if not git.is_dir():
                continue
            head = (git / "HEAD").read_text().strip()
            if not head.startswith("ref: "):
                return head
            name = head[len("ref: ") :]
            if (git / name).is_file():
                return (git / name).read_text().strip()
            for line in (git / "packed-refs").read_text().splitlines():
                commit, _, packed = line.partition(" ")
                if packed == name:
                    return commit
            return None
    except (OSError, ValueError):
        pass
    return None


def parse_labels(text: str) -> dict[str, str]:
    """``team=a,env=prod``; a part without ``=`` is a label without a value."""
    labels = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name.strip():
            labels[name.strip()] = value.strip()
    return labels


settings = Settings()
