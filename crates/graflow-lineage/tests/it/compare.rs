//! Two runs beside each other.

use graflow_lineage::analysis::{Comparison, Side, compare};
use graflow_model::Timestamp;
use graflow_model::row::{DataFlow, ExecutionRow, TaskExecutionRow};
use serde_json::{Value, json};

fn time(millis: i64) -> Timestamp {
    Timestamp::from_micros(1_795_435_200_000_000 + millis * 1_000)
}

/// A run with the things that tests change.
struct Run {
    execution: ExecutionRow,
    tasks: Vec<TaskExecutionRow>,
    data: DataFlow,
    begin: i64,
}

impl Run {
    fn new(begin: i64, more: Value) -> Self {
        let mut fields = json!({
            "execution_id": format!("run-{begin}"), "workflow_name": "w", "start_time": time(begin),
            "end_time": time(begin + 1_000), "status": "completed",
            "duration": {"micros": 1_000_000, "source": "mono"}, "total_tasks": 0, "completed_tasks": 0,
            "failed_tasks": 0, "running_tasks": 0, "retried_tasks": 0, "labels": {}, "inputs": {},
            "llm": {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "duration_us": 0},
            "waiting_for": [], "last_event_time": time(begin + 1_000),
        });
        let Value::Object(more) = more else { panic!("fields expected") };
        fields.as_object_mut().unwrap().extend(more);
        let execution = serde_json::from_value(fields).unwrap();
        Self { execution, tasks: Vec::new(), data: DataFlow::default(), begin }
    }

    fn task(mut self, name: &str, after: i64, millis: u64, more: Value) -> Self {
        let start = self.begin + after;
        let end = start + i64::try_from(millis).unwrap();
        let place = self.tasks.len();
        let mut fields = json!({
            "task_execution_id": format!("{name}-{place}"), "execution_id": self.execution.execution_id,
            "workflow_name": "w", "task_id": name, "iteration": 0, "attempt": 1, "status": "completed",
            "start_time": time(start), "end_time": time(end),
            "duration": {"micros": millis * 1_000, "source": "mono"}, "will_retry": false, "causes": [], "writes": 0,
            "reads": 0,
            "llm": {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "duration_us": 0},
        });
        let Value::Object(more) = more else { panic!("fields expected") };
        fields.as_object_mut().unwrap().extend(more);
        self.tasks.push(serde_json::from_value(fields).unwrap());
        self
    }

    /// The task execution that began last writes the next version of a key.
    fn writes(mut self, after: i64, key: &str, hash: Option<&str>) -> Self {
        let writer = self.tasks.last().unwrap();
        let version = self.data.writes.iter().filter(|write| write.key.as_str() == key).count() + 1;
        let row = json!({
            "event_id": format!("w-{}-{}", self.begin, self.data.writes.len()), "channel": "main", "key": key,
            "version": version, "task_id": writer.task_id, "task_execution_id": writer.task_execution_id,
            "time": time(self.begin + after), "hash": hash, "system": false, "deleted": false,
        });
        self.data.writes.push(serde_json::from_value(row).unwrap());
        self
    }

    fn reads(mut self, key: &str, version: u64) -> Self {
        let reader = self.tasks.last().unwrap();
        let row = json!({
            "event_id": format!("r-{}-{}", self.begin, self.data.reads.len()), "channel": "main", "key": key,
            "version": version, "inferred": false, "task_id": reader.task_id,
            "task_execution_id": reader.task_execution_id, "time": time(self.begin), "missing": false,
        });
        self.data.reads.push(serde_json::from_value(row).unwrap());
        self
    }

    fn side(&self) -> Side<'_> {
        Side { execution: &self.execution, task_executions: &self.tasks, data: &self.data }
    }
}

fn compared(here: &Run, there: &Run) -> Comparison {
    compare(here.side(), there.side(), time(1_000_000))
}

fn messages(comparison: &Comparison) -> Vec<&str> {
    comparison.differences.iter().map(|difference| difference.message.as_str()).collect()
}

#[test]
fn equal_runs_do_not_differ() {
    let run = |begin| {
        Run::new(begin, json!({"inputs": {"day": 1}}))
            .task("fetch", 0, 100, json!({}))
            .writes(50, "rows", Some("h1"))
            .task("load", 100, 200, json!({}))
            .reads("rows", 1)
    };
    let found = compared(&run(10_000), &run(0));
    assert_eq!(messages(&found), [""; 0]);
    assert_eq!((found.values.equal, found.values.unknown, found.values.differing.len()), (1, 0, 0));
    let names: Vec<_> = found.tasks.iter().map(|task| (task.task.as_str(), task.change_us())).collect();
    assert_eq!(names, [("fetch", 0), ("load", 0)]);
}

#[test]
fn a_difference_begins_where_nothing_that_was_read_differs() {
    let run = |begin, hash: [&str; 3]| {
        Run::new(begin, json!({}))
            .task("fetch", 0, 100, json!({}))
            .writes(40, "config", Some("same"))
            .writes(50, "rows", Some(hash[0]))
            .task("clean", 100, 100, json!({}))
            .reads("rows", 1)
            .writes(150, "clean_rows", Some(hash[1]))
            .task("count", 200, 100, json!({}))
            .reads("config", 1)
            .writes(250, "now", Some(hash[2]))
    };
    let found = compared(&run(10_000, ["a", "b", "c"]), &run(0, ["A", "B", "C"]));
    let values: Vec<_> =
        found.values.differing.iter().map(|value| (value.key.as_str(), value.is_origin)).collect();
    assert_eq!(values, [("rows", true), ("clean_rows", false), ("now", true)]);
    assert_eq!(
        messages(&found),
        ["`rows` v1, written by `fetch`, differs", "`now` v1, written by `count`, differs"]
    );
    assert_eq!(found.differences[0].after_us, Some(50_000));
    assert_eq!(found.values.equal, 1);
}

