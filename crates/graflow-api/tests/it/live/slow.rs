//! Viewers who do not read: they are bounded, and nobody notices them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::follower::{PATIENCE, Running, View, last_seq};
use crate::support::{TestApi, etl, event};

/// A viewer that does not read is told to begin anew, once, and then ends with what REST says. Its neighbour
/// notices nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_viewer_begins_anew_and_harms_nobody() {
    let running = Running::new(TestApi::new()).await;
    let mut slow = running.watch("?execution_id=x").await;
    let mut quick = running.watch("?execution_id=x").await;
    let mut quick_view = View::default();
    let total = 40_000_u64;
    let reader = tokio::spawn(async move {
        quick_view.follow_to(&mut quick, total).await;
        quick_view
    });
    for batch in 0..total / 2_000 {
        let events: Vec<_> = (0..2_000)
            .map(|place| {
                let number = batch * 2_000 + place;
                let data = json!({"task_id": "t", "task_execution_id": format!("t.{}", number % 500), "iteration": number % 500,
                    "data": {"worker": "w".repeat(400)}});
                event(&format!("e{number}"), "task_started", "x", number.cast_signed(), data)
            })
            .collect();
        running.api.take(&events).await;
        // The quick one is given time to read; the slow one's queue fills up all the same.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let mut slow_view = View::default();
    slow_view.follow_to(&mut slow, total).await;
    assert!(slow_view.resyncs >= 1, "it was never too slow");
    assert!((slow_view.told.len() as u64) < total);
    assert_eq!(slow_view.told.iter().collect::<BTreeSet<_>>().len(), slow_view.told.len());
    slow_view.check(&running.api, "x").await;
    let quick_view = timeout(PATIENCE, reader).await.unwrap().unwrap();
    quick_view.check(&running.api, "x").await;
    running.end().await;
}

/// A thousand viewers; nine of ten never read, and the others hear of every event.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_viewers() {
    let running = Running::new(TestApi::new()).await;
    let mut stalled = Vec::new();
    let mut readers = Vec::new();
    for number in 0..1_000 {
        let socket = running.watch("").await;
        if number % 10 == 0 {
            readers.push(socket);
        } else {
            stalled.push(socket);
        }
    }
    for number in 0..20 {
        running.api.take(&etl(&format!("run-{number}"), number * 10)).await;
    }
    let last = last_seq(&running.api).await;
    let followed: Vec<_> = readers
        .into_iter()
        .map(|mut socket| {
            tokio::spawn(async move {
                let mut view = View::default();
                view.follow_to(&mut socket, last).await;
                assert_eq!((view.told.len() as u64, view.resyncs), (last, 0));
                (socket, view.executions.len())
            })
        })
        .collect();
    assert_eq!(running.api.manager.live().statistics().viewers, 1_000);
    for reader in followed {
        assert_eq!(timeout(PATIENCE * 3, reader).await.unwrap().unwrap().1, 20);
    }
    drop(stalled);
    running.end().await;
}
