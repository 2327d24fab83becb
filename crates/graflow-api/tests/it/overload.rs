//! More than the server can take: it says so, and what it acknowledged is there, once.

use serde_json::json;

use crate::support::{TestApi, event};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn acknowledged_is_stored_and_the_rest_is_told_when_to_come_back() {
    let api = std::sync::Arc::new(TestApi::with_store(|options| options.most_lag = 2_000, |_| {}));
    let producers: Vec<_> = (0..10)
        .map(|producer| {
            let api = std::sync::Arc::clone(&api);
            tokio::spawn(async move {
                let (mut accepted, mut refused) = (Vec::new(), 0);
                for batch in 0..20 {
                    let ids: Vec<_> = (0..500).map(|number| format!("{producer}-{batch}-{number}")).collect();
                    let task = |id: &str| json!({"task_id": "t", "task_execution_id": id});
                    let events: Vec<_> =
                        ids.iter().map(|id| event(id, "task_started", "x", 0, task(id))).collect();
                    let answer = api.post("/api/events", &[], json!(events).to_string()).await;
                    if answer.status == 503 {
                        let wait = answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
                        assert!((1..60).contains(&wait));
                        assert_eq!(answer.error(), "503 overloaded");
                        refused += 1;
                    } else {
                        assert_eq!(answer.ok()["accepted"], 500);
                        accepted.extend(ids);
                    }
                }
                (accepted, refused)
            })
        })
        .collect();
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for producer in producers {
        let (of_producer, of_refused) = producer.await.unwrap();
        accepted.extend(of_producer);
        refused += of_refused;
    }
    assert!(refused > 0, "nothing was refused: this test shows nothing");
    let mut stored = Vec::new();
    let mut after = 0;
    loop {
        let page = api.get(&format!("/api/executions/x/events?limit=5000&after={after}")).await.ok();
        let events = page["events"].as_array().unwrap();
        let Some(last) = events.last() else { break };
        after = last["seq"].as_u64().unwrap();
        stored.extend(events.iter().map(|event| event["event"]["event_id"].as_str().unwrap().to_owned()));
    }
    accepted.sort();
    stored.sort();
    assert_eq!(stored, accepted, "{refused} refused");
    assert!(api.get("/metrics").await.text.contains("graflow_overloaded_total "));
}
