"""Programs as a person would write them: what the API says is what they counted themselves."""

from __future__ import annotations

from conftest import Lineage
from test_shapes import IMPORTS


def test_an_agent_that_calls_a_model_until_it_is_content(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    from graflow.llm.client import LLMClient
    client = LLMClient(model="gpt-4o-mini", enable_tracing=False)
    answers = ["search: rust", "search: python", "done: 42"]
    tokens = []
    with workflow("agent") as wf:
        @task(inject_context=True)
        def think(context, data=None):
            turn = 0 if data is None else data["turn"]
            messages = [{"role": "user", "content": f"turn {turn}"}]
            response = client.completion(messages, mock_response=answers[turn])
            tokens.append(response.usage.prompt_tokens + response.usage.completion_tokens)
            said = response.choices[0].message.content
            context.get_channel().append("transcript", said)
            if not said.startswith("done"):
                context.next_iteration({"turn": turn + 1})
            return said
        answer = wf.execute()
    say(answer=answer, tokens=tokens)
    """
    )
    execution = finished.execution
    assert finished.told["answer"] == "done: 42"
    assert [(row["task_id"], row["iteration"]) for row in execution.tasks] == [("think", n) for n in range(3)]
    calls = [event["data"] for event in execution.events_of("llm_called")]
    assert [call["input_tokens"] + call["output_tokens"] for call in calls] == finished.told["tokens"]
    assert [call["completion"] for call in calls] == ["search: rust", "search: python", "done: 42"]
    assert len([write for write in execution.data["writes"] if write["key"] == "transcript"]) == 3


def test_a_fan_out_over_files(lineage: Lineage) -> None:
    for number in range(6):
        (lineage.folder / f"part_{number}.txt").write_text("line\n" * (number + 1))
    finished = lineage.run(
        IMPORTS
        + """
    from pathlib import Path
    with workflow("files") as wf:
        @task
        def find():
            return sorted(path.name for path in Path(".").glob("part_*.txt"))
        members = []
        for path in sorted(Path(".").glob("part_*.txt")):
            @task(f"count_{path.stem}")
            def count(path=str(path)):
                return len(Path(path).read_text().splitlines())
            members.append(count)
        each = parallel(*members).set_group_name("each")
        @task(inject_context=True)
        def total(context):
            return sum(context.get_result(member.task_id) for member in members)
        find >> each >> total
        say(total=wf.execute("find"))
    """
    )
    execution = finished.execution
    assert finished.told["total"] == 21
    assert sorted(execution.ran()) == [*(f"count_part_{n}" for n in range(6)), "find", "total"]
    readers = {(edge["writer"]["task_id"], edge["reader"]["task_id"]) for edge in execution.data["edges"]}
    assert {(f"count_part_{n}", "total") for n in range(6)} <= readers
    group = next(node["data"] for node in execution.graph["nodes"] if node["id"] == "each")
    assert sorted(group["members"]) == [f"count_part_{n}" for n in range(6)]
    assert execution.findings() == []


def test_an_etl_with_retries_and_bad_rows(lineage: Lineage) -> None:
    (lineage.folder / "orders.csv").write_text("id,amount\n1,10\n2,x\n3,30\n")
    finished = lineage.run(
        IMPORTS
        + """
    import csv, logging
    log = logging.getLogger("etl")
    logging.basicConfig(level=logging.WARNING)
    tries = []
    with workflow("etl") as wf:
        @task
        def extract():
            with open("orders.csv") as file:
                return list(csv.DictReader(file))
        @task
        def validate(extract):
            good = []
            for row in extract:
                if row["amount"].isdigit():
                    good.append({"id": int(row["id"]), "amount": int(row["amount"])})
                else:
                    log.warning("row %s has no amount", row["id"])
            return good
        @task(max_retries=2)
        def enrich(validate):
            tries.append(len(tries))
            if len(tries) < 3:
                raise TimeoutError("rates are slow")
            return [{**row, "rate": 1.1} for row in validate]
        @task
        def load(enrich):
            return round(sum(row["amount"] * row["rate"] for row in enrich), 2)
        extract >> validate >> enrich >> load
        say(total=wf.execute(), tries=len(tries))
    """
    )
    execution = finished.execution
    assert finished.told == {"ran": [], "total": 44.0, "tries": 3}
    assert execution.ran() == ["extract", "validate", *["enrich"] * finished.told["tries"], "load"]
    assert execution.status == "completed"
    (line,) = execution.events_of("log")
    assert (line["task_id"], line["data"]["message"]) == ("validate", "row 2 has no amount")
    errors = [event["data"]["error"]["type"] for event in execution.events_of("task_failed")]
    assert errors == ["TimeoutError", "TimeoutError"]


def test_a_long_script_leaves_memory_flat(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    import resource, graflow_lineage
    def once(n):
        with workflow(f"many_{n % 3}") as wf:
            last = None
            for step in range(20):
                @task(f"step_{step}")
                def run():
                    return "x" * 100
                last = run if last is None else last >> run
            wf.execute("step_0")
    def used():
        graflow_lineage.flush(10)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for n in range(150):
        once(n)
    before = used()
    for n in range(300):
        once(n)
    print(json.dumps(used() - before))
    """,
        wait=450,
    )
    # 24,000 events more; kilobytes.
    assert finished.told < 16_000
