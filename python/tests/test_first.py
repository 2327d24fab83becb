"""A script that knows nothing of lineage shows up; and where it must not, it does not."""

from __future__ import annotations

import subprocess
import sys

from conftest import Lineage, Server, plain_environment

SCRIPT = """
    import json
    from graflow.core.decorators import task
    from graflow.core.workflow import workflow

    ran = []
    with workflow("first") as wf:
        @task
        def extract():
            ran.append("extract")
            return {"rows": 3}

        @task
        def transform(extract):
            ran.append("transform")
            return extract["rows"] * 2

        @task
        def load(transform):
            ran.append("load")
            return transform + 1

        extract >> transform >> load
        result = wf.execute()
    print(json.dumps({"ran": ran, "result": result}))
"""


def test_a_script_shows_up_unchanged(lineage: Lineage) -> None:
    finished = lineage.run(SCRIPT)
    execution = finished.execution
    assert finished.told == {"ran": ["extract", "transform", "load"], "result": 7}
    assert execution.status == "completed"
    assert execution.row["workflow_name"] == "first"
    assert execution.ran() == finished.told["ran"]
    assert execution.row["total_tasks"] == execution.row["completed_tasks"] == 3
    assert execution.edges_taken() == {("extract", "transform"): 1, ("transform", "load"): 1}
    assert execution.findings() == []
    assert finished.stderr == ""


def test_the_tree_on_the_command_line_is_what_ran(lineage: Lineage, server: Server) -> None:
    execution = lineage.run(SCRIPT).execution
    command = [sys.executable.replace("python", "graflow")]
    from conftest import GRAFLOW

    command = [str(GRAFLOW), "lineage", "show", execution.id]
    environment = {**plain_environment(), "GRAFLOW_LINEAGE_DATA_DIR": str(server.folder), "NO_COLOR": "1"}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    positions = [shown.index(name) for name in ("extract", "transform", "load")]
    assert positions == sorted(positions), shown
    assert "completed" in shown


def test_switched_off_it_records_nothing(lineage: Lineage) -> None:
    finished = lineage.run(SCRIPT, wait=0, GRAFLOW_LINEAGE="0")
    assert finished.told["result"] == 7
    assert lineage.executions("") == [] or finished.executions == []


def test_graflow_is_not_imported_where_nobody_uses_it() -> None:
    program = (
        "import sys; print([m for m in sys.modules if m.split('.')[0] == 'graflow'],"
        " 'graflow_lineage._native' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=plain_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] False"


def test_no_server_then_a_server(own_server: Server, lineage: Lineage) -> None:
    alone = Lineage(own_server, lineage.folder)
    finished = alone.run(SCRIPT)
    assert finished.told["result"] == 7
    own_server.start()
    rows = own_server.get("/api/executions")["executions"]
    assert [(row["workflow_name"], row["status"], row["total_tasks"]) for row in rows] == [("first", "completed", 3)]


def test_a_server_that_does_not_answer_costs_no_result(lineage: Lineage) -> None:
    finished = lineage.run(SCRIPT, wait=0, GRAFLOW_LINEAGE_URL="http://127.0.0.1:9")
    assert finished.told["result"] == 7
    assert finished.stderr == ""


def test_enable_and_disable_in_code(lineage: Lineage) -> None:
    finished = lineage.run(
        """
        import json
        import graflow_lineage
        from graflow.core import engine
        plain = None
        from graflow.core.decorators import task
        from graflow.core.workflow import workflow

        def once(name):
            with workflow(name) as wf:
                @task
                def only():
                    return name
                return wf.execute()

        assert graflow_lineage.is_enabled()
        once("recorded")
        graflow_lineage.disable()
        assert not hasattr(engine.WorkflowEngine.execute, "__wrapped__")
        once("unseen")
        graflow_lineage.enable()
        once("again")
        print(json.dumps([graflow_lineage.flush(), graflow_lineage.link() is not None]))
        """,
        wait=2,
    )
    assert finished.told == ["delivered", True]
    assert sorted(one.row["workflow_name"] for one in finished.executions) == ["again", "recorded"]


def test_a_run_names_its_code(lineage: Lineage) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    git = lineage.folder / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{commit} refs/heads/main\n")
    (start,) = lineage.run(SCRIPT).execution.events_of("workflow_started")
    assert start["data"]["code"]["git_commit"] == commit
    assert start["data"]["code"]["entry"].startswith("program_")
    assert start["data"]["runtime"]["language"] == "python"
