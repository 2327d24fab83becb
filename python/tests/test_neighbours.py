"""Model calls, logs, redis workers, and the objects of the Python face."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from conftest import Lineage, Server
from test_shapes import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_model_calls(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    from graflow.llm.client import LLMClient
    from graflow.llm.agents.base import LLMAgent
    client = LLMClient(model="gpt-4o-mini", enable_tracing=False)
    usage = []
    class Parrot(LLMAgent):
        name = "parrot"
        def run(self, input_text, **kwargs):
            return {"output": input_text, "steps": [], "metadata": {"model": "parrot-1", "usage": {
                "input_tokens": 3, "output_tokens": 4}}}
    with workflow("models") as wf:
        @task
        def ask():
            response = client.completion([{"role": "user", "content": "Say hello"}], mock_response="hello there")
            usage.append([response.usage.prompt_tokens, response.usage.completion_tokens])
            return client.completion_text([{"role": "user", "content": "again"}], mock_response="hello again")
        @task
        def act():
            return Parrot().run("polly")["output"]
        ask >> act
        say(result=wf.execute(), usage=usage)
    """
    )
    execution = finished.execution
    assert finished.told["result"] == "polly"
    calls = execution.events_of("llm_called")
    assert [call["task_id"] for call in calls] == ["ask", "ask", "act"]
    first = calls[0]["data"]
    assert first["model"] == "gpt-4o-mini"
    assert [first["input_tokens"], first["output_tokens"]] == finished.told["usage"][0]
    assert first["cost_usd"] > 0
    assert first["duration_us"] > 0
    assert first["prompt"] == [{"role": "user", "content": "Say hello"}]
    assert first["completion"] == "hello there"
    assert calls[2]["data"]["model"] == "parrot-1"
    assert (calls[2]["data"]["input_tokens"], calls[2]["data"]["output_tokens"]) == (3, 4)


def test_model_calls_without_an_answer(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    from graflow.llm.client import LLMClient
    from graflow.llm.agents.base import LLMAgent
    client = LLMClient(model="gpt-4o-mini", enable_tracing=False)
    class Mute(LLMAgent):
        name = "mute"
        def run(self, input_text, **kwargs):
            raise TimeoutError("nothing was heard of it")
    errors = []
    with workflow("silence") as wf:
        @task
        def ask():
            for answer in ("litellm.RateLimitError", "here I am"):
                try:
                    return client.completion_text([{"role": "user", "content": "Anyone?"}], mock_response=answer)
                except Exception as error:
                    errors.append(type(error).__name__)
        @task
        def act():
            try:
                return Mute().run("polly")
            except TimeoutError as error:
                return str(error)
        ask >> act
        say(result=wf.execute(), errors=errors)
    """
    )
    assert finished.told["result"] == "nothing was heard of it"
    calls = [call["data"] for call in finished.execution.events_of("llm_called")]
    assert [call.get("error", {}).get("type") for call in calls] == [*finished.told["errors"], None, "TimeoutError"]
    assert finished.told["errors"] == ["RateLimitError"]
    assert "completion" not in calls[0]
    assert calls[0]["prompt"] == [{"role": "user", "content": "Anyone?"}]
    assert calls[1]["completion"] == "here I am"
    assert calls[2]["error"]["message"] == "nothing was heard of it"
    assert "graflow_lineage" not in calls[2]["error"]["traceback"]


def test_log_lines_are_under_the_task_that_wrote_them(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    import logging
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    log = logging.getLogger("mine")
    log.info("before any task")
    with workflow("logs") as wf:
        @task
        def first():
            log.info("found %d rows", 3)
            print("printed")
        @task
        def second():
            log.warning("odd")
            for n in range(1_200):
                log.info("line %d", n)
        first >> second
        wf.execute()
    """,
        GRAFLOW_LINEAGE_PRINT="1",
    )
    assert finished.stdout == "printed\n"
    assert finished.stderr.splitlines()[0] == "INFO before any task"
    assert "INFO found 3 rows" in finished.stderr
    logs = finished.execution.events_of("log")
    first = [(log["data"]["level"], log["data"]["message"]) for log in logs if log["task_id"] == "first"]
    assert first == [("info", "found 3 rows"), ("info", "printed")]
    second = [log["data"] for log in logs if log["task_id"] == "second"]
    assert second[0]["message"] == "odd"
    # A thousand lines, and how many there were beyond.
    assert len(second) == 1_001
    assert second[-1]["cut"] == 201


