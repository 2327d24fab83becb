"""Each shape that a run can take: what the API says is what the program counted itself."""

from __future__ import annotations

from conftest import Lineage

IMPORTS = """
    import json, sys, threading, time
    from graflow.core.decorators import task
    from graflow.core.workflow import workflow
    from graflow.core.task import parallel
    from graflow.core.context import ExecutionContext
    from graflow.core.engine import WorkflowEngine
    ran = []
    def say(**told):
        print(json.dumps({"ran": ran, **told}))
"""


def test_a_failure_has_type_message_and_traceback(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("breaks") as wf:
        @task
        def fine():
            ran.append("fine")
        @task
        def breaks():
            ran.append("breaks")
            raise ValueError("no rows in orders.csv")
        @task
        def never():
            ran.append("never")
        fine >> breaks >> never
        try:
            wf.execute()
        except Exception as error:
            say(error=type(error).__name__)
    """
    )
    execution = finished.execution
    assert execution.status == "failed"
    assert execution.ran() == finished.told["ran"] == ["fine", "breaks"]
    assert (execution.row["completed_tasks"], execution.row["failed_tasks"]) == (1, 1)
    (failed,) = execution.events_of("task_failed")
    error = failed["data"]["error"]
    assert (error["type"], error["message"]) == ("ValueError", "no rows in orders.csv")
    assert 'raise ValueError("no rows in orders.csv")' in error["traceback"]
    assert "graflow_lineage" not in error["traceback"]


def test_each_retry_is_an_attempt_of_its_own(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("retries") as wf:
        @task(max_retries=3)
        def flaky():
            ran.append("flaky")
            if len(ran) < 3:
                raise OSError(f"try {len(ran)}")
            return len(ran)
        @task
        def after(flaky):
            ran.append("after")
            return flaky
        flaky >> after
        say(result=wf.execute())
    """
    )
    execution = finished.execution
    assert execution.status == "completed"
    assert execution.ran() == finished.told["ran"] == ["flaky", "flaky", "flaky", "after"]
    attempts = [
        (row["attempt"], row["iteration"], row["status"]) for row in execution.tasks if row["task_id"] == "flaky"
    ]
    assert attempts == [(1, 0, "failed"), (2, 0, "failed"), (3, 0, "completed")]
    assert len(execution.events_of("task_retried")) == 2
    # A retried attempt is no failed task.
    assert (execution.row["total_tasks"], execution.row["failed_tasks"]) == (2, 0)
    assert execution.findings() == []


def test_retries_that_run_out_fail(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("gives_up") as wf:
        @task(max_retries=1)
        def never_works():
            ran.append("never_works")
            raise OSError("always")
        try:
            wf.execute()
        except Exception as error:
            say(error=type(error).__name__)
    """
    )
    execution = finished.execution
    assert finished.told["error"] == "RetryLimitExceededError"
    assert execution.status == "failed"
    assert [row["attempt"] for row in execution.tasks] == [1, 2]
    assert execution.row["failed_tasks"] == 1
    (end,) = execution.events_of("workflow_failed")
    assert end["data"]["error"]["type"] == "RetryLimitExceededError"


def test_iterations_are_passes_of_one_task(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("loop") as wf:
        @task(inject_context=True)
        def fit(context, data=None):
            n = 0 if data is None else data["n"]
            ran.append("fit")
            if n < 4:
                context.next_iteration({"n": n + 1})
            return n
        say(result=wf.execute())
    """
    )
    execution = finished.execution
    assert execution.ran() == finished.told["ran"] == ["fit"] * 5
    assert [row["iteration"] for row in execution.tasks] == [0, 1, 2, 3, 4]
    assert [node["id"] for node in execution.graph["nodes"]] == ["fit"]
    assert execution.edge("fit", "fit")["taken"]["iteration"] == 4


