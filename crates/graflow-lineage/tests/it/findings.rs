//! Each finding on a run that has it and on its nearest neighbour that has not.

use graflow_lineage::findings::{FindingCode, findings};
use graflow_model::{Event, ExecutionState};

/// Reads lines such as `task_started 2 b {"causes": …}`: type, seconds, task execution (`task`, `task#iteration`; `-`
/// for none), data.
fn run(lines: &str) -> ExecutionState {
    let mut state = ExecutionState::new("x".into());
    for (number, line) in lines.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let mut parts = line.splitn(4, ' ');
        let mut part = || parts.next().unwrap_or_default();
        let (kind, seconds, subject, data) = (part(), part(), part(), part());
        let data = if data.is_empty() { "{}" } else { data };
        let (task, iteration) = subject.split_once('#').unwrap_or((subject, "0"));
        // A number, so that `#0` and `#00` are two executions of one pass.
        let iteration: u32 = iteration.parse().unwrap();
        let about = match subject {
            "-" => String::new(),
            _ => format!(r#""task_id":"{task}","task_execution_id":"{subject}","iteration":{iteration},"#),
        };
        let json = format!(
            r#"{{"event_id":"{number}","type":"{kind}","time":"2026-11-23T12:00:{seconds:0>2}Z","execution_id":"x",{about}"data":{data}}}"#
        );
        state.apply(&Event::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}")));
    }
    state
}

#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    let found = findings(&run(lines));
    let messages: Vec<_> =
        found.iter().map(|finding| format!("{}: {}", finding.code.as_str(), finding.message)).collect();
    assert_eq!(messages, expected);
}

const CLEAN: &str = r#"
    workflow_started 0 -
    graph_changed 0 - {"nodes":[{"id":"a","kind":"static"},{"id":"b","kind":"static"}],"edges":[{"source":"a","target":"b","kind":"static"}]}
    task_started 1 a
    data_written 2 a {"channel":"c","key":"k","hash":"1"}
    task_completed 2 a
    task_started 3 b {"causes":[{"kind":"successor","task_execution_id":"a"}]}
    data_read 3 b {"channel":"c","key":"k","hash":"1","resolved_parameter":"k"}
    task_completed 4 b
    workflow_completed 5 -
"#;

#[test]
fn the_reference_tells_of_each_in_this_order() {
    let page = include_str!("../../../../docs/reference/findings.md");
    let told: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(told, FindingCode::ALL.map(FindingCode::as_str));
}

#[test]
fn a_clean_run_has_none() {
    check(CLEAN, &[]);
}

