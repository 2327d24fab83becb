//! Programs that run while there is no server: what they did is there once one starts.

use std::net::TcpListener;

use graflow_model::ExecutionStatus;
use serde_json::Value;

use crate::search::{self, WORKFLOW};
use crate::support::{Place, Running, SOON, eventually};

/// Runs an example to its good end.
fn run(place: &Place, program: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let mut command = place.command(program);
    command.envs(variables.iter().copied());
    let mut running = Running::start(command);
    let (status, lines) = running.wait(SOON);
    assert!(status.success(), "{lines:?} {}", running.stderr());
    lines
}

#[tokio::test]
async fn a_run_that_nobody_served_shows_up() {
    let place = Place::new();
    run(&place, env!("CARGO_BIN_EXE_etl"), &[]);
    let before: Value = serde_json::from_str(&place.say(&["show", "latest", "--json"])).unwrap();
    assert!(!place.data_dir().join("server.json").exists(), "nobody owns the folder");

    let server = place.serve(0);
    let rest = server.rest();
    let runs = rest.executions().await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].status, ExecutionStatus::Completed);
    let after: Value = serde_json::from_str(&place.say(&["show", "latest", "--json"])).unwrap();
    assert_eq!(before["execution"], after["execution"]);
    assert_eq!(before["graph"], after["graph"]);
    assert_eq!(before["task_executions"], after["task_executions"]);
}

/// One program keeps the folder, a second leaves its events in the spool; a server that starts gets both, and the
/// first goes on with the server.
#[tokio::test]
async fn programs_that_share_a_folder_show_up() {
    let place = Place::new();
    let mut search = Running::start(search::command(&place, 15));
    search::goes_on(&mut search, 1);
    run(&place, env!("CARGO_BIN_EXE_etl"), &[]);

    let server = place.serve(0);
    let rest = server.rest();
    let runs = eventually("both runs", SOON, async || {
        let runs = rest.executions().await;
        (runs.len() == 2).then_some(runs)
    })
    .await;
    let etl = runs.iter().find(|run| run.workflow_name.as_str() != WORKFLOW).unwrap();
    let etl = etl.execution_id.as_str();
    let ended =
        async || (rest.execution(etl).await.execution.status == ExecutionStatus::Completed).then_some(());
    eventually("the end of the one that had ended", SOON, ended).await;

    let id = rest.newest(WORKFLOW).await.unwrap().execution_id;
    assert_eq!(rest.execution(id.as_str()).await.execution.status, ExecutionStatus::Running);
    let counted = search::counted(&mut search);
    let ended = async || rest.execution(id.as_str()).await.execution.end_time;
    eventually("the end of the other", SOON, ended).await;
    search::nothing_missing_nothing_twice(&rest, id.as_str(), counted).await;
}

/// The address is known and nothing listens there: events wait below the folder, and go with the next run.
#[tokio::test]
async fn a_server_elsewhere_that_is_away_gets_everything_later() {
    let place = Place::new();
    // A port that nobody else takes meanwhile, and that nobody answers on.
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = reserved.local_addr().unwrap().port();
    drop(reserved);
    let url = format!("http://127.0.0.1:{port}");
    let own = place.path().join("own");
    let variables =
        [("GRAFLOW_LINEAGE_URL", url.as_str()), ("GRAFLOW_LINEAGE_DATA_DIR", own.to_str().unwrap())];
    run(&place, env!("CARGO_BIN_EXE_etl"), &variables);

    let server = place.serve(port);
    let rest = server.rest();
    assert_eq!(rest.executions().await.len(), 0);
    run(&place, env!("CARGO_BIN_EXE_etl"), &variables);
    let runs = eventually("both runs", SOON, async || {
        let runs = rest.executions().await;
        let ended = runs.iter().filter(|run| run.status == ExecutionStatus::Completed).count();
        (ended == 2).then_some(runs)
    })
    .await;
    assert_eq!(runs.len(), 2);
}
