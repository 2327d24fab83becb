//! Viewers who are cut off and come again.

use std::time::Duration;

use graflow_wire::MessageData;
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::follower::{PATIENCE, Running, View, last_seq, next, watch};
use crate::support::{TestApi, etl};

/// Sockets are cut at random while events come in; each client resumes, hears every event once, and ends with
/// what REST says.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cut_at_random() {
    const RUNS: i64 = 30;
    let running = Running::new(TestApi::new()).await;
    let all: Vec<Value> = (0..RUNS).flat_map(|run| etl(&format!("run-{run:02}"), run * 100)).collect();
    let total = all.len() as u64;
    let done = CancellationToken::new();
    let clients: Vec<_> = (0..6_u64)
        .map(|seed| {
            let (address, done) = (running.address, done.clone());
            tokio::spawn(async move {
                let mut random = fastrand::Rng::with_seed(seed);
                let mut view = View::default();
                let query = if seed % 2 == 0 { "" } else { "&workflow_name=etl" };
                let mut rounds = 0;
                loop {
                    let after = view.seq;
                    let mut socket = watch(address, &format!("?after={after}{query}")).await;
                    rounds += 1;
                    for _ in 0..random.u32(1..60) {
                        view.take(&next(&mut socket).await);
                    }
                    if done.is_cancelled() && view.seq >= total {
                        return (view, rounds);
                    }
                    // Some say goodbye, some just go.
                    if random.bool() {
                        let _ = socket.close(None).await;
                    }
                }
            })
        })
        .collect();
    for batch in all.chunks(7) {
        running.api.take(batch).await;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    assert_eq!(last_seq(&running.api).await, total);
    done.cancel();
    let mut rounds = 0;
    for client in clients {
        let (view, of_client) = timeout(PATIENCE * 3, client).await.unwrap().unwrap();
        rounds += of_client;
        assert_eq!(view.told, (1..=total).collect::<Vec<_>>(), "every event once, in order");
        assert_eq!(view.resyncs, 0);
        for run in 0..RUNS {
            view.check(&running.api, &format!("run-{run:02}")).await;
        }
    }
    assert!(rounds > 30, "{rounds} connections");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_far_behind_or_of_another_store() {
    let running = Running::new(TestApi::new()).await;
    running.api.take(&etl("run-1", 0)).await;
    let mut socket = running.watch("?after=999").await;
    let mut view = View::default();
    view.take(&next(&mut socket).await);
    assert!(view.executions.is_empty());
    let message = next(&mut socket).await;
    assert!(matches!(message.read().unwrap(), MessageData::Resync(resync) if resync.reason == "behind"));
    running.end().await;
}
