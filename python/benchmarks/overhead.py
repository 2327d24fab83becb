"""What recording adds to a workflow, measured beside graflow alone in one run.

    python benchmarks/overhead.py [ROUNDS] [--cpu]

Rounds with and without recording take turns, so that a machine that grows slower does so for both. What is said is
the difference of the best rounds, per task. A server that is named or owns the data folder takes the events; without
one they go to the spool. On a machine that does something else besides, ``--cpu`` counts the time that the workflow's
own thread gets instead of what passes, and the process' time for the group, which has threads.
"""

from __future__ import annotations

import gc
import sys
import time
from typing import TYPE_CHECKING, Any

import graflow_lineage

if TYPE_CHECKING:
    from collections.abc import Callable

# Imported before graflow, which then is hooked and unhooked as the rounds want.
graflow_lineage.disable()

from graflow.core.decorators import task  # noqa: E402
from graflow.core.workflow import WorkflowContext, workflow  # noqa: E402

TASKS = 2_000


def chain() -> Callable[[], Any]:
    """Empty tasks, one after the other."""
    with workflow("chain") as context:
        last = None
        for number in range(TASKS):

            @task(f"step_{number}")
            def step() -> None:
                pass

            last = step if last is None else last >> step
    return lambda: context.execute("step_0")


def loop() -> Callable[[], Any]:
    """One task, again and again; in a graph of its own each time, since iterations stay in it."""

    def run() -> None:
        with workflow("loop") as context:

            @task("again", inject_context=True, max_cycles=TASKS + 1)
            def again(context: Any, data: Any = None) -> None:
                done = 1 if data is None else data
                if done < TASKS:
                    context.next_iteration(done + 1)

            context.execute("again", max_steps=TASKS + 1)

    return run


def group() -> Callable[[], Any]:
    """Members of a group in threads."""
    with workflow("group") as context:
        members = None
        for number in range(200):

            @task(f"member_{number}")
            def member() -> None:
                pass

            members = member if members is None else members | member
        assert members is not None
        members.set_group_name("members")
    return lambda: context.execute("members")


def single() -> Callable[[], Any]:
    """Workflows of one task."""
    contexts: list[WorkflowContext] = []
    for number in range(200):
        with workflow(f"single_{number}") as context:

            @task("only")
            def only() -> None:
                pass

        contexts.append(context)

    def run() -> None:
        for context in contexts:
            context.execute("only")

    return run


SHAPES: dict[str, tuple[Callable[[], Callable[[], Any]], int]] = {
    "chain of 2,000": (chain, TASKS),
    "loop of 2,000": (loop, TASKS),
    "group member": (group, 200),
    "one-task workflow": (single, 200),
}


def measured(run: Callable[[], Any], clock: Callable[[], float]) -> float:
    gc.collect()
    gc.disable()
    try:
        began = clock()
        run()
        return clock() - began
    finally:
        gc.enable()


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--cpu"]
    rounds = int(arguments[0]) if arguments else 7
    cpu = "--cpu" in sys.argv
    print(f"{'µs per task':<20}{'graflow':>10}{'off':>10}{'metadata':>10}{'preview':>10}")
    for name, (make, tasks) in SHAPES.items():
        run = make()
        clock = time.perf_counter
        if cpu:
            clock = time.process_time if make is group else time.thread_time
        best = dict.fromkeys(("graflow", "off", "metadata", "preview"), float("inf"))
        for _ in range(rounds):
            for kind in best:
                if kind == "graflow":
                    graflow_lineage.disable()
                else:
                    graflow_lineage.enable(values=kind)
                best[kind] = min(best[kind], measured(run, clock) / tasks * 1e6)
                # The sending thread has its own turn; what it costs the interpreter is in the round all the same.
                graflow_lineage.flush(10)
        added = "".join(f"{best[kind] - best['graflow']:>+10.1f}" for kind in ("off", "metadata", "preview"))
        print(f"{name:<20}{best['graflow']:>10.1f}{added}")
    graflow_lineage.disable()


if __name__ == "__main__":
    main()
