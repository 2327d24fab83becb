"""Forks, ends of processes, servers that come and go, checkpoints and pickles."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from conftest import Lineage, Server, plain_environment
from test_shapes import IMPORTS

if TYPE_CHECKING:
    from pathlib import Path

ONE = (
    IMPORTS
    + """
    def once(name, tasks=1):
        with workflow(name) as wf:
            chain = None
            for n in range(tasks):
                def run(n=n):
                    ran.append(n)
                    return n
                step = task(f"step_{n}")(run)
                chain = step if chain is None else chain >> step
            return wf.execute()
"""
)


def test_forked_processes_are_producers_of_their_own(lineage: Lineage) -> None:
    finished = lineage.run(
        ONE
        + """
    import multiprocessing, os
    once("parent")
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=once, args=(f"child_{n}", 3)) for n in range(3)]
    [child.start() for child in children]
    [child.join() for child in children]
    once("parent_again")
    say(codes=[child.exitcode for child in children])
    """,
        wait=5,
    )
    assert finished.told["codes"] == [0, 0, 0]
    found = {one.row["workflow_name"]: len(one.ran()) for one in finished.executions}
    assert found == {"parent": 1, "child_0": 3, "child_1": 3, "child_2": 3, "parent_again": 1}
    assert all(one.status == "completed" and one.findings() == [] for one in finished.executions)
    producers = {one.events[0]["event"]["producer"] for one in finished.executions}
    assert len(producers) == 4


def test_children_forked_at_once_give_out_ids_of_their_own(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    import os
    from graflow_lineage import _native
    _native.Run("the generator has been used")
    reader, writer = os.pipe()
    children = []
    for n in range(40):
        pid = os.fork()
        if pid == 0:
            os.write(writer, (_native.Run("w").execution_id + " ").encode())
            os._exit(0)
        children.append(pid)
    [os.waitpid(pid, 0) for pid in children]
    os.close(writer)
    say(ids=os.read(reader, 65536).decode().split())
    """
    )
    assert len(finished.told["ids"]) == 40
    assert len(set(finished.told["ids"])) == 40


def test_a_fork_within_a_task(lineage: Lineage) -> None:
    finished = lineage.run(
        ONE
        + """
    import os
    with workflow("forks") as wf:
        @task
        def fork():
            pid = os.fork()
            if pid == 0:
                once("in_child")
                os._exit(0)
            return os.waitpid(pid, 0)[1]
        say(result=wf.execute())
    """,
        wait=2,
    )
    assert finished.told["result"] == 0
    (parent,) = finished.named("forks")
    (child,) = finished.named("in_child")
    assert (parent.status, len(parent.ran())) == ("completed", 1)
    (start,) = child.events_of("workflow_started")
    assert start["data"]["parent"]["task_execution_id"] == parent.tasks[0]["task_execution_id"]


def test_os_exit_loses_nothing(lineage: Lineage) -> None:
    finished = lineage.run(ONE + '\n    import os\n    once("leaves_at_once", 5)\n    os._exit(7)\n', code=7)
    assert (finished.execution.status, len(finished.execution.ran())) == ("completed", 5)


