//! Following what happens while it happens.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use crate::harness::{Graflow, fixture};

/// The events of a run that ends with `workflow_completed`, one a line.
fn nightly() -> Vec<String> {
    let runs = std::fs::read_to_string(fixture("runs.ndjson")).unwrap();
    runs.lines()
        .filter(|line| line.contains("\"workflow_name\":\"nightly\""))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn watch_follows_a_run_to_its_end() {
    let graflow = Graflow::new();
    let _server = graflow.serve(&[]);
    let events = nightly();
    let (first, rest) = events.split_at(3);
    assert_eq!(graflow.run_with(&["import", "-"], &first.join("\n")).code, 0);
    let mut watch = graflow.command(&["watch", "latest"]).stdout(Stdio::piped()).spawn().unwrap();
    // The stream is open when it has said something; what is sent now must reach it.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(graflow.run_with(&["import", "-"], &rest.join("\n")).code, 0);
    let lines: Vec<String> =
        BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    assert_eq!(watch.wait().unwrap().code(), Some(0));
    assert_eq!(
        lines,
        [
            "11:00:45.001 task_completed       nightly fetch",
            "11:00:45.002 task_started         nightly store",
            "11:02:05.402 task_completed       nightly store",
            "11:02:05.403 workflow_completed   nightly",
        ]
    );
}

#[test]
fn wait_ends_with_the_outcome() {
    let graflow = Graflow::new();
    let _server = graflow.serve(&[]);
    let events = nightly();
    let (first, rest) = events.split_at(3);
    assert_eq!(graflow.run_with(&["import", "-"], &first.join("\n")).code, 0);
    let timed_out = graflow.run(&["wait", "--timeout", "1ms"]);
    assert_eq!((timed_out.code, timed_out.stdout.as_str()), (15, ""));
    let waiting = graflow.command(&["wait"]).stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(graflow.run_with(&["import", "-"], &rest.join("\n")).code, 0);
    let waited = waiting.wait_with_output().unwrap();
    assert_eq!(waited.status.code(), Some(0));
    assert_eq!(String::from_utf8(waited.stdout).unwrap(), "● nightly completed after 2 m 05 s\n");

    let failed = Graflow::with_runs().run(&["wait", "latest:orders"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (10, "✗ orders failed after 4.85 s\n"));
}

#[test]
fn logs_are_followed_to_the_end_of_the_run() {
    let graflow = Graflow::new();
    let _server = graflow.serve(&[]);
    let runs = std::fs::read_to_string(fixture("runs.ndjson")).unwrap();
    let events: Vec<&str> =
        runs.lines().filter(|line| line.contains("\"workflow_name\":\"orders\"")).collect();
    let (first, rest) = events.split_at(10);
    assert_eq!(graflow.run_with(&["import", "-"], &first.join("\n")).code, 0);
    let following = graflow.command(&["logs", "latest", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(graflow.run_with(&["import", "-"], &rest.join("\n")).code, 0);
    let followed = String::from_utf8(following.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(followed, graflow.run(&["logs", "latest"]).stdout);
    assert_eq!(followed.lines().count(), 3, "{followed}");
}
