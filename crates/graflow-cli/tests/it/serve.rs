//! The server as a process: started, asked, stopped, killed.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Graflow, assert_said, finish, fixture};

#[test]
fn commands_find_the_server_of_their_folder() {
    let graflow = Graflow::new();
    let server = graflow.serve(&[]);
    let imported = graflow.run(&["import", fixture("runs.ndjson").to_str().unwrap()]);
    assert_eq!(imported.stdout, "imported 649 events\n", "{}", imported.stderr);
    let status: Value = serde_json::from_str(&graflow.run(&["status", "--json"]).stdout).unwrap();
    assert_eq!(status["url"], server.url.as_str());
    assert_eq!(status["metrics"]["total_executions"], 3);
    let by_server = graflow.run(&["show", "latest:orders"]).stdout;
    let (took, code) = server.stop();
    assert_eq!(code, 0);
    assert!(took < Duration::from_secs(5), "{took:?}");
    let by_folder = graflow.run(&["show", "latest:orders"]).stdout;
    assert_eq!(by_server, by_folder, "the same with and without a server");
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let graflow = Graflow::new();
    let server = graflow.serve(&[]);
    let imported = graflow.run(&["import", fixture("runs.ndjson").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    server.kill();
    let server = graflow.serve(&[]);
    assert_eq!(
        graflow.run(&["import", fixture("runs.ndjson").to_str().unwrap()]).stdout,
        "imported 0 events; 649 there already\n"
    );
    assert_eq!(graflow.run(&["export"]).stdout.lines().count(), 649);
    drop(server);
}

#[test]
fn a_token_is_asked_for_and_sent() {
    let graflow = Graflow::with_runs();
    let file = graflow.data_dir().with_extension("token");
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    let file = file.to_str().unwrap();
    let server = graflow.serve(&["--token-file", file]);
    assert_said!(&graflow, graflow.run(&["list"]));
    assert_eq!(graflow.run(&["list", "--token-file", file]).code, 0);
    let by_environment =
        finish(graflow.command(&["list"]).env("GRAFLOW_LINEAGE_TOKEN", "0123456789abcdef"), "");
    assert_eq!(by_environment.code, 0, "{}", by_environment.stderr);
    let named = graflow.run(&["list", "--token-file", file, "--url", &server.url]);
    assert_eq!(named.code, 0, "{}", named.stderr);
}

#[test]
fn a_server_behind_a_prefix_is_found() {
    let graflow = Graflow::with_runs();
    let server = graflow.serve(&["--prefix", "/lineage/"]);
    assert!(server.url.ends_with("/lineage"), "{}", server.url);
    assert_eq!(graflow.run(&["list"]).code, 0);
    assert_eq!(
        graflow.run(&["open", "--print", "latest:nightly"]).stdout,
        format!("{}/executions/01936e00-0000-7000-8000-000000000002\n", server.url)
    );
}

#[test]
fn doctor_asks_the_server() {
    let graflow = Graflow::with_runs();
    let server = graflow.serve(&[]);
    let doctor: Value = serde_json::from_str(&graflow.run(&["doctor", "--json"]).stdout).unwrap();
    let about_server =
        doctor["findings"].as_array().unwrap().iter().find(|finding| finding["what"] == "server").unwrap();
    assert_eq!(about_server["verdict"], "ok");
    assert!(about_server["seen"].as_str().unwrap().starts_with(&server.url), "{about_server}");
}
