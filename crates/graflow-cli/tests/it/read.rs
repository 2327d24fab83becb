//! Commands that read, on the runs of `tests/fixtures/runs.ndjson`.

use serde_json::Value;

use crate::harness::{Graflow, assert_said, bare, finish};

#[test]
fn list() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["list"]));
}

#[test]
fn list_narrowed_down() {
    let graflow = Graflow::with_runs();
    let names = |arguments: &[&str]| {
        let ended = graflow.run(&[&["list", "--json"], arguments].concat());
        let found: Value = serde_json::from_str(&ended.stdout).unwrap();
        let names = found["executions"].as_array().unwrap().iter();
        names.map(|execution| execution["workflow_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["thumbnails", "orders", "nightly"]);
    assert_eq!(names(&["-n", "1"]), ["thumbnails"]);
    assert_eq!(names(&["--status", "failed"]), ["orders"]);
    assert_eq!(names(&["--status", "failed,completed", "--label", "env=prod"]), ["orders", "nightly"]);
    assert_eq!(names(&["--workflow", "nightly"]), ["nightly"]);
    assert_eq!(names(&["--before", "2026-11-23T12:00:00Z"]), ["nightly"]);
    assert_eq!(names(&["--since", "2026-11-23T12:05:00Z"]), ["thumbnails"]);
    assert_eq!(names(&["--since", "2099-01-01"]), [""; 0]);
}

#[test]
fn show() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["show", "latest:orders"]));
}

#[test]
fn show_what_failed() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["show", "01936f0", "--failed"]));
}

#[test]
fn show_without_colours_or_signs_on_a_plain_terminal() {
    let graflow = Graflow::with_runs();
    let plain = finish(graflow.command(&["show", "latest:orders"]).env("LANG", "C"), "");
    assert!(plain.stdout.is_ascii(), "{}", plain.stdout);
    let coloured = graflow.run(&["show", "latest:orders", "--color", "always"]);
    assert!(coloured.stdout.contains("\u{1b}[31mfailed"), "{}", coloured.stdout);
    assert!(!graflow.run(&["show", "latest:orders"]).stdout.contains('\u{1b}'));
}

#[test]
fn show_as_json_has_all_of_it() {
    let graflow = Graflow::with_runs();
    let shown: Value =
        serde_json::from_str(&graflow.run(&["show", "latest:orders", "--json"]).stdout).unwrap();
    assert_eq!(shown["execution"]["status"], "failed");
    assert_eq!(shown["graph"]["nodes"].as_array().unwrap().len(), 11);
    assert_eq!(shown["task_executions"].as_array().unwrap().len(), 14);
    assert!(shown["findings"].is_array());
}

#[test]
fn the_graph_as_it_stood() {
    let graflow = Graflow::with_runs();
    let at = |at: &str| graflow.run(&["graph", "latest:orders", "--at", at]).stdout;
    assert!(!at("2026-11-23T12:00:02Z").contains("price/europe"));
    assert!(
        at("2026-11-23T12:00:04.5Z").contains("price/europe<br/>running"),
        "{}",
        at("2026-11-23T12:00:04.5Z")
    );
}

#[test]
fn graph_as_mermaid() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["graph", "latest:orders"]));
}

#[test]
fn graph_as_dot() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["graph", "latest:orders", "--format", "dot"]));
}

#[test]
fn logs() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["logs", "latest:orders"]));
    let fit = graflow.run(&["logs", "latest:orders", "--task", "fit"]).stdout;
    assert_eq!(fit.lines().count(), 1, "{fit}");
    let errors = graflow.run(&["logs", "latest:orders", "--level", "error", "--json"]).stdout;
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn history() {
    let graflow = Graflow::with_runs();
    // Room for all of it: where the last column is cut depends on how long ago is said.
    let said = finish(graflow.command(&["history", "extract"]).env("COLUMNS", "140"), "");
    assert_said!(&graflow, said);
}

#[test]
fn status_without_a_server() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["status"]));
}

#[test]
fn an_id_is_any_beginning_that_no_other_has() {
    let graflow = Graflow::with_runs();
    assert!(graflow.run(&["show", "01936e"]).stdout.contains("nightly"));
    assert!(graflow.run(&["show", "latest"]).stdout.contains("thumbnails"));
    assert!(graflow.run(&["show", "latest:nightly"]).stdout.contains("nightly"));
    assert_said!(&graflow, graflow.run(&["show", "01936"]));
    // Pages show the end.
    assert!(graflow.run(&["show", "00000002"]).stdout.contains("nightly"));
    assert_eq!(graflow.run(&["show", "nightly"]).code, 3);
}

#[test]
fn doctor_finds_nothing_wrong() {
    let graflow = Graflow::with_runs();
    let ended = graflow.run(&["doctor", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    for finding in found["findings"].as_array().unwrap() {
        assert_eq!(finding["verdict"], "ok", "{finding}");
    }
}

#[test]
fn rebuilding_changes_nothing_that_can_be_read() {
    let graflow = Graflow::with_runs();
    let read = || {
        [&["show", "latest:orders", "--json"][..], &["list", "--json"], &["history", "fit", "--json"]]
            .map(|arguments| graflow.run(arguments).stdout)
    };
    let before = read();
    let rebuilt = graflow.run(&["rebuild"]);
    assert_eq!(rebuilt.code, 0, "{}", rebuilt.stderr);
    assert!(rebuilt.stdout.contains("up to event 649"), "{}", rebuilt.stdout);
    assert_eq!(read(), before);
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = finish(bare().args(["completions", shell]), "");
        assert_eq!(ended.code, 0);
        assert!(ended.stdout.contains("lineage") && ended.stdout.contains("doctor"), "{shell}");
    }
}

#[test]
fn help_lists_the_exit_codes() {
    let help = finish(bare().arg("--help"), "").stdout;
    assert!(help.contains("10  wait: the execution failed"), "{help}");
}
