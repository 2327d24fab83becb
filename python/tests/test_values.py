"""What tasks write and read, and how much of it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Execution, Lineage
from test_shapes import IMPORTS


def edges(execution: Execution) -> set[tuple[str, str, str]]:
    return {
        (edge["writer"]["task_id"], edge["key"], edge["reader"]["task_id"])
        for edge in execution.data["edges"]
        if edge["writer"] and edge["writer"]["task_id"]
    }


def test_results_and_keys_lead_from_writer_to_reader(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("values") as wf:
        @task(inject_context=True)
        def extract(context):
            context.get_channel().set("rows", [1, 2, 3])
            return {"source": "orders"}
        @task(inject_context=True)
        def load(context, extract, rows, limit=10):
            channel = context.get_channel()
            channel.append("seen", len(rows))
            channel.append("seen", limit)
            channel.atomic_add("count", 2)
            channel.delete("rows")
            assert channel.get("nothing", "default") == "default"
            return [extract["source"], channel.get("seen"), channel.get("count")]
        extract >> load
        say(result=wf.execute())
    """
    )
    assert finished.told["result"] == ["orders", [3, 10], 2]
    execution = finished.execution
    assert edges(execution) >= {
        ("extract", "extract.__result__", "load"),
        ("extract", "rows", "load"),
        ("load", "seen", "load"),
        ("load", "count", "load"),
    }
    reads = {(read["key"], read["resolved_parameter"]) for read in execution.data["reads"]}
    assert {("extract.__result__", "extract"), ("rows", "rows"), ("seen", None), ("count", None)} <= reads
    written = [event["data"] for event in execution.events_of("data_written")]
    own = [
        (data["key"], data.get("operation"), data.get("deleted", False)) for data in written if not data.get("system")
    ]
    assert own == [
        ("rows", None, False),
        ("seen", "append", False),
        ("seen", "append", False),
        ("count", "atomic_add", False),
        ("rows", None, True),
    ]
    assert execution.findings() == []


def test_a_typed_channel_counts_once(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    from typing import TypedDict
    class Message(TypedDict):
        text: str
    with workflow("typed") as wf:
        @task(inject_context=True)
        def send(context):
            context.get_typed_channel(Message).send("greeting", {"text": "hello"})
        @task(inject_context=True)
        def receive(context):
            return context.get_typed_channel(Message).receive("greeting")["text"]
        send >> receive
        say(result=wf.execute())
    """
    )
    data = finished.execution.data
    assert [write["key"] for write in data["writes"] if write["key"] == "greeting"] == ["greeting"]
    assert [read["key"] for read in data["reads"]] == ["greeting"]
    assert ("send", "greeting", "receive") in edges(finished.execution)


def test_copies_of_branches_are_nobodys_writes(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("copies") as wf:
        @task(inject_context=True)
        def start(context):
            for n in range(5):
                context.get_channel().set(f"key_{n}", n)
        @task(inject_context=True)
        def left(context):
            context.get_channel().set("from_left", context.get_channel().get("key_1"))
        @task(inject_context=True)
        def right(context):
            context.get_channel().set("from_right", context.get_channel().get("key_2"))
        @task
        def end(from_left, from_right):
            return from_left + from_right
        start >> (left | right) >> end
        say(result=wf.execute("start"))
    """
    )
    assert finished.told["result"] == 3
    execution = finished.execution
    writes = [write["key"] for write in execution.data["writes"] if not write["key"].endswith("__result__")]
    assert sorted(writes) == ["from_left", "from_right", *(f"key_{n}" for n in range(5))]
    assert {("start", "key_1", "left"), ("left", "from_left", "end"), ("right", "from_right", "end")} <= edges(
        execution
    )
    assert execution.findings() == []


