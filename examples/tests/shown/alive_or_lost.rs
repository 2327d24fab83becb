//! A workflow that gives no sign of life is lost after a minute, and comes back with the next sign.

use std::time::{Duration, Instant};

use graflow_client::live::{Change, Live, LiveSettings};
use graflow_model::{ExecutionId, ExecutionStatus, TaskStatus};

use crate::search::{self, WORKFLOW};
use crate::support::{Place, Rest, Running, SOON, Server, eventually};

/// A run is lost after a minute of silence, and said to be so within this time.
const LOST_WITHIN: Duration = Duration::from_secs(70);
/// Nobody is lost before, however late the signal came after the last sign of life: a heartbeat comes each 10 s.
const NOT_LOST_WITHIN: Duration = Duration::from_secs(45);
/// Longer than any of this takes.
const LONG: u32 = 600;

struct Searching {
    place: Place,
    server: Server,
    program: Running,
    rest: Rest,
    id: ExecutionId,
}

async fn searching() -> Searching {
    let place = Place::new();
    let server = place.serve(0);
    let mut program = Running::start(search::command(&place, LONG));
    search::goes_on(&mut program, 1);
    let rest = server.rest();
    let id = eventually("the run", SOON, async || Some(rest.newest(WORKFLOW).await?.execution_id)).await;
    Searching { place, server, program, rest, id }
}

impl Searching {
    async fn status(&self) -> ExecutionStatus {
        self.rest.execution(self.id.as_str()).await.execution.status
    }

    /// Waits until it is lost: not too early, not too late.
    async fn is_lost(&self, silent_since: Instant) {
        eventually("lost", LOST_WITHIN, async || {
            (self.status().await == ExecutionStatus::Lost).then_some(())
        })
        .await;
        let waited = silent_since.elapsed();
        assert!(waited > NOT_LOST_WITHIN && waited <= LOST_WITHIN, "lost after {waited:?}");
        let detail = self.rest.execution(self.id.as_str()).await;
        assert!(detail.execution.lost_since.is_some() && detail.execution.end_time.is_none());
        let task = detail.task_executions.iter().find(|row| row.task_id.as_str() == "search").unwrap();
        assert_eq!(task.status, TaskStatus::Lost);
    }
}

/// Side by side: each takes more than a minute.
#[tokio::test]
async fn a_silent_workflow_is_lost_and_comes_back_if_it_lives() {
    tokio::join!(killed_is_lost(), stopped_is_lost_and_comes_back());
}

async fn killed_is_lost() {
    let mut searching = searching().await;
    let before = searching.status().await;
    assert_eq!(before, ExecutionStatus::Running);
    let killed = Instant::now();
    searching.program.kill();
    searching.is_lost(killed).await;
    let id = searching.id.as_str();
    let tree = searching.place.say(&["show", id]);
    assert!(tree.contains("lost"), "{tree}");
    // Whoever waits for it hears of it by the exit code.
    assert_eq!(searching.place.run(&["wait", id]).code, Some(14));
}

async fn stopped_is_lost_and_comes_back() {
    let mut searching = searching().await;
    let mut live = Live::new(
        searching.server.endpoint(),
        LiveSettings { execution_id: Some(searching.id.clone()), ..LiveSettings::default() },
    )
    .unwrap();
    let watching = tokio::spawn(async move { (next_turn(&mut live).await, live) });
    let stopped = Instant::now();
    searching.program.signal("STOP");
    searching.is_lost(stopped).await;
    // A viewer is told when the server looks next, once a second.
    let (turn, mut live) = tokio::time::timeout(SOON, watching).await.unwrap().unwrap();
    assert_eq!(turn, Turn::Lost);
    searching.program.signal("CONT");
    assert_eq!(tokio::time::timeout(SOON, next_turn(&mut live)).await.unwrap(), Turn::Revived);
    eventually("revived", SOON, async || {
        (searching.status().await == ExecutionStatus::Running).then_some(())
    })
    .await;

    // It ends as if nothing had been: Ctrl-C cancels it.
    searching.program.signal("INT");
    let counted = search::counted(&mut searching.program);
    let cancelled = async || (searching.status().await == ExecutionStatus::Cancelled).then_some(());
    eventually("cancelled", SOON, cancelled).await;
    let execution = searching.rest.execution(searching.id.as_str()).await.execution;
    assert_eq!(execution.lost_since, None);
    search::nothing_missing_nothing_twice(&searching.rest, searching.id.as_str(), counted).await;
}

#[derive(Debug, PartialEq)]
enum Turn {
    Lost,
    Revived,
}

/// The next turn that a viewer is told of a run.
async fn next_turn(live: &mut Live) -> Turn {
    loop {
        match live.next().await.unwrap() {
            Change::Lost(change) => {
                assert!(change.lost_since.is_some());
                return Turn::Lost;
            }
            Change::Revived(change) => {
                assert_eq!(change.lost_since, None);
                return Turn::Revived;
            }
            _ => {}
        }
    }
}
