"""Notices when a program imports graflow, and only then loads the rest of this package."""

from __future__ import annotations

import sys
from typing import Any


class Waiting:
    """Looks at the names of imports, and finds nothing itself."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """At the first import of graflow, switches recording on."""
        if name == "graflow" or name.startswith("graflow."):
            stop_waiting()
            try:
                import graflow_lineage

                graflow_lineage.enable()
            except Exception:
                return


_waiting = Waiting()


def wait_for_graflow() -> None:
    """Begins to wait."""
    if _waiting not in sys.meta_path:
        sys.meta_path.insert(0, _waiting)


def stop_waiting() -> None:
    """Waits no longer."""
    if _waiting in sys.meta_path:
        sys.meta_path.remove(_waiting)
