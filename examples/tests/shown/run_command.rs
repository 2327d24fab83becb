//! `graflow lineage run`: a program as it always was, with a server beside it.

use std::time::Duration;

use graflow_model::ExecutionStatus;
use serde_json::Value;

use crate::support::{Place, Running, SOON, Server, finish, until};

/// The server that `run` left behind, as its folder says it; stopped when this is dropped.
struct LeftBehind {
    url: String,
    pid: u64,
}

impl LeftBehind {
    fn of(place: &Place) -> Self {
        let owner = std::fs::read(place.data_dir().join("server.json")).unwrap();
        let owner: Value = serde_json::from_slice(&owner).unwrap();
        Self { url: owner["url"].as_str().unwrap().to_owned(), pid: owner["pid"].as_u64().unwrap() }
    }
}

impl Drop for LeftBehind {
    fn drop(&mut self) {
        drop(std::process::Command::new("kill").arg(self.pid.to_string()).status());
    }
}

#[tokio::test]
async fn a_program_runs_as_always_and_can_be_looked_at() {
    let place = Place::new();
    let alone = finish(&mut Place::new().command(env!("CARGO_BIN_EXE_etl")));
    let ran = place.run(&["run", env!("CARGO_BIN_EXE_etl")]);
    let left = LeftBehind::of(&place);
    assert_eq!((ran.code, &ran.stdout), (alone.code, &alone.stdout), "{}", ran.stderr);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let [before, after] = lines[..] else { panic!("{lines:?}") };
    let (page, run) = before.strip_prefix("lineage: ").unwrap().split_once("?label.run=").unwrap();
    assert_eq!(page, format!("{}/executions", left.url));
    assert!(after.starts_with("● etl completed in "), "{after}");

    // The label leads to this run and to no other; a second program finds the server that is there.
    let again = place.run(&["run", "--quiet", env!("CARGO_BIN_EXE_etl")]);
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    let rest = crate::support::rest(&left.url);
    assert_eq!(rest.executions().await.len(), 2);
    let found: Value = rest.labelled("run", run).await;
    let found = found["executions"].as_array().unwrap();
    assert_eq!(found.len(), 1);
    assert!(after.ends_with(&format!(
        "{}/executions/{}",
        left.url,
        found[0]["execution_id"].as_str().unwrap()
    )));
    assert_eq!(found[0]["status"], ExecutionStatus::Completed.as_str());
}

#[test]
fn it_ends_as_the_program_ends() {
    let place = Place::new();
    let server = place.serve(0);
    let ran = place.run(&["run", "sh", "-c", "echo out; exit 7"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(7), "out\n"));
    assert!(
        ran.stderr.starts_with(&format!("lineage: {}/executions?label.run=", server.url)),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("nothing was recorded\nhint: did it run a workflow"), "{}", ran.stderr);
    let ran = place.run(&["run", "--quiet", "sh", "-c", "kill -9 $$"]);
    assert_eq!(ran.code, Some(137), "{}", ran.stderr);
    let ran = place.run(&["run", "./no-such-program"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("./no-such-program cannot be started"), "{}", ran.stderr);
    let ran = place.run(&["run", "no-such-script.py"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("there is no script no-such-script.py"), "{}", ran.stderr);
}

#[test]
fn a_server_nobody_asks_ends_by_itself() {
    let place = Place::new();
    let mut serve = Running::start(place.graflow(&["serve", "--port", "0", "--idle-exit", "1s"]));
    let (status, _) = serve.wait(SOON);
    assert!(status.success(), "{}", serve.stderr());
    assert!(serve.stderr().contains("nobody asked for 1 s"), "{}", serve.stderr());
}

#[test]
fn the_next_port_is_taken_when_asked_for() {
    let (one, other) = (Place::new(), Place::new());
    let first = one.serve(0);
    let port = first.port().to_string();
    let refused = other.run(&["serve", "--port", &port]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let mut second = Running::start(other.graflow(&["serve", "--or-next-port", "--port", &port]));
    let url = second.line(SOON, |line| line.starts_with("http://"));
    let second = Server { running: second, url };
    assert!(second.port() > first.port());
    until("it answers", Duration::from_secs(10), || {
        std::net::TcpStream::connect(("127.0.0.1", second.port())).is_ok()
    });
}