def test_the_managers_face(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    from graflow_lineage import get_lineage_manager
    manager = get_lineage_manager()
    heard = []
    manager.add_listener(lambda event, data: heard.append((event, getattr(data, "task_id", data.execution_id))))
    manager.add_listener(lambda event, data: 1 / 0)
    inside = []
    with workflow("face") as wf:
        @task
        def a():
            inside.append(manager.current_execution)
            return 1
        @task(max_retries=1)
        def b(a):
            if manager.task_executions and len([t for t in manager.task_executions.values() if t.task_id == "b"]) < 2:
                raise ValueError("once")
            return a + 1
        a >> b
        wf.execute()
    (execution,) = manager.executions.values()
    snapshot = manager.get_graph_snapshot()
    json.dumps(snapshot)
    print(json.dumps({
        "id": execution.execution_id, "inside": inside, "current": manager.current_execution,
        "status": execution.status,
        "counts": [execution.total_tasks, execution.completed_tasks, execution.failed_tasks],
        "heard": [event for event, _ in heard],
        "tasks": [[t.task_id, t.status, t.metadata["attempt"]] for t in manager.task_executions.values()],
        "edges": [list(edge) for edge in manager.graph.edges],
        "nodes": {node["id"]: node["data"]["status"] for node in snapshot["nodes"]},
    }))
    """
    )
    told = finished.told
    assert told["id"] == finished.execution.id
    assert told["inside"] == [told["id"]]
    assert told["current"] is None
    assert (told["status"], told["counts"]) == ("completed", [2, 2, 0])
    assert told["heard"] == [
        "workflow_started",
        "task_started",
        "task_completed",
        "task_started",
        "task_failed",
        "task_started",
        "task_completed",
        "workflow_completed",
    ]
    assert told["tasks"] == [["a", "completed", 1], ["b", "failed", 1], ["b", "completed", 2]]
    assert told["edges"] == [["a", "b"]]
    assert told["nodes"] == {"a": "completed", "b": "completed"}


def test_tracking_by_hand(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    from graflow_lineage import get_lineage_manager
    manager = get_lineage_manager()
    with workflow("unused") as wf:
        @task
        def only():
            ran.append("only")
        by_engine = ExecutionContext.create(wf.graph, "only")
        by_engine.start_workflow_tracking("by_engine")
        WorkflowEngine().execute(by_engine)
        context = ExecutionContext.create(wf.graph, "only")
    execution_id = manager.start_workflow_execution("by_hand", context)
    manager.add_task_execution("outer", context)
    manager.add_task_execution("inner", context)
    manager.complete_task_execution("inner", 5, context)
    manager.fail_task_execution("outer", ValueError("no"), context)
    manager.complete_workflow_execution(context)
    print(json.dumps(execution_id))
    """,
        wait=2,
    )
    (by_engine,) = finished.named("by_engine")
    assert (by_engine.status, by_engine.ran()) == ("completed", ["only"])
    (by_hand,) = finished.named("by_hand")
    assert by_hand.id == finished.told
    assert {row["task_id"]: row["status"] for row in by_hand.tasks} == {"outer": "failed", "inner": "completed"}