def test_a_process_that_is_killed_has_told_what_ran(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    import os, signal
    with workflow("killed") as wf:
        @task
        def first():
            pass
        @task
        def second():
            time.sleep(1)
            os.kill(os.getpid(), signal.SIGKILL)
        first >> second
        wf.execute()
    """,
        code=-9,
    )
    statuses = [(row["task_id"], row["status"]) for row in finished.execution.tasks]
    assert statuses == [("first", "completed"), ("second", "running")]


def test_the_server_goes_and_comes_back_in_the_middle(own_server: Server, lineage: Lineage) -> None:
    own_server.start()
    alone = Lineage(own_server, lineage.folder)
    program = lineage.folder / "long.py"
    import textwrap

    program.write_text(
        textwrap.dedent(
            IMPORTS
            + """
    with workflow("long") as wf:
        chain = None
        for n in range(60):
            def run(n=n):
                time.sleep(0.05)
                ran.append(n)
            step = task(f"step_{n}")(run)
            chain = step if chain is None else chain >> step
        wf.execute()
    say()
    """
        )
    )
    process = subprocess.Popen(
        [sys.executable, str(program)], env=alone.environment("long"), stdout=subprocess.PIPE, text=True
    )
    time.sleep(1.2)
    own_server.stop()
    time.sleep(0.8)
    own_server.start()
    stdout, _ = process.communicate(timeout=60)
    assert json.loads(stdout)["ran"] == list(range(60))
    (execution,) = alone.executions("long")
    assert execution.status == "completed"
    assert execution.ran() == [f"step_{n}" for n in range(60)]
    assert execution.findings() == []


def test_a_server_that_hangs_holds_nobody_up(lineage: Lineage) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        began = time.monotonic()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        finished = lineage.run(ONE + '\n    once("unheard", 100)\n    say()\n', wait=0, GRAFLOW_LINEAGE_URL=url)
    assert len(finished.told["ran"]) == 100
    # A request is given up after 30 s: whoever waited for one would be later.
    assert time.monotonic() - began < 25
    assert finished.stderr == ""


def test_a_checkpoint_is_resumed_as_a_run_of_its_own(lineage: Lineage) -> None:
    first = lineage.run(
        IMPORTS
        + """
    with workflow("resumable") as wf:
        @task(inject_context=True)
        def first(context):
            ran.append("first")
            context.get_channel().set("kept", 5)
            context.checkpoint(path="point")
        @task
        def second(kept):
            ran.append("second")
            return kept * 2
        first >> second
        say(result=wf.execute())
    """
    )
    resume = (
        IMPORTS
        + """
    from graflow.core.checkpoint import CheckpointManager
    context, _ = CheckpointManager.resume_from_checkpoint("point.pkl")
    assert not [name for name in vars(context) if "lineage" in name]
    print(json.dumps({"result": WorkflowEngine().execute(context)}))
    """
    )
    resumed = lineage.run(resume)
    again = lineage.run(resume)
    assert first.told == {"ran": ["first", "second"], "result": 10}
    assert resumed.told == again.told == {"result": 10}
    for one in (resumed, again):
        execution = one.execution
        assert execution.row["workflow_name"] == "resumable"
        assert (execution.status, execution.ran()) == ("completed", ["second"])
        (start,) = execution.events_of("workflow_started")
        assert start["data"]["resumed_from"] == first.execution.id
        origin = first.execution.events_of("workflow_started")[0]["data"]
        assert start["data"]["session_id"] == origin["session_id"]
    assert resumed.execution.id != again.execution.id


def test_a_checkpoint_loads_where_this_package_is_not(lineage: Lineage) -> None:
    lineage.run(
        IMPORTS
        + """
    import graflow_lineage
    with workflow("portable", tracer=graflow_lineage.LineageTracer()) as wf:
        @task(inject_context=True)
        def first(context):
            context.checkpoint(path="portable")
        wf.execute()
    """
    )
    blind = """
        import sys
        class Blind:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] == "graflow_lineage":
                    raise ImportError(name)
        sys.meta_path.insert(0, Blind())
        for name in [name for name in sys.modules if name.startswith("graflow_lineage")]:
            del sys.modules[name]
        from graflow.core.checkpoint import CheckpointManager
        context, _ = CheckpointManager.resume_from_checkpoint("portable.pkl")
        print('"' + type(context).__name__ + '"')
    """
    assert lineage.run(blind, wait=0, GRAFLOW_LINEAGE="0").told == "ExecutionContext"


APPROVAL = (
    IMPORTS
    + """
    patience = float(sys.argv[1])
    with workflow("approval") as wf:
        @task
        def prepare():
            ran.append("prepare")
        @task(inject_context=True)
        def approve(context):
            ran.append("approve")
            return context.request_approval("Deploy to production?", timeout=patience)
        @task
        def deploy(approve):
            ran.append("deploy")
            return approve
        prepare >> approve >> deploy
        result, context = wf.execute(ret_context=True)
        say(result=result, checkpoint=context.last_checkpoint_path,
            feedback_id=context.checkpoint_metadata.get("user_metadata", {}).get("feedback_id"))
    """
)


def test_an_approval_that_times_out_waits_and_goes_on_from_its_checkpoint(lineage: Lineage) -> None:
    waiting = lineage.run(APPROVAL, "0.6")
    assert waiting.told["ran"] == ["prepare", "approve"]
    assert waiting.execution.status == "waiting"
    (asked,) = waiting.execution.events_of("waiting")
    assert asked["data"]["feedback_id"] == waiting.told["feedback_id"]
    assert (asked["data"]["kind"], asked["data"]["prompt"]) == ("approval", "Deploy to production?")
    resumed = lineage.run(
        IMPORTS
        + """
    from graflow.core.checkpoint import CheckpointManager
    from graflow.hitl.types import FeedbackResponse, FeedbackType
    context, _ = CheckpointManager.resume_from_checkpoint(sys.argv[1])
    response = FeedbackResponse(feedback_id=sys.argv[2], response_type=FeedbackType.APPROVAL, approved=True)
    assert context.feedback_manager.provide_feedback(sys.argv[2], response)
    print(json.dumps({"result": WorkflowEngine().execute(context)}))
    """,
        waiting.told["checkpoint"],
        waiting.told["feedback_id"],
    )
    assert resumed.told["result"] is True
    execution = resumed.execution
    assert (execution.status, execution.ran()) == ("completed", ["approve", "deploy"])
    (start,) = execution.events_of("workflow_started")
    assert start["data"]["resumed_from"] == waiting.execution.id
    # What waited waits no longer, and says what went on from it.
    (handed_on,) = waiting.execution.events_of("workflow_resumed")
    assert handed_on["data"] == {"resumed_by": execution.id}
    row = waiting.execution.detail
    assert (row["status"], row["reason"], row["resumed_by"]) == ("terminated", "resumed", [execution.id])
    assert row["waiting_for"] == []


def test_an_answer_in_time_ends_the_waiting(lineage: Lineage) -> None:
    finished = lineage.run(
        APPROVAL.replace(
            "with workflow",
            """
    from graflow.hitl.manager import FeedbackManager
    from graflow.hitl.types import FeedbackResponse, FeedbackType
    def answer():
        manager = FeedbackManager(backend="filesystem", backend_config={})
        for _ in range(100):
            time.sleep(0.1)
            for request in manager.list_pending_requests():
                if request.prompt == "Deploy to production?":
                    response = FeedbackResponse(
                        feedback_id=request.feedback_id, response_type=FeedbackType.APPROVAL, approved=True)
                    manager.provide_feedback(request.feedback_id, response)
                    return
    threading.Thread(target=answer, daemon=True).start()
    with workflow""",
            1,
        ),
        "20",
    )
    assert finished.told["ran"] == ["prepare", "approve", "deploy"]
    execution = finished.execution
    assert execution.status == "completed"
    (ended,) = execution.events_of("waiting_ended")
    assert ended["data"]["waited_us"] > 0


def test_a_workflow_with_a_tracer_of_the_users_own(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    from graflow.trace.noop import NoopTracer
    told = []
    class Mine(NoopTracer):
        def on_workflow_start(self, name, context):
            told.append(name[:9])
        def on_task_start(self, task, context):
            told.append(task.task_id)
    with workflow("traced", tracer=Mine()) as wf:
        @task
        def only():
            ran.append("only")
        wf.execute()
        say(told=told)
    """
    )
    # The user's tracer is told what it would be told without us.
    assert finished.told["told"] == ["workflow_", "only"]
    assert finished.execution.row["workflow_name"] == "traced"