def test_a_write_that_a_merge_loses_is_found(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("lost_write") as wf:
        @task(inject_context=True)
        def start(context):
            context.get_channel().set("status", "new")
        @task(inject_context=True)
        def quick(context):
            context.get_channel().set("status", "done by quick")
        @task
        def slow():
            time.sleep(0.2)
        @task
        def end(status):
            return status
        start >> (quick | slow).with_execution(backend_config={"thread_count": 2}) >> end
        say(result=wf.execute("start"))
    """
    )
    # graflow writes the copy of `slow` back, which still has the old value.
    assert finished.told["result"] == "new"
    execution = finished.execution
    assert "write_lost_in_merge" in execution.findings()
    assert ("start", "status", "end") in edges(execution)


def test_a_parameter_that_nothing_fills_is_found(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("unresolved") as wf:
        @task
        def needs(ordrs):
            return ordrs
        try:
            wf.execute()
        except Exception as error:
            say(error=type(error).__name__)
    """
    )
    assert finished.execution.findings() == ["unresolved_parameter"]


def test_what_lies_in_the_channel_before_the_first_task(lineage: Lineage) -> None:
    finished = lineage.run(
        IMPORTS
        + """
    with workflow("initial") as wf:
        @task
        def double(x):
            return 2 * x
        say(result=wf.execute(initial_channel={"x": 21}))
    """
    )
    assert finished.told["result"] == 42
    (read,) = finished.execution.data["reads"]
    assert (read["key"], read["resolved_parameter"]) == ("x", "x")


HOSTILE = (
    IMPORTS
    + """
    class Hostile:
        calls = []
        def _no(self, *a, **k):
            import traceback
            Hostile.calls.append(traceback.extract_stack()[-2].name)
            raise RuntimeError("not to be looked at")
        __repr__ = __str__ = __len__ = __sizeof__ = __eq__ = __bool__ = __iter__ = __reduce__ = __hash__ = _no
        def __getattr__(self, name):
            Hostile.calls.append(name)
            raise RuntimeError("not to be looked at")
    with workflow("hostile") as wf:
        @task(inject_context=True)
        def make(context):
            context.get_channel().set("thing", Hostile())
            context.get_channel().set("list", [1, Hostile()])
            return Hostile()
        @task
        def use(make, thing):
            return type(make).__name__
        make >> use
        say(result=wf.execute(), calls=Hostile.calls)
    """
)


def test_values_that_must_not_be_touched_are_not(lineage: Lineage) -> None:
    finished = lineage.run(HOSTILE)
    assert finished.told["result"] == "Hostile"
    assert finished.told["calls"] == []
    execution = finished.execution
    hashes = {write["key"]: write["hash"] for write in execution.data["writes"]}
    assert hashes["thing"] == hashes["list"] == hashes["make.__result__"] == "hash_skipped:not_serializable"
    assert execution.status == "completed"


SECRETS = (
    IMPORTS
    + """
    import graflow_lineage
    with workflow("secrets") as wf:
        @task(inject_context=True)
        def login(context):
            context.get_channel().set("session", {"user": "ann-marie", "password": "hunter2", "note": "Bearer abc.def"})
            context.get_channel().set("card", "4111-1111")
            return {"ok": True}
        wf.execute()
    """
)


@pytest.mark.parametrize(
    ("values", "has_hash", "has_preview"),
    [("off", False, False), ("metadata", True, False), ("preview", True, True), ("full", True, True)],
)
def test_the_policy_says_how_much_is_told(lineage: Lineage, values: str, has_hash: bool, has_preview: bool) -> None:
    execution = lineage.run(SECRETS, GRAFLOW_LINEAGE_VALUES=values).execution
    written = {event["data"]["key"]: event["data"] for event in execution.events_of("data_written")}
    session = written["session"]
    assert ("hash" in session, "preview" in session) == (has_hash, has_preview)
    text = json.dumps(execution.events)
    assert "hunter2" not in text
    assert "abc.def" not in text
    assert ("ann-marie" in text) == has_preview


def test_preview_is_the_default_towards_a_local_server_only(lineage: Lineage) -> None:
    execution = lineage.run(SECRETS).execution
    assert any("preview" in event["data"] for event in execution.events_of("data_written"))
    finished = lineage.run(
        """
        import json
        from graflow_lineage import _native
        print(json.dumps(_native.default_policy()))
        """,
        wait=0,
        GRAFLOW_LINEAGE_URL="http://lineage.example:8000",
    )
    assert finished.told == "metadata"


