//! What cannot be brought back is asked for.

use crate::harness::{Graflow, assert_said};

#[test]
fn clear_wants_to_be_told_twice() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["clear"]));
    let cleared = graflow.run(&["clear", "--yes"]);
    assert_eq!((cleared.code, cleared.stdout.as_str()), (0, "deleted: 3 executions with 649 events\n"));
    assert_eq!(graflow.run(&["clear", "--yes"]).stdout, "there is nothing to delete\n");
    assert_eq!(graflow.run(&["list"]).stderr, "nothing has run yet\n");
}

#[test]
fn delete_takes_ids_and_filters() {
    let graflow = Graflow::with_runs();
    let tried = graflow.run(&["delete", "--label", "env=prod", "--dry-run"]);
    assert_eq!(tried.stdout, "would be deleted: 2 executions with 42 events\n");
    assert_eq!(
        graflow.run(&["delete", "latest:nightly", "--yes"]).stdout,
        "deleted: 1 execution with 7 events\n"
    );
    assert_eq!(
        graflow.run(&["delete", "--status", "failed", "--yes"]).stdout,
        "deleted: 1 execution with 35 events\n"
    );
    let left = graflow.run(&["list"]).stdout;
    assert!(left.contains("thumbnails") && !left.contains("orders") && !left.contains("nightly"), "{left}");
}

#[test]
fn delete_wants_to_know_what() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["delete", "--yes"]));
}
