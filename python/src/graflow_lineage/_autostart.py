"""Run at the start of every interpreter of the environment, by ``graflow_lineage.pth``: installed means on.

It must cost next to nothing where graflow is not used, and must never be the reason why a program does not start.
"""

from __future__ import annotations

import os


def start() -> None:
    """Waits for graflow to be imported, unless ``GRAFLOW_LINEAGE=0``."""
    if os.environ.get("GRAFLOW_LINEAGE", "").strip().lower() in ("0", "off", "false", "no"):
        return
    try:
        from graflow_lineage._waiting import wait_for_graflow

        wait_for_graflow()
    except Exception:
        return


start()