def test_interpreters_start_as_fast_as_before(tmp_path: Path) -> None:
    def best(environment: dict[str, str]) -> float:
        times = []
        for _ in range(7):
            began = time.monotonic()
            subprocess.run([sys.executable, "-c", "pass"], env=environment, check=True)
            times.append(time.monotonic() - began)
        return min(times)

    off = best({**plain_environment(), "GRAFLOW_LINEAGE": "0"})
    on = best(plain_environment())
    # Importing graflow, or the native core, takes longer.
    assert on - off < 0.15


def test_forks_while_other_threads_record(lineage: Lineage) -> None:
    finished = lineage.run(
        ONE
        + """
    import os
    # A fork in the middle of an import hangs by itself: graflow imports within its methods.
    once("busy", 5)
    stop = threading.Event()
    def busy():
        while not stop.is_set():
            once("busy", 5)
    thread = threading.Thread(target=busy)
    thread.start()
    codes = []
    for n in range(10):
        pid = os.fork()
        if pid == 0:
            once("forked")
            os._exit(0)
        codes.append(os.waitpid(pid, 0)[1])
    stop.set()
    thread.join()
    print(json.dumps(codes))
    """,
        wait=11,
    )
    assert finished.told == [0] * 10
    assert len(finished.named("forked")) == 10
    assert {one.status for one in finished.executions} == {"completed"}
