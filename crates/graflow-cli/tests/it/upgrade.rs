//! Folders that earlier releases left, opened by this one.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Graflow, fixture};

/// What schema 1 and segments of format 1 were written by; `tests/fixtures/schema-1` holds the folder and what that
/// program answered. One of its three executions was deleted.
fn schema_1() -> Graflow {
    let graflow = Graflow::new();
    let folder = graflow.data_dir();
    std::fs::create_dir_all(folder.join("log")).unwrap();
    unpack("lineage.db", &folder.join("lineage.db"));
    unpack("seg-00000000000000000001.log", &folder.join("log/seg-00000000000000000001.log"));
    graflow
}

fn packed(name: &str) -> Vec<u8> {
    let packed = std::fs::read(fixture(&format!("schema-1/{name}.zst"))).unwrap();
    zstd::decode_all(packed.as_slice()).unwrap()
}

fn unpack(name: &str, to: &Path) {
    std::fs::write(to, packed(name)).unwrap();
}

fn answer(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(&format!("schema-1/{name}.json"))).unwrap()).unwrap()
}

/// Everything that was said is said still; more may be.
fn assert_holds(now: &Value, then: &Value, place: &str) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (key, then) in then {
                assert_holds(now.get(key).unwrap_or(&Value::Null), then, &format!("{place}.{key}"));
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert_eq!(now.len(), then.len(), "{place}");
            for (at, (now, then)) in now.iter().zip(then).enumerate() {
                assert_holds(now, then, &format!("{place}[{at}]"));
            }
        }
        _ => assert_eq!(now, then, "{place}"),
    }
}

fn assert_answers_as_before(graflow: &Graflow) {
    for (name, arguments) in
        [("list", vec!["list", "--json"]), ("show", vec!["show", "latest:orders", "--json"])]
    {
        let ended = graflow.run(&arguments);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_holds(&serde_json::from_str(&ended.stdout).unwrap(), &answer(name), name);
    }
    assert!(
        graflow.run(&["export"]).stdout.as_bytes() == packed("export.ndjson"),
        "every event, byte for byte"
    );
}

#[test]
fn a_folder_of_schema_1_opens_and_answers_the_same() {
    let graflow = schema_1();
    assert_answers_as_before(&graflow);
    // The same once a server has brought it up to date, and once the tables were derived anew.
    drop(graflow.serve(&[]));
    assert_answers_as_before(&graflow);
    assert_eq!(graflow.run(&["rebuild"]).code, 0);
    assert_answers_as_before(&graflow);
    assert_eq!(graflow.run(&["doctor"]).code, 0, "{}", graflow.run(&["doctor"]).stdout);
}
