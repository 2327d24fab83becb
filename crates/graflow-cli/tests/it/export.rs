//! Events go out and come in as they were written.

use std::collections::BTreeSet;

use crate::harness::{Graflow, fixture};

fn lines(text: &str) -> BTreeSet<&str> {
    text.lines().collect()
}

#[test]
fn what_was_imported_is_exported_as_it_was() {
    let graflow = Graflow::with_runs();
    let ended = graflow.run(&["export"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, "exported 649 events of 3 executions\n"));
    let imported = std::fs::read_to_string(fixture("runs.ndjson")).unwrap();
    assert_eq!(lines(&ended.stdout), lines(&imported));
}

#[test]
fn one_execution_keeps_the_order_of_its_log() {
    let graflow = Graflow::with_runs();
    let ended = graflow.run(&["export", "latest:orders"]);
    let imported = std::fs::read_to_string(fixture("runs.ndjson")).unwrap();
    let of_orders: Vec<&str> =
        imported.lines().filter(|line| line.contains("\"workflow_name\":\"orders\"")).collect();
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), of_orders);
}

#[test]
fn files_are_compressed_by_their_names() {
    let graflow = Graflow::with_runs();
    let plain = graflow.run(&["export"]).stdout;
    for name in ["runs.ndjson", "runs.ndjson.gz", "runs.ndjson.zst"] {
        let ended = graflow.run(&["export", "--output", name]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let file = graflow.data_dir().parent().unwrap().join(name);
        let size = std::fs::metadata(&file).unwrap().len();
        assert_eq!(size < plain.len() as u64 / 4, name != "runs.ndjson", "{name}: {size}");
        let other = Graflow::new();
        let imported = other.run(&["import", file.to_str().unwrap()]);
        assert_eq!(imported.stdout, "imported 649 events\n", "{name}: {}", imported.stderr);
        assert_eq!(other.run(&["export"]).stdout, plain, "{name}");
    }
}

#[test]
fn importing_twice_changes_nothing() {
    let graflow = Graflow::with_runs();
    let before = graflow.run(&["show", "latest:orders", "--json"]).stdout;
    let again = graflow.run(&["import", fixture("runs.ndjson").to_str().unwrap()]);
    assert_eq!((again.code, again.stdout.as_str()), (0, "imported 0 events; 649 there already\n"));
    assert_eq!(graflow.run(&["show", "latest:orders", "--json"]).stdout, before);
}

#[test]
fn unknown_types_and_fields_are_kept() {
    let graflow = Graflow::new();
    let event = r#"{"event_id":"e1","type":"moon_phase","time":"2026-11-23T12:00:00Z","execution_id":"x","mood":"fine","data":{"phase":0.5}}"#;
    assert_eq!(graflow.run_with(&["import", "-"], event).code, 0);
    assert_eq!(graflow.run(&["export", "x"]).stdout, format!("{event}\n"));
}
