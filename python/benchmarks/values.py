"""What a value costs the thread that writes it, by how much is told of it.

    python benchmarks/values.py

The best of fifty, in microseconds: what is taken of the value while the interpreter's lock is held. Hashing and
everything else happen on the sending thread.
"""

from __future__ import annotations

import time
from typing import Any

from graflow_lineage import _native


def samples() -> dict[str, Any]:
    """Small, large and huge."""
    message = {"role": "user", "content": "what is told of a value, and what does it cost? " * 10}
    values: dict[str, Any] = {}
    for name, size in (("1 KB", 1_000), ("1 MB", 1_000_000), ("100 MB", 100_000_000)):
        values[f"{name} of bytes"] = b"x" * size
        values[f"{name} of text"] = "x" * size
        values[f"{name} as a list of numbers"] = list(range(size // 8))
    values["40 messages"] = [dict(message) for _ in range(40)]
    try:
        import pandas
    except ImportError:
        print("without pandas there is no frame")
    else:
        values["frame of 1 M rows"] = pandas.DataFrame({"a": range(1_000_000)})
    return values


def cost(value: Any, policy: str) -> float:
    """The best of fifty, in microseconds."""
    best = float("inf")
    for _ in range(50):
        began = time.perf_counter()
        _native.capture(value, policy)
        best = min(best, time.perf_counter() - began)
    return best * 1e6


def main() -> None:
    """Prints a line a value."""
    print(f"{'µs per value':<32}{'metadata':>10}{'preview':>10}")
    for name, value in samples().items():
        print(f"{name:<32}" + "".join(f"{cost(value, policy):>10.1f}" for policy in ("metadata", "preview")))


if __name__ == "__main__":
    main()