def test_rules_and_a_redaction_of_ones_own(lineage: Lineage) -> None:
    program = SECRETS.replace(
        "import graflow_lineage\n",
        "import graflow_lineage\n"
        "    graflow_lineage.enable(values='preview', rules=[('secrets', 'login', 'session', 'metadata')],\n"
        "        redact=lambda key, value: 'hidden' if key == 'card' else value)\n",
    )
    execution = lineage.run(program).execution
    written = {event["data"]["key"]: event["data"] for event in execution.events_of("data_written")}
    assert "preview" not in written["session"]
    assert written["card"]["preview"] == "hidden"
    assert "4111" not in json.dumps(execution.events)


def test_a_redaction_that_fails_shows_nothing(lineage: Lineage) -> None:
    program = SECRETS.replace(
        "import graflow_lineage\n",
        "import graflow_lineage\n    graflow_lineage.enable(redact=lambda key, value: 1 / 0)\n",
    )
    execution = lineage.run(program).execution
    assert execution.status == "completed"
    for event in execution.events_of("data_written"):
        assert not {"hash", "preview", "size"} & set(event["data"])


def described(value: Any, policy: str = "metadata") -> tuple[str, int | None, str | None, str | None]:
    from graflow_lineage import _native

    return _native.describe(value, policy)


# The table of docs/reference/values.md: the same value has the same hash in every language.
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "a74e0b1433b54b7a33bfe58e60093239"),
        (True, "0538661423236a5d8df6286a8633369e"),
        (-7, "63b7c369cda00b1d393b0f4cbc899bd6"),
        (1.5, "bf312ad8f4960509f624c3886d5ece1c"),
        ("näh", "93658122d472040a7d19157e38c5418f"),
        ([1, "a"], "f08ee1d22412d617457ac16cc21c19b2"),
        ((1, "a"), "f08ee1d22412d617457ac16cc21c19b2"),
        ({"b": 1, "a": [None]}, "175c295249d9dba9e7183544ecd4e4e6"),
        ({"a": [None], "b": 1}, "175c295249d9dba9e7183544ecd4e4e6"),
        ({"model": None, "input_tokens": 12}, "150ee4ab6876888c375943ea8efbd08d"),
    ],
)
def test_hashes_are_those_of_every_language(value: Any, expected: str) -> None:
    assert described(value)[2] == f"blake3:{expected}"


def test_values_at_the_edges() -> None:
    assert described({3, 1, 2})[2] == described({2, 3, 1})[2]
    assert described(float("nan"))[2] == described(-float("nan"))[2]
    assert described(0.0)[2] == described(-0.0)[2]
    assert described(10**30)[1] == 33
    assert described(10**5000)[2] == "hash_skipped:too_large"
    assert described("x" * 70_000)[2] == "hash_skipped:too_large"
    assert described("\ud800")[2] == "hash_skipped:not_serializable"
    assert described([[0]] * 2_000)[2] == "hash_skipped:too_large"
    assert described(object())[0] == "object"
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    assert described(deep)[2] == "hash_skipped:too_deep"


def test_long_buffers_are_sampled() -> None:
    import array

    long = bytearray(range(256)) * 8_000
    type_name, size, value_hash, preview = described(bytes(long), "preview")
    assert (type_name, size, preview) == ("bytes", 2_048_000, None)
    assert str(value_hash).startswith("blake3-sampled:")
    assert described(long)[1:3] == described(bytes(long))[1:3]
    assert described(memoryview(long))[2] == value_hash
    long[-1] ^= 1
    assert described(bytes(long))[2] != value_hash
    assert described(array.array("d", [1.0] * 10))[1] == 80


def test_previews() -> None:
    assert described({"a": [1, None, 2.5, True, "x"], "token": "t"}, "preview")[3] == (
        '{"a":[1,null,2.5,true,"x"],"token":"[redacted]"}'
    )
    cut = described("y" * 5_000, "preview")[3]
    assert cut is not None
    assert 2_000 < len(json.loads(cut)) < 2_100
    assert described("y" * 5_000, "full")[3] == json.dumps("y" * 5_000)