#[test]
fn the_first_version_that_differs_is_named() {
    let run = |begin, last: &str| {
        Run::new(begin, json!({}))
            .task("loop", 0, 300, json!({}))
            .writes(10, "draft", Some("1"))
            .writes(20, "draft", Some("2"))
            .writes(30, "draft", Some(last))
    };
    let longer = run(10_000, "x").writes(40, "draft", Some("4"));
    let found = compared(&longer, &run(0, "3"));
    let value = &found.values.differing[0];
    assert_eq!((value.version, value.versions_here, value.versions_there), (3, 4, 3));
    // What has no hash, or only says why it has none, is neither equal nor different.
    let without = |begin, hash| Run::new(begin, json!({})).task("t", 0, 1, json!({})).writes(0, "big", hash);
    for hash in [None, Some("hash_skipped:too_large")] {
        let found = compared(&without(10_000, hash), &without(0, hash));
        assert_eq!((found.values.equal, found.values.unknown, found.values.differing.len()), (0, 1, 0));
    }
}

#[test]
fn code_and_inputs_come_before_all_that_ran() {
    let code = |commit: &str| json!({"git_commit": commit, "dirty": false});
    let here = Run::new(
        10_000,
        json!({"inputs": {"day": "tue", "limit": 5}, "code": code("aaaaaaaaaaaa"),
        "runtime": {"language": "python", "version": "3.12"}}),
    )
    .task("fetch", 0, 10, json!({}))
    .writes(0, "rows", Some("a"));
    let there = Run::new(
        0,
        json!({"inputs": {"day": "mon", "old": 1}, "code": code("bbbbbbbbbbbb"),
        "runtime": {"language": "python", "version": "3.11"}}),
    )
    .task("fetch", 0, 10, json!({}))
    .writes(0, "rows", Some("b"));
    assert_eq!(
        messages(&compared(&here, &there)),
        [
            "the code is aaaaaaaa; it was bbbbbbbb",
            "it runs on python 3.12; it was python 3.11",
            "the input `day` is \"tue\"; it was \"mon\"",
            "the input `limit` is new",
            "the input `old` is missing",
            "`rows` v1, written by `fetch`, differs",
        ]
    );
}

#[test]
fn what_a_failure_left_out_comes_after_it() {
    let there = Run::new(0, json!({}))
        .task("fetch", 0, 10, json!({}))
        .task("validate", 10, 10, json!({}))
        .task("publish", 20, 10, json!({}))
        .writes(25, "page", Some("h"));
    let here = Run::new(10_000, json!({"status": "failed"}))
        .task("fetch", 0, 400, json!({}))
        .task("validate", 400, 10, json!({"status": "failed", "will_retry": true}))
        .task("validate", 420, 10, json!({"status": "failed", "attempt": 2}))
        .task("clean_up", 430, 10, json!({}));
    let found = compared(&here, &there);
    assert_eq!(
        messages(&found),
        [
            "`validate` failed; there it completed",
            "`clean_up` ran only here",
            "`publish` did not run here",
            "the run failed; the other completed",
        ]
    );
    assert_eq!(found.differences[0].task_id.as_ref().unwrap().as_str(), "validate");
    let validate = found.tasks.iter().find(|task| task.task == "validate").unwrap().here.unwrap();
    assert_eq!((validate.executions, validate.retried, validate.failed), (2, 1, 1));
    // The greatest change of work comes first.
    assert_eq!((found.tasks[0].task.as_str(), found.tasks[0].change_us()), ("fetch", 390_000));
}

#[test]
fn a_run_that_goes_on_has_not_left_out_anything_yet() {
    let there = Run::new(0, json!({})).task("a", 0, 10, json!({})).task("b", 10, 10, json!({}));
    let open = json!({"end_time": null, "duration": null, "status": "running"});
    let running = json!({"status": "running", "end_time": null, "duration": null});
    let here = Run::new(999_000, open).task("a", 0, 10, running);
    let found = compared(&here, &there);
    assert_eq!(messages(&found), ["`b` has not run yet", "the run is running; the other completed"]);
    // It has been working until now.
    assert_eq!(found.tasks[0].here.unwrap().work_us, 1_000_000);
}

#[test]
fn dynamic_tasks_are_compared_by_family() {
    let run = |begin, count: i64| {
        (0..count).fold(Run::new(begin, json!({})), |run, n| {
            run.task(&format!("part_{begin}_{n}"), n, 10, json!({"family": "part"}))
        })
    };
    let found = compared(&run(10_000, 3), &run(0, 2));
    assert_eq!(found.tasks.len(), 1);
    assert_eq!((found.tasks[0].task.as_str(), found.tasks[0].is_family), ("part", true));
    assert_eq!(messages(&found), ["`part` ran 3 times; there 2 times"]);
    assert_eq!(found.differences[0].task_id, None);
}
