"""What a server that is well, gone, silent or slow costs the workflow, and what a hundred thousand events leave behind.

    python benchmarks/servers.py

Each kind has a process of its own, since a process has one producer. The chain of `overhead.py` is run with recording
alone, the best of some rounds is told as processor time of the workflow's own thread per task, and the memory of the
process before and after.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

KINDS = ("folder", "dead", "hanging", "slow")
ROUNDS = 20


def memory_mb() -> float:
    """What the process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def listen(kind: str) -> str:
    """A server of that kind: an address that nobody listens at, or that says nothing, or says it late."""
    server = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    if kind == "dead":
        server.close()
        return url

    def serve() -> None:
        kept = []
        while True:
            connection, _ = server.accept()
            kept.append(connection)
            if kind == "slow":
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return url


def answer(connection: socket.socket) -> None:
    """Half a second later, that it has no time."""
    try:
        while connection.recv(1 << 16):
            time.sleep(0.5)
            connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n")
    except OSError:
        # The other side asks anew, on another connection.
        return


def measure(kind: str) -> None:
    """One kind, in this process."""
    import graflow_lineage

    if kind == "folder":
        graflow_lineage.enable(values="metadata")
    else:
        graflow_lineage.enable(url=listen(kind), values="metadata")
    from overhead import TASKS, chain, measured

    graflow_lineage.enable()
    run = chain()
    run()
    before, best = memory_mb(), float("inf")
    for _ in range(ROUNDS):
        best = min(best, measured(run, time.thread_time) / TASKS * 1e6)
    after = memory_mb()
    print(f"{kind:<12}{best:>14.1f}{before:>12.0f}{after:>10.0f}", flush=True)
    os._exit(0)


def main() -> None:
    """Prints a line a kind."""
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    print(f"{'server':<12}{'µs per task':>14}{'MB before':>12}{'MB after':>10}", flush=True)
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "GRAFLOW_LINEAGE_DATA_DIR": folder}
            subprocess.run([sys.executable, __file__, kind], env=environment, check=True)


if __name__ == "__main__":
    main()
