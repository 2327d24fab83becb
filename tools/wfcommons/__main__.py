"""Loads the graphs of two real scientific workflows into a lineage server, and checks that they come back as they are.

Run it as `python tools/wfcommons URL`, with a Python that wfcommons 1.6 is installed for. Nobody recorded when the
tasks of these graphs ran: their durations are drawn from the distributions in the package, and the runs labelled so.
"""

from __future__ import annotations

import argparse
import sys
import time

from compare import differences
from package import read_distributions, read_graph
from run import events_of, make_run
from server import Server, ServerError

# The recipe of the package, and the recorded run.
WORKFLOWS = {
    "montage-chameleon-dss-15d-001": "montage",
    "cycles-chameleon-5l-3c-12p-001": "cycles",
}
# Differences that are shown of one workflow.
MOST_SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="wfcommons", description=__doc__)
    parser.add_argument("url", help="the server's address, such as http://127.0.0.1:8000")
    parser.add_argument("--seed", type=int, default=7, help="of the durations (default: 7)")
    parser.add_argument("--workflow", choices=WORKFLOWS, action="append", help="only this one")
    arguments = parser.parse_args()
    server = Server(arguments.url)
    try:
        # Each of them is checked, even when one before it failed.
        equal = [check(server, name, arguments.seed) for name in arguments.workflow or WORKFLOWS]
    except (ServerError, OSError) as error:
        print(f"error: {error}")
        return 2
    return 0 if all(equal) else 1


def check(server: Server, name: str, seed: int) -> bool:
    """Loads one workflow, and says whether it came back as it is."""
    recipe = WORKFLOWS[name]
    run = make_run(read_graph(recipe, name), read_distributions(recipe), seed)
    events = events_of(run)
    begin = time.perf_counter()
    server.post(events)
    posted = time.perf_counter()
    found = list(differences(run, server))
    compared = time.perf_counter()
    nodes, edges = len(run.graph.types), len(run.graph.edges)
    if not found:
        took = f"{len(events)} events posted in {posted - begin:.1f} s, compared in {compared - posted:.1f} s"
        print(f"{name}: {nodes} nodes, {edges} edges equal ({took})")
        return True
    for difference in found[:MOST_SHOWN]:
        print(f"error: {name}: {difference}")
    print(f"{name}: {len(found)} differences in {nodes} nodes, {edges} edges")
    return False


if __name__ == "__main__":
    sys.exit(main())