def test_a_name_that_looks_like_an_iteration_is_none(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("look_alike") as wf:
        @task("step_cycle_1_abcdef01")
        def step():
            ran.append("step")
        say(result=wf.execute())
    """
    )
    assert finished.execution.ran() == ["step_cycle_1_abcdef01"]
    assert finished.execution.tasks[0]["iteration"] == 0


def test_a_back_edge_is_a_loop(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("back_edge") as wf:
        @task
        def start():
            ran.append("start")
        @task
        def work():
            ran.append("work")
        @task(inject_context=True)
        def check(context):
            ran.append("check")
            if ran.count("check") == 3:
                context.terminate_workflow("enough")
        start >> work >> check >> work
        wf.execute("start")
        say()
    """
    )
    execution = finished.execution
    assert execution.ran() == finished.told["ran"]
    passes = [(row["task_id"], row["iteration"]) for row in execution.tasks]
    assert passes == [("start", 0), ("work", 0), ("check", 0), ("work", 1), ("check", 1), ("work", 2), ("check", 2)]
    assert execution.edges_taken() == {("start", "work"): 1, ("work", "check"): 3, ("check", "work"): 2}


def test_dynamic_tasks_and_their_family(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("dynamic") as wf:
        @task(inject_context=True)
        def plan(context):
            ran.append("plan")
            from graflow.core.task import TaskWrapper
            for n in range(3):
                def fetch(n=n):
                    ran.append(f"fetch_{n}")
                context.next_task(TaskWrapper(f"fetch_{n}", fetch, register_to_context=False))
        @task
        def after():
            ran.append("after")
        plan >> after
        wf.execute()
        say()
    """
    )
    execution = finished.execution
    assert sorted(execution.ran()) == sorted(finished.told["ran"])
    assert set(execution.edges_taken()) == {("plan", f"fetch_{n}") for n in range(3)} | {("plan", "after")}
    assert execution.edge("plan", "fetch_1")["taken"]["dynamic"] == 1
    assert execution.edge("plan", "fetch_1")["kind"] == "dynamic"
    declared = [node for event in execution.events_of("graph_changed") for node in event["data"].get("nodes", [])]
    assert {node.get("family") for node in declared if node["kind"] == "dynamic"} == {"fetch"}
    assert execution.findings() == []


def test_a_jump_skips_what_follows(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("jump") as wf:
        @task(inject_context=True)
        def route(context):
            ran.append("route")
            context.next_task(end)
        @task
        def audit():
            ran.append("audit")
        @task
        def end():
            ran.append("end")
        route >> audit >> end
        wf.execute()
        say()
    """
    )
    execution = finished.execution
    assert execution.ran() == finished.told["ran"] == ["route", "end"]
    assert execution.edges_taken() == {("route", "end"): 1}
    assert execution.edge("route", "end")["taken"]["jump"] == 1
    assert execution.findings() == ["declared_never_ran"]


def test_a_task_built_within_the_workflow_is_dynamic_and_what_it_skips_is_told(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("registers_itself") as wf:
        @task(inject_context=True)
        def opt(context):
            ran.append("opt")
            @task("extra")
            def extra():
                ran.append("extra")
            context.next_task(extra)
        @task
        def after():
            ran.append("after")
        opt >> after
        wf.execute()
        say()
    """
    )
    execution = finished.execution
    # graflow takes it for a jump, so that `after` never runs; we tell it for what it is.
    assert execution.ran() == finished.told["ran"] == ["opt", "extra"]
    assert execution.edge("opt", "extra")["taken"]["dynamic"] == 1
    assert execution.findings() == ["declared_never_ran"]


def test_a_join_that_runs_twice_is_shown_twice(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("diamond") as wf:
        for name in "abcd":
            def run(name=name):
                ran.append(name)
            globals()[name] = task(name)(run)
        a >> b >> d
        a >> c >> d
        wf.execute()
        say()
    """
    )
    execution = finished.execution
    assert execution.ran() == finished.told["ran"] == ["a", "b", "c", "d", "d"]
    assert execution.edges_taken() == {("a", "b"): 1, ("a", "c"): 1, ("b", "d"): 1, ("c", "d"): 1}
    assert execution.findings() == ["join_ran_n_times"]