#[test]
fn declared_never_ran() {
    let declared = |more: &str, end: &str| {
        format!(
            r#"graph_changed 0 - {{"nodes":[{{"id":"publish","kind":"static"{more}}}]}}
            task_started 1 a
            task_completed 2 a
            {end} 3 -"#
        )
    };
    check(&declared("", "workflow_completed"), &["declared_never_ran: `publish` was declared and never ran"]);
    check(&declared("", "workflow_failed"), &[]);
    check(&declared(r#","track_lineage":false"#, "workflow_completed"), &[]);
}

#[test]
fn successor_ran_inside_loop() {
    let looping = |causes: &str| {
        format!(
            r#"task_started 1 fit#0
            task_completed 2 fit#0
            task_started 3 fit#1 {{"causes":[{{"kind":"iteration","task_execution_id":"fit#0"}}]}}
            task_started 3 after {{"causes":[{{"kind":"successor","task_execution_id":"{causes}"}}]}}"#
        )
    };
    check(
        &looping("fit#0"),
        &[
            "successor_ran_inside_loop: `after` ran inside the loop of `fit`: with the result of pass 1, before the last",
        ],
    );
    check(&looping("fit#1"), &[]);
    // A task that leads back is a part of the loop.
    let around = format!(
        r#"graph_changed 0 - {{"edges":[{{"source":"after","target":"fit","kind":"static"}}]}}
        {}"#,
        looping("fit#0")
    );
    check(&around, &[]);
}

#[test]
fn join_ran_n_times() {
    let join = |first: &str, second: &str| {
        format!(
            r#"task_started 1 b
            task_started 1 c
            task_started 2 {first} {{"causes":[{{"kind":"successor","task_execution_id":"b"}}]}}
            task_started 3 {second} {{"causes":[{{"kind":"successor","task_execution_id":"c"}}]}}"#
        )
    };
    let twice = join("d#0", "d#00");
    check(&twice, &["join_ran_n_times: `d` ran 2 times where its branches meet: once for each of them"]);
    check(&join("d#0", "d#1"), &[]);
    check(&join("d", "e"), &[]);
}

#[test]
fn write_lost_in_merge() {
    let merge = |group: &str, operation: &str, read: &str| {
        let member = |name| {
            format!(
                r#"task_started 1 {name} {{"group":"{group}","causes":[{{"kind":"member","task_execution_id":"a"}}]}}"#
            )
        };
        format!(
            r#"task_started 0 a
            {}
            {}
            data_written 2 b {{"channel":"c","key":"k","hash":"1"}}
            {read}
            data_written 4 c {{"channel":"c","key":"k","hash":"2"{operation}}}"#,
            member("b"),
            member("c")
        )
    };
    let lost = "write_lost_in_merge: what `b` wrote to `k` was lost: `c`, which ran beside it, wrote over it before anybody read it";
    check(&merge("g", "", ""), &[lost]);
    check(&merge("g", r#","operation":"append""#, ""), &[]);
    check(&merge("g", "", r#"data_read 3 c {"channel":"c","key":"k","hash":"1"}"#), &[]);
    // Two values that were not hashed are not one value; who read one of them cannot be told.
    let skipped = |read| {
        merge("g", "", read)
            .replace(r#""1""#, r#""hash_skipped:too_large""#)
            .replace(r#""2""#, r#""hash_skipped:too_large""#)
    };
    check(&skipped(""), &[lost]);
    check(&skipped(r#"data_read 3 c {"channel":"c","key":"k","hash":"1"}"#), &[]);
}

#[test]
fn unresolved_parameter() {
    check(
        r#"task_started 1 a
        data_read 1 a {"channel":"c","key":"rows","resolved_parameter":"rows","missing":true}"#,
        &["unresolved_parameter: `a` wanted `rows`, and there was no `rows` to fill it with"],
    );
}

#[test]
fn cut_by_max_steps() {
    check(
        r#"task_started 1 a
        task_completed 2 a
        workflow_completed 3 - {"reason":"max_steps"}"#,
        &["cut_by_max_steps: the run was cut off after 1 task executions, by the limit `max_steps`"],
    );
}

#[test]
fn faults_of_the_record() {
    check(
        "task_started 5 a
        task_completed 3 a
        workflow_completed 9 -",
        &["clock_skew: clocks disagree by 2000 ms at least: `a` comes before what led to it"],
    );
    check(
        "task_started 1 a
        workflow_completed 9 -",
        &["events_missing: the record has holes: the start or the end of 1 task execution was never told"],
    );
    check("task_started 1 a", &[]);
    check(
        r#"note 1 - {"code":"events_dropped","count":40,"message":"x"}
        note 2 - {"code":"events_dropped","count":2}
        note 3 - {"code":"else","count":7}
        note 3 - {"code":"events_dropped","count":"many"}"#,
        &["events_missing: the record has holes: a producer had no room left and dropped 42 events"],
    );
    check(
        r#"task_started 1 a
        task_completed 2 a
        task_failed 3 a {"error":{"type":"E","message":"m"}}"#,
        &["conflicting_terminal: `a` was told to be completed as well as failed; failed counts"],
    );
    check(
        "task_started 1 a
        task_completed 2 a
        task_completed 3 a",
        &["conflicting_terminal: `a` was told to be completed more than once"],
    );
}
