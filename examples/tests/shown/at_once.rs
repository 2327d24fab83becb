//! Workflows that run at the same time stay apart, of the same program and of others.

use std::collections::{BTreeMap, BTreeSet};

use graflow_model::ExecutionStatus;

use crate::search::{self, WORKFLOW};
use crate::support::{Place, Running, SOON, eventually};

#[tokio::test]
async fn two_searches_and_a_census_stay_apart() {
    let place = Place::new();
    let server = place.serve(0);
    let rest = server.rest();
    let mut searches: Vec<Running> =
        [5, 7].map(|seconds| Running::start(search::command(&place, seconds))).into();
    for program in &mut searches {
        search::goes_on(program, 1);
    }
    let mut census = place.command(env!("CARGO_BIN_EXE_census"));
    census.args(["--path", env!("CARGO_MANIFEST_DIR")]);
    let (status, lines) = Running::start(census).wait(SOON);
    assert!(status.success(), "{lines:?}");
    let mut counts: BTreeMap<u32, u64> =
        searches.iter_mut().map(|program| (program.pid(), search::counted(program))).collect();

    let runs = eventually("three runs that have ended", SOON, async || {
        let runs = rest.executions().await;
        let ended = runs.iter().filter(|run| run.end_time.is_some()).count();
        (ended == 3).then_some(runs)
    })
    .await;
    assert_eq!(runs.len(), 3);
    // They did overlap.
    let latest_start = runs.iter().map(|run| run.start_time).max().unwrap();
    assert!(runs.iter().all(|run| run.end_time.unwrap() > latest_start));

    let mut producers = BTreeSet::new();
    for run in &runs {
        let id = run.execution_id.as_str();
        let detail = rest.execution(id).await;
        let tasks: BTreeSet<&str> = detail.task_executions.iter().map(|row| row.task_id.as_str()).collect();
        let events = search::all_events(&rest, id).await;
        let of_run: BTreeSet<&str> = events.iter().map(|event| event["producer"].as_str().unwrap()).collect();
        assert_eq!(of_run.len(), 1, "one process ran it");
        assert!(producers.insert((*of_run.first().unwrap()).to_owned()), "each has its own");
        if run.workflow_name.as_str() == WORKFLOW {
            assert_eq!(run.status, ExecutionStatus::Cancelled);
            assert_eq!(tasks, BTreeSet::from(["celebrate", "search", "show_progress"]));
            // Each has its own count.
            let pid = run.runtime.as_ref().unwrap().pid.unwrap();
            search::nothing_missing_nothing_twice(&rest, id, counts.remove(&pid).unwrap()).await;
        } else {
            assert_eq!(run.status, ExecutionStatus::Completed);
            assert!(tasks.contains("survey") && !tasks.contains("search"));
        }
    }
    assert_eq!(counts, BTreeMap::new());
}
