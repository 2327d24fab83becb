"""docs/tutorials/python.md, followed to the letter in an empty data folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import GRAFLOW, plain_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs/tutorials/python.md"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder; the server that `run` leaves behind is stopped."""
    data = tmp_path / "data"
    yield data
    try:
        pid = json.loads((data / "server.json").read_text())["pid"]
    except (OSError, ValueError):
        return
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 10
    while (data / "server.json").exists() and time.monotonic() < until:
        time.sleep(0.05)


def test_the_tutorial(folder: Path, tmp_path: Path) -> None:
    script, client = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[:2]
    (tmp_path / "orders.py").write_text(script)
    (tmp_path / "ask.py").write_text(client)
    programs = str(Path(sys.executable).parent)
    environment = {
        **plain_environment(),
        "GRAFLOW_LINEAGE_DATA_DIR": str(folder),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done

    ran = run(str(GRAFLOW), "lineage", "run", "--python", sys.executable, "orders.py")
    assert ran.stdout == "53.90 in 3 orders\n"
    before, after = ran.stderr.strip().splitlines()
    assert re.match(r"lineage: http://127\.0\.0\.1:\d+/executions\?label\.run=", before)
    assert re.search(r"orders completed in .*http://127\.0\.0\.1:\d+/executions/\w+$", after)

    tree = run(str(GRAFLOW), "lineage", "show", "latest").stdout
    assert "1 retried" in tree
    assert tree.index("extract") < tree.index("convert") < tree.index("load")

    history = run(str(GRAFLOW), "lineage", "history", "convert").stdout
    assert "failed" in history
    assert "completed" in history

    asked = run(sys.executable, "ask.py").stdout.splitlines()
    assert sorted(asked) == ["convert 1 failed", "convert 2 completed", "extract 1 completed", "load 1 completed"]
