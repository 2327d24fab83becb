"""What recording leaves behind in the process that records."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from conftest import plain_environment

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import json, resource
from pathlib import Path
import graflow_lineage
graflow_lineage.enable(values="preview")
from graflow.core.decorators import task
from graflow.core.workflow import workflow

def memory_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

with workflow("chain") as context:
    last = None
    for number in range(1_000):

        @task(f"step_{number}")
        def step():
            return "x" * 2_000

        last = step if last is None else last >> step

def run():
    context.execute("step_0", max_steps=2_000)
    graflow_lineage.flush(30)

run()
before = memory_mb()
for _ in range(25):
    run()
from graflow_lineage import _native
print(json.dumps({"grown": memory_mb() - before, "offered": _native.statistics()["offered"]}))
"""


def test_a_hundred_thousand_events_leave_no_values_behind(tmp_path: Path) -> None:
    environment = {**plain_environment(), "GRAFLOW_LINEAGE_DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    # A record makes one event or two: queued and started come as one.
    assert told["offered"] >= 78_000
    # What is kept are 25,000 task executions for the manager to show, each less than a kilobyte; their values were
    # 50 MB, and their previews as much again.
    assert told["grown"] < 40, told
