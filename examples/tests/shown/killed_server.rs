//! The server dies in the middle of a run, more than once; the workflow does not notice, and nothing is lost or doubled.

use graflow_model::ExecutionStatus;
use graflow_wire::Execution;

use crate::search::{self, WORKFLOW};
use crate::support::{Place, Rest, Running, SOON, Server, eventually};

/// How often the server dies.
const KILLS: usize = 3;

#[tokio::test]
async fn a_program_that_found_the_server_in_the_folder_goes_on() {
    let place = Place::new();
    let server = place.serve(0);
    let program = Running::start(search::command(&place, 20));
    survives_kills(&place, server, program).await;
}

#[tokio::test]
async fn a_program_that_was_told_the_address_goes_on() {
    let place = Place::new();
    let server = place.serve(0);
    let mut command = search::command(&place, 20);
    command.env("GRAFLOW_LINEAGE_URL", &server.url).env("GRAFLOW_LINEAGE_DATA_DIR", place.path().join("own"));
    survives_kills(&place, server, Running::start(command)).await;
}

async fn survives_kills(place: &Place, mut server: Server, mut program: Running) {
    let mut rest = server.rest();
    let mut run = arrives(&rest, None).await;
    for _ in 0..KILLS {
        let acknowledged = event_ids(&rest, &run).await;
        let port = server.port();
        server.running.kill();
        search::goes_on(&mut program, 2);
        server = place.serve(port);
        rest = server.rest();
        let kept = event_ids(&rest, &run).await;
        let lost: Vec<&String> = acknowledged.iter().filter(|id| !kept.contains(id)).collect();
        assert_eq!(lost, Vec::<&String>::new(), "seen before the kill, and gone after it");
        // The program has found the new server: what happens now arrives there.
        run = arrives(&rest, Some(kept.len())).await;
    }
    let counted = search::counted(&mut program);
    let id = run.execution_id.as_str();
    let ended = eventually("the end of the run", SOON, async || {
        let execution = rest.execution(id).await.execution;
        (execution.status != ExecutionStatus::Running).then_some(execution)
    });
    assert_eq!(ended.await.status, ExecutionStatus::Cancelled);
    search::nothing_missing_nothing_twice(&rest, id, counted).await;
    assert_eq!(rest.executions().await.len(), 1, "one run stays one run");
}

/// Waits until the search's run has more than so many events.
async fn arrives(rest: &Rest, more_than: Option<usize>) -> Execution {
    eventually("new events of the run", SOON, async || {
        let run = rest.newest(WORKFLOW).await?;
        (event_ids(rest, &run).await.len() > more_than.unwrap_or(20)).then_some(run)
    })
    .await
}

async fn event_ids(rest: &Rest, run: &Execution) -> Vec<String> {
    let events = search::all_events(rest, run.execution_id.as_str()).await;
    events.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}
