//! The facade itself: the source text's verbs, from any thread, and listeners who fail or hang.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use graflow_lineage::manager::RecordError;
use graflow_lineage::materialise::Delta;
use graflow_model::event::{EdgeDeclaration, ErrorInfo, GraphChanged, NodeDeclaration};
use graflow_model::{EdgeKind, ExecutionId, NodeKind, TaskId, WorkflowName};

use crate::support::{TestApi, event};

fn chain() -> GraphChanged {
    let node = |id: &str| NodeDeclaration::new(id.into(), NodeKind::Static);
    GraphChanged {
        nodes: vec![node("extract"), node("load")],
        edges: vec![EdgeDeclaration {
            source: "extract".into(),
            target: "load".into(),
            kind: EdgeKind::Static,
        }],
    }
}

fn error(message: &str) -> ErrorInfo {
    ErrorInfo { error_type: "E".to_owned(), message: message.to_owned(), traceback: None, fingerprint: None }
}

/// Waits until something holds.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verbs_tell_a_run() {
    let api = TestApi::new();
    let manager = &api.manager;
    let execution_id = manager.start_workflow_execution(&"etl".into(), &chain()).unwrap();
    let extract = manager.add_task_execution(&execution_id, &"extract".into()).unwrap();
    let graph = manager.get_graph_snapshot(None).unwrap();
    let statuses: Vec<_> = graph.nodes.iter().map(|node| node.status.as_str()).collect();
    assert_eq!(statuses, ["running", "pending"]);
    manager.complete_task_execution(&extract, Some(24)).unwrap();
    let load = manager.add_task_execution(&execution_id, &"load".into()).unwrap();
    manager.fail_task_execution(&load, error("no answer")).unwrap();
    manager.fail_workflow_execution(&execution_id, error("no answer")).unwrap();
    let detail = api.get(&format!("/api/executions/{execution_id}")).await.ok();
    assert_eq!(detail["execution"]["status"], "failed");
    assert_eq!(detail["execution"]["failed_tasks"], 1);
    assert_eq!(detail["task_executions"][0]["result_size"], 24);
    assert_eq!(detail["task_executions"][1]["error_message"], "no answer");
}

/// Two executions of one task at once end each on its own, and runs of many threads stay apart.
#[tokio::test(flavor = "multi_thread")]
async fn many_at_once() {
    let api = TestApi::new();
    let workers: Vec<_> = (0..8_u64)
        .map(|worker| {
            let manager = Arc::clone(&api.manager);
            std::thread::spawn(move || {
                let name = WorkflowName::from(format!("w{worker}"));
                let execution_id = manager.start_workflow_execution(&name, &GraphChanged::default()).unwrap();
                let task = TaskId::from("same");
                let first = manager.add_task_execution(&execution_id, &task).unwrap();
                let second = manager.add_task_execution(&execution_id, &task).unwrap();
                manager.fail_task_execution(&first, error("first")).unwrap();
                manager.complete_task_execution(&second, Some(worker)).unwrap();
                manager.complete_workflow_execution(&execution_id).unwrap();
                (execution_id, second)
            })
        })
        .collect();
    for (worker, thread) in workers.into_iter().enumerate() {
        let (execution_id, second) = thread.join().unwrap();
        let detail = api.get(&format!("/api/executions/{execution_id}")).await.ok();
        assert_eq!(detail["execution"]["workflow_name"], format!("w{worker}"));
        let counts =
            ["total_tasks", "completed_tasks", "failed_tasks"].map(|name| detail["execution"][name].as_u64());
        assert_eq!(counts, [Some(2), Some(1), Some(1)]);
        let row = api.get(&format!("/api/task_executions/{}", second.task_execution_id)).await.ok();
        assert_eq!(row["task_execution"]["result_size"], worker);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_said() {
    let api = TestApi::new();
    let unnamed = api.manager.start_workflow_execution(&"".into(), &GraphChanged::default());
    assert!(matches!(unnamed, Err(RecordError::Invalid(_))), "{unnamed:?}");
    let long = ExecutionId::new("x".repeat(129));
    let task = api.manager.add_task_execution(&long, &"t".into());
    assert!(matches!(task, Err(RecordError::Invalid(_))), "{task:?}");
}

/// One listener panics, one hangs; the third and everybody else notice nothing.
#[tokio::test(flavor = "multi_thread")]
async fn listeners_harm_nobody() {
    let api = TestApi::new();
    let manager = &api.manager;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let calls = Arc::new(AtomicU64::new(0));
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (told, counted) = (Arc::clone(&heard), Arc::clone(&calls));
    let panics = manager
        .add_listener(Box::new(move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            panic!("a listener's own fault");
        }))
        .unwrap();
    let hang = move |_: &str, _: &Delta| assert!(held.recv().is_err(), "nobody says a word");
    let hangs = manager.add_listener(Box::new(hang)).unwrap();
    let listens = manager
        .add_listener(Box::new(move |kind, delta| {
            let status = delta.rows.execution.as_ref().map(|row| row.status);
            told.lock().unwrap().push((kind.to_owned(), status));
        }))
        .unwrap();
    let events: Vec<_> = (0..3_000)
        .map(|number| event(&format!("e{number}"), "note", "x", number, serde_json::json!({})))
        .collect();
    for batch in events.chunks(500) {
        api.take(batch).await;
        eventually("the listener", || {
            manager.live().listener_statistics(listens).unwrap().heard >= batch.len() as u64
        });
    }
    eventually("every event", || {
        let statistics = manager.live().listener_statistics(listens).unwrap();
        statistics.heard + statistics.dropped == 3_000
    });
    assert_eq!(heard.lock().unwrap()[0].0, "note");
    assert!(heard.lock().unwrap()[0].1.is_some());
    eventually("the one that panics", || {
        let statistics = manager.live().listener_statistics(panics).unwrap();
        statistics.failures == statistics.heard && statistics.heard + statistics.dropped == 3_000
    });
    assert!(calls.load(Ordering::SeqCst) > 0);
    let hanging = manager.live().listener_statistics(hangs).unwrap();
    assert_eq!((hanging.heard, hanging.dropped), (0, 3_000 - 1_024 - 1));
    for id in [panics, hangs, listens] {
        assert!(manager.live().remove_listener(id));
        assert!(!manager.live().remove_listener(id));
    }
    drop(release);
    assert_eq!(manager.live().statistics().listeners, 0);
}