def test_client_and_drawing(lineage: Lineage, server: Server) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    import graflow_lineage
    from graflow_lineage.client import LineageError
    with workflow("asked") as wf:
        @task(inject_context=True)
        def a(context):
            context.get_channel().set("k", 1)
        @task
        def b(k):
            return k
        a >> b
        wf.execute()
    graflow_lineage.flush()
    client = graflow_lineage.Client()
    (row,) = client.executions(workflow_name="asked", limit=1)
    identifier = row["execution_id"]
    try:
        client.execution("nowhere")
    except LineageError as error:
        refused = str(error)
    print(json.dumps({
        "tasks": [t["task_id"] for t in client.task_executions(identifier)],
        "writes": [w["key"] for w in client.writes(identifier)], "reads": [r["key"] for r in client.reads(identifier)],
        "findings": client.findings(identifier), "refused": refused,
        "svg": graflow_lineage.show()._repr_svg_(), "of_server": graflow_lineage.show(identifier).svg,
        "link": graflow_lineage.link(),
    }))
    """
    )
    told = finished.told
    assert sorted(told["tasks"]) == ["a", "b"]
    assert sorted(told["writes"]) == ["a.__result__", "b.__result__", "k"]
    assert told["reads"] == ["k"]
    assert told["findings"] == []
    assert "404" in told["refused"]
    import xml.etree.ElementTree as ElementTree

    for svg in (told["svg"], told["of_server"]):
        texts = [element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("}text")]
        assert texts == ["✓ a", "✓ b"]
    assert told["link"] == f"{server.url}/executions/{finished.execution.id}"


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    """A redis server on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=10)


WORKFLOW = (
    IMPORTS
    + """
    import os
    from graflow.coordination.coordinator import CoordinationBackend
    port = int(sys.argv[1])
    config = {"host": "127.0.0.1", "port": port, "db": 0, "key_prefix": "test", "decode_responses": True}
    with workflow("distributed") as wf:
        @task(inject_context=True)
        def plan(context):
            context.get_channel().set("base", 10)
        def member(n):
            @task(f"part_{n}", inject_context=True)
            def part(context):
                import os, time
                time.sleep(0.3)
                # graflow 0.2.0 cannot read from the channel here: its worker's client gives bytes.
                context.get_channel().set(f"pid_{n}", os.getpid())
                return 10 + n
            return part
        group = member(0)
        for n in range(1, 4):
            group = group | member(n)
        group = group.set_group_name("parts").with_execution(
            backend=CoordinationBackend.REDIS, backend_config=dict(config))
        @task(inject_context=True)
        def gather(context):
            channel = context.get_channel()
            return [[channel.get(f"part_{n}.__result__"), channel.get(f"pid_{n}")] for n in range(4)]
        plan >> group >> gather
        context = ExecutionContext.create(wf.graph, "plan", channel_backend="redis", config=dict(config))
        print(json.dumps(WorkflowEngine().execute(context)))
    """
)


def test_two_redis_workers_belong_to_the_run_that_sent_the_work(lineage: Lineage, redis_port: int) -> None:
    command = [sys.executable, "-m", "graflow.worker.main", "--redis-host", "127.0.0.1"]
    command += ["--redis-port", str(redis_port), "--redis-key-prefix", "test", "--max-concurrent-tasks", "1"]
    environment = lineage.environment("worker", PYTHONPATH=str(lineage.folder))
    workers = [
        subprocess.Popen(
            [*command, "--worker-id", f"worker-{n}"],
            env=environment,
            cwd=lineage.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for n in range(2)
    ]
    try:
        time.sleep(2)
        finished = lineage.run(WORKFLOW, str(redis_port))
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.wait(timeout=30)
    results = finished.told
    assert [result for result, _ in results] == [10, 11, 12, 13]
    pids = {pid for _, pid in results}
    assert pids <= {worker.pid for worker in workers}
    assert len(pids) == 2
    execution = finished.execution
    until = time.monotonic() + 10
    while len(execution.ran()) < 6 and time.monotonic() < until:
        time.sleep(0.1)
    assert sorted(execution.ran()) == ["gather", "part_0", "part_1", "part_2", "part_3", "plan"]
    assert execution.status == "completed"
    started = {event["task_id"]: event for event in execution.events_of("task_started")}
    for n in range(4):
        event = started[f"part_{n}"]
        assert event["data"]["group"] == "parts"
        assert event["data"]["worker"] in ("worker-0", "worker-1")
        # The producer's name has the process.
        assert int(event["producer"].split("/")[2]) == results[n][1]
    assert execution.edges_taken()[("plan", "parts")] == 1
    assert execution.edges_taken()[("parts", "gather")] == 1
    edges = {(edge["writer"]["task_id"], edge["key"], edge["reader"]["task_id"]) for edge in execution.data["edges"]}
    assert {(f"part_{n}", f"pid_{n}", "gather") for n in range(4)} <= edges
    assert execution.findings() == []
