"""A real server on loopback, programs run as their users run them, and what the API says of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

GRAFLOW = Path(sys.executable).with_name("graflow")


def plain_environment() -> dict[str, str]:
    """The environment without anything that steers lineage."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GRAFLOW_")}


class Server:
    """`graflow lineage serve`, on a port that the system chooses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        environment = {**plain_environment(), "GRAFLOW_LINEAGE_DATA_DIR": str(self.folder)}
        command = [str(GRAFLOW), "lineage", "serve", "--port", "0"]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                owner = json.loads((self.folder / "server.json").read_text())
                if owner["pid"] == self.process.pid and owner.get("url"):
                    self.url = owner["url"]
                    urllib.request.urlopen(f"{self.url}/ready", timeout=5).close()
                    return
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.02)
        self.stop()
        raise RuntimeError("the server did not start")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None

    def is_settled(self) -> bool:
        """Whether all that was handed in can be read: no spool waits, and no event is behind."""
        if any((self.folder / "spool").glob("*.spool")):
            return False
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            return "graflow_apply_lag_events 0" in answer.read().decode().splitlines()

    def get(self, path: str, **parameters: Any) -> Any:
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        with urllib.request.urlopen(f"{self.url}{path}{query}", timeout=30) as answer:
            return json.load(answer)


@dataclass
class Execution:
    """What the API says of one run."""

    server: Server
    row: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.row["execution_id"])

    @property
    def status(self) -> str:
        return str(self.row["status"])

    def get(self, part: str) -> Any:
        return self.server.get(f"/api/executions/{self.id}{part}", limit=5000)

    @property
    def detail(self) -> dict[str, Any]:
        return dict(self.server.get(f"/api/executions/{self.id}")["execution"])

    @property
    def tasks(self) -> list[dict[str, Any]]:
        rows = list(self.server.get(f"/api/executions/{self.id}/task_executions", limit=5000)["task_executions"])
        return sorted(rows, key=lambda row: (row["start_time"] or "", row["task_execution_id"]))

    def ran(self) -> list[str]:
        return [row["task_id"] for row in self.tasks]

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(self.server.get(f"/api/executions/{self.id}/events", limit=5000)["events"])

    def events_of(self, event_type: str) -> list[dict[str, Any]]:
        found = [event.get("event", event) for event in self.events]
        return [event for event in found if event["type"] == event_type]

    @property
    def graph(self) -> dict[str, Any]:
        return dict(self.server.get(f"/api/executions/{self.id}/graph"))

    def edges_taken(self) -> dict[tuple[str, str], int]:
        edges = self.graph["edges"]
        return {(edge["source"], edge["target"]): edge["data"]["count"] for edge in edges if edge["data"]["count"]}

    def edge(self, source: str, target: str) -> dict[str, Any]:
        for edge in self.graph["edges"]:
            if (edge["source"], edge["target"]) == (source, target):
                return dict(edge["data"])
        raise AssertionError(f"no edge {source} -> {target}")

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.server.get(f"/api/executions/{self.id}/data"))

    def findings(self) -> list[str]:
        found = self.server.get(f"/api/executions/{self.id}/findings")["findings"]
        return [finding["code"] for finding in found]


@dataclass
class Finished:
    """A program that has run."""

    code: int
    stdout: str
    stderr: str
    executions: list[Execution] = field(default_factory=list)

    @property
    def told(self) -> Any:
        """What the program counted itself: its last line, as JSON."""
        return json.loads(self.stdout.strip().splitlines()[-1])

    @property
    def execution(self) -> Execution:
        assert len(self.executions) == 1, (self.executions, self.stdout, self.stderr)
        return self.executions[0]

    def named(self, workflow: str) -> list[Execution]:
        return [one for one in self.executions if one.row["workflow_name"] == workflow]


class Lineage:
    """Runs programs beside a server."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def environment(self, label: str, **more: str) -> dict[str, str]:
        return {
            **plain_environment(),
            "GRAFLOW_LINEAGE_DATA_DIR": str(self.server.folder),
            "GRAFLOW_LINEAGE_LABELS": f"test={label}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **more,
        }

    def executions(self, label: str) -> list[Execution]:
        rows = self.server.get("/api/executions", **{"label.test": label, "limit": 1000})["executions"]
        return [Execution(self.server, row) for row in rows]

    def run(self, program: str, *arguments: str, code: int | None = 0, wait: int = 1, **more: str) -> Finished:
        """Runs the program as a script of its own, and waits until so many runs of it are known."""
        label = uuid.uuid4().hex
        script = self.folder / f"program_{label[:8]}.py"
        script.write_text(textwrap.dedent(program))
        process = subprocess.run(
            [sys.executable, str(script), *arguments],
            cwd=self.folder,
            env=self.environment(label, **more),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert code is None or process.returncode == code, (process.stdout, process.stderr)
        until = time.monotonic() + 10
        executions: list[Execution] = []
        while self.server.process and time.monotonic() < until:
            executions = self.executions(label)
            if len(executions) >= wait and self.server.is_settled():
                # What was handed in between the two questions is there now.
                executions = self.executions(label)
                break
            time.sleep(0.05)
        return Finished(process.returncode, process.stdout, process.stderr, executions)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not stop theirs."""
    server = Server(tmp_path_factory.mktemp("data"))
    server.start()
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def lineage(server: Server, tmp_path: Path) -> Lineage:
    """Programs beside the server of all tests."""
    return Lineage(server, tmp_path)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server of this test's own, which is not started yet."""
    server = Server(tmp_path / "own-data")
    server.folder.mkdir()
    yield server
    server.stop()