def test_members_of_a_group_in_threads(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    threads = {}
    with workflow("group") as wf:
        @task
        def split():
            ran.append("split")
        @task
        def left():
            threads["left"] = threading.current_thread().name
        @task
        def right():
            threads["right"] = threading.current_thread().name
        @task
        def join():
            ran.append("join")
        split >> (left | right).set_group_name("both") >> join
        wf.execute("split")
        say(threads=threads)
    """
    )
    execution = finished.execution
    told = finished.told
    assert execution.status == "completed"
    assert sorted(execution.ran()) == ["join", "left", "right", "split"]
    members = {row["task_id"]: row for row in execution.tasks if row["task_id"] in ("left", "right")}
    started = {event["task_id"]: event["data"] for event in execution.events_of("task_started")}
    assert {name: started[name]["thread"] for name in members} == told["threads"]
    assert {started[name]["group"] for name in members} == {"both"}
    edges = execution.edges_taken()
    assert edges[("split", "both")] == 1
    assert edges[("both", "join")] == 1
    kinds = {node["id"]: node["data"]["kind"] for node in execution.graph["nodes"]}
    assert kinds["both"] == "group"
    assert execution.findings() == []


def test_members_of_a_group_without_threads(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    from graflow.coordination.coordinator import CoordinationBackend
    with workflow("direct_group") as wf:
        @task
        def split():
            ran.append("split")
        @task
        def left():
            ran.append("left")
        @task
        def right():
            ran.append("right")
        @task
        def join():
            ran.append("join")
        group = (left | right).set_group_name("both").with_execution(backend=CoordinationBackend.DIRECT)
        split >> group >> join
        wf.execute("split")
        say()
    """
    )
    execution = finished.execution
    assert execution.status == "completed"
    assert execution.ran() == finished.told["ran"] == ["split", "left", "right", "join"]
    assert execution.edges_taken()[("both", "join")] == 1
    assert len(execution.events_of("workflow_started")) == 1
    assert execution.findings() == []


def test_a_member_that_fails_fails_its_group(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("group_fails") as wf:
        @task
        def good():
            ran.append("good")
        @task
        def bad():
            raise RuntimeError("bad member")
        (good | bad).set_group_name("both")
        try:
            wf.execute("both")
        except Exception as error:
            say(error=type(error).__name__)
    """
    )
    execution = finished.execution
    assert execution.status == "failed"
    statuses = {row["task_id"]: row["status"] for row in execution.tasks}
    assert statuses == {"good": "completed", "bad": "failed"}
    nodes = {node["id"]: node["data"]["status"] for node in execution.graph["nodes"]}
    assert nodes["both"] == "failed"


def test_iterations_within_a_group(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    counts = {"left": 0, "right": 0}
    def member(name, passes):
        @task(name, inject_context=True)
        def run(context, data=None):
            counts[name] += 1
            if counts[name] < passes:
                context.next_iteration(counts[name])
        return run
    with workflow("loops_in_group") as wf:
        (member("left", 3) | member("right", 2)).set_group_name("both")
        wf.execute("both")
        say(counts=counts)
    """
    )
    execution = finished.execution
    counted = {name: execution.ran().count(name) for name in ("left", "right")}
    assert counted == finished.told["counts"] == {"left": 3, "right": 2}
    assert execution.edge("left", "left")["taken"]["iteration"] == 2


def test_max_steps_cuts_and_an_exact_fit_does_not(lineage: Lineage) -> None:
    program = (
        IMPORTS
        + """
    with workflow("steps") as wf:
        for name in "abc":
            def run(name=name):
                ran.append(name)
            globals()[name] = task(name)(run)
        a >> b >> c
        wf.execute(max_steps=int(sys.argv[1]))
        say()
    """
    )
    cut = lineage.run(program, "2")
    assert cut.execution.status == "max_steps"
    assert cut.execution.ran() == cut.told["ran"] == ["a", "b"]
    assert "cut_by_max_steps" in cut.execution.findings()
    exact = lineage.run(program, "3")
    assert exact.execution.status == "completed"
    assert exact.execution.ran() == exact.told["ran"] == ["a", "b", "c"]


def test_terminate_and_cancel_say_why(lineage: Lineage) -> None:
    program = (
        IMPORTS
        + """
    with workflow("stops") as wf:
        @task(inject_context=True)
        def first(context):
            ran.append("first")
            getattr(context, sys.argv[1] + "_workflow")("the cache has it")
        @task
        def second():
            ran.append("second")
        first >> second
        try:
            wf.execute()
        except Exception as error:
            say(error=type(error).__name__)
        else:
            say(error=None)
    """
    )
    terminated = lineage.run(program, "terminate")
    assert terminated.execution.status == "terminated"
    (end,) = terminated.execution.events_of("workflow_terminated")
    assert end["data"]["reason"] == "the cache has it"
    assert terminated.execution.tasks[0]["status"] == "completed"
    cancelled = lineage.run(program, "cancel")
    assert cancelled.told["error"] == "GraflowWorkflowCanceledError"
    assert cancelled.execution.status == "cancelled"
    assert cancelled.execution.tasks[0]["status"] == "cancelled"
    (end,) = cancelled.execution.events_of("workflow_cancelled")
    assert end["data"]["reason"] == "the cache has it"


def test_system_exit_and_interrupt_end_a_run(lineage: Lineage) -> None:
    program = (
        IMPORTS
        + """
    with workflow("leaves") as wf:
        @task
        def leave():
            raise {"exit": SystemExit(3), "interrupt": KeyboardInterrupt()}[sys.argv[1]]
        wf.execute()
    """
    )
    left = lineage.run(program, "exit", code=3)
    assert left.execution.status == "failed"
    assert left.execution.tasks[0]["status"] == "failed"
    interrupted = lineage.run(program, "interrupt", code=None)
    assert interrupted.execution.status == "cancelled"
    assert interrupted.execution.tasks[0]["status"] == "cancelled"


def test_a_nested_workflow_knows_the_task_that_started_it(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    def inner(n):
        with workflow(f"inner_{n}") as wf:
            @task(f"work_{n}")
            def work():
                ran.append(n)
                return n * 10
            return wf.execute()
    with workflow("outer") as wf:
        @task
        def first():
            return inner(1)
        @task
        def second(first):
            return first + inner(2)
        first >> second
        say(result=wf.execute())
    """,
        wait=3,
    )
    assert finished.told == {"ran": [1, 2], "result": 30}
    (outer,) = finished.named("outer")
    by_task = {row["task_id"]: row["task_execution_id"] for row in outer.tasks}
    for number, starter in ((1, "first"), (2, "second")):
        (inner,) = finished.named(f"inner_{number}")
        (start,) = inner.events_of("workflow_started")
        assert start["data"]["parent"] == {"execution_id": outer.id, "task_execution_id": by_task[starter]}
        assert inner.ran() == [f"work_{number}"]


def test_workflows_at_once_keep_apart(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    counts = {}
    def one(name, tasks):
        with workflow(name) as wf:
            chain = None
            for n in range(tasks):
                def run(n=n):
                    time.sleep(0.005)
                    counts[name] = counts.get(name, 0) + 1
                step = task(f"step_{n}")(run)
                chain = step if chain is None else chain >> step
            wf.execute()
    threads = [threading.Thread(target=one, args=(f"at_once_{n}", 5 + n)) for n in range(5)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    say(counts=counts)
    """,
        wait=5,
    )
    found = {one.row["workflow_name"]: len(one.ran()) for one in finished.executions}
    assert found == finished.told["counts"] == {f"at_once_{n}": 5 + n for n in range(5)}
    assert all(one.status == "completed" for one in finished.executions)


def test_run_outside_of_a_workflow_is_none(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    @task
    def alone():
        return 5
    say(result=alone.run())
    """,
        wait=0,
    )
    assert finished.told["result"] == 5
    assert finished.executions == []


def test_a_start_that_is_not_in_the_graph(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("unknown_node") as wf:
        @task
        def only():
            ran.append("only")
        context = ExecutionContext.create(wf.graph, "only")
        try:
            WorkflowEngine().execute(context, start_task_id="nowhere")
        except Exception as error:
            say(error=type(error).__name__)
    """
    )
    execution = finished.execution
    assert execution.status == "failed"
    assert execution.row["workflow_name"] == "unknown_node"
    assert execution.ran() == []
    (end,) = execution.events_of("workflow_failed")
    assert "nowhere" in end["data"]["error"]["message"]


def test_a_task_that_is_not_to_be_told_of(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    import graflow_lineage
    with workflow("hidden") as wf:
        @task
        def before():
            ran.append("before")
        @graflow_lineage.task(track_lineage=False, inject_context=True)
        def secret(context):
            ran.append("secret")
            context.get_channel().set("pin", "1234")
            return "1234"
        @task
        def after():
            ran.append("after")
        before >> secret >> after
        wf.execute()
        say()
    """
    )
    execution = finished.execution
    assert finished.told["ran"] == ["before", "secret", "after"]
    assert execution.ran() == ["before", "after"]
    assert "1234" not in str(execution.events)
    assert {node["id"] for node in execution.graph["nodes"]} == {"before", "secret", "after"}
    assert execution.findings() == []
