//! The layout of a run's graph, whole and by what changed.

use serde_json::{Value, json};

use crate::support::{TestApi, etl, event};

fn grown(id: &str, nodes: &Value, edges: &Value, millis: i64) -> Value {
    event(id, "graph_changed", "run", millis, json!({"data": {"nodes": nodes, "edges": edges}}))
}

fn started() -> Value {
    event("start", "workflow_started", "run", 0, json!({"workflow_name": "w"}))
}

/// Card and left side, in the order of the answer.
fn cards(layout: &Value) -> Vec<(String, f64)> {
    let column = |name: &str| layout["nodes"][name].as_array().unwrap().clone();
    let ids = column("id").into_iter().map(|id| id.as_str().unwrap().to_owned());
    ids.zip(column("x").into_iter().map(|x| x.as_f64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_and_edges_have_a_place() {
    let api = TestApi::new();
    api.take(&etl("run-1", 0)).await;
    let layout = api.get("/api/executions/run-1/layout").await.ok();
    assert_eq!(cards(&layout), [("extract".to_owned(), 0.0), ("load".to_owned(), 280.0)]);
    assert_eq!(layout["nodes"]["status"], json!(["completed", "completed"]));
    assert_eq!(layout["edges"]["count"], json!([1]));
    assert_eq!(layout["edges"]["route"][0], json!([208.0, 32.0, 232.0, 32.0, 256.0, 32.0, 280.0, 32.0]));
    assert_eq!((&layout["base"], &layout["groups"]), (&json!(null), &json!([])));
    assert_eq!(api.get("/api/executions/none/layout").await.error(), "404 execution_not_found");
    assert_eq!(api.get("/api/executions/run-1/layout?fold=1").await.error(), "400 bad_parameter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_follows_gets_what_changed() {
    let api = TestApi::new();
    let nodes = json!([{"id": "a", "kind": "static"}, {"id": "b", "kind": "static"}]);
    api.take(&[
        started(),
        grown("g1", &nodes, &json!([{"source": "a", "target": "b", "kind": "static"}]), 1),
    ])
    .await;
    let first = api.get("/api/executions/run/layout").await.ok();
    let version = first["version"].as_str().unwrap().to_owned();
    let after = |version: &str| format!("/api/executions/run/layout?after={version}");
    let same = api.get(&after(&version)).await.ok();
    assert_eq!(
        (&same["version"], &same["base"], cards(&same).len()),
        (&first["version"], &first["version"], 0)
    );

    let more = json!([{"source": "b", "target": "c", "kind": "dynamic"}]);
    api.take(&[grown("g2", &json!([{"id": "c", "kind": "dynamic"}]), &more, 2)]).await;
    let changed = api.get(&after(&version)).await.ok();
    assert_eq!(cards(&changed), [("c".to_owned(), 560.0)]);
    assert_eq!((&changed["edges"]["source"], &changed["edges"]["target"]), (&json!(["b"]), &json!(["c"])));
    assert_ne!(changed["version"], first["version"]);
    assert_eq!(changed["base"], first["version"]);
    assert_eq!(changed["removed_nodes"], json!([]));
    // What the server does not know is answered as a whole.
    for version in ["instance-1.99.1", "other.1.1", "x", "instance-1.1.99"] {
        let whole = api.get(&after(version)).await.ok();
        assert_eq!((&whole["base"], cards(&whole).len()), (&json!(null), 3), "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_frames_or_cards_and_many_alike_are_a_group() {
    let api = TestApi::new();
    let mut nodes = vec![json!({"id": "split", "kind": "static"}), json!({"id": "pair", "kind": "group"})];
    nodes.extend(["x", "y,z"].map(|id| json!({"id": id, "kind": "static", "group": "pair"})));
    nodes.extend((0..20).map(|n| json!({"id": format!("work_{n}"), "kind": "dynamic", "family": "work"})));
    let mut edges = vec![json!({"source": "split", "target": "pair", "kind": "static"})];
    edges.extend(
        (0..20).map(|n| json!({"source": "split", "target": format!("work_{n}"), "kind": "dynamic"})),
    );
    api.take(&[started(), grown("g", &json!(nodes), &json!(edges), 1)]).await;
    let names = |layout: &Value| cards(layout).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let group = |layout: &Value, id: &str| {
        layout["groups"].as_array().unwrap().iter().find(|group| group["id"] == id).unwrap().clone()
    };

    let layout = api.get("/api/executions/run/layout").await.ok();
    assert_eq!(names(&layout), ["split", "x", "y,z", "family:work_0"]);
    let family = group(&layout, "family:work_0");
    assert_eq!(
        (&family["label"], &family["tasks"], &family["collapsed"]),
        (&json!("work"), &json!(20), &json!(true))
    );
    assert_eq!(family["by_status"], json!({"pending": 20}));
    assert_eq!(layout["nodes"]["group"], json!([null, "pair", "pair", null]));

    let layout = api.get("/api/executions/run/layout?collapsed=pair&expanded=family:work_0").await.ok();
    assert_eq!(names(&layout).len(), 22);
    assert_eq!(group(&layout, "pair")["collapsed"], true);
    assert_eq!(layout["edges"]["source"].as_array().unwrap().len(), 21);

    // Another folding of a picture that a page has: what stands keeps its place, and the rest is told.
    let path =
        format!("/api/executions/run/layout?collapsed=pair&after={}", layout["version"].as_str().unwrap());
    let folded = api.get(&path).await.ok();
    assert_eq!(names(&folded), ["family:work_0"]);
    assert_eq!(folded["removed_nodes"].as_array().unwrap().len(), 20);
    assert_eq!(folded["base"], layout["version"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_whole_and_harmless() {
    let api = TestApi::new();
    let hostile = "<script>\u{1}\"&";
    let nodes = json!([{"id": hostile, "kind": "static"}, {"id": "b", "kind": "static"}]);
    let edges = json!([{"source": hostile, "target": "b", "kind": "static"}, {"source": "b", "target": hostile, "kind": "jump"}]);
    api.take(&[started(), grown("g", &nodes, &edges, 1)]).await;
    let answer = api.get("/api/executions/run/layout.svg").await;
    assert_eq!(answer.headers["content-type"], "image/svg+xml; charset=utf-8");
    assert!(answer.text.starts_with("<svg ") && answer.text.ends_with("</svg>\n"));
    assert!(!answer.text.contains("<script") && !answer.text.contains('\u{1}'), "{}", answer.text);
    assert!(answer.text.contains("&lt;script&gt;\u{fffd}&quot;&amp;"), "{}", answer.text);
    assert_eq!(answer.text.matches("class=\"card").count(), 2);
    assert!(answer.text.contains("class=\"edge back declared\""), "{}", answer.text);
    assert_eq!(answer.text.matches("pending</text>").count(), 2);
    assert_eq!(api.get("/api/executions/none/layout.svg").await.error(), "404 execution_not_found");
}

/// Producers that contradict themselves: groups in each other, a group in a task, an edge to what is nowhere declared.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_drawn_all_the_same() {
    let api = TestApi::new();
    let nodes = json!([
        {"id": "a", "kind": "group", "group": "b"}, {"id": "b", "kind": "group", "group": "a"},
        {"id": "c", "kind": "static", "group": "a"}, {"id": "d", "kind": "static", "group": "c"},
        {"id": "e", "kind": "group", "group": "e"},
    ]);
    let edges = json!([
        {"source": "c", "target": "a", "kind": "static"}, {"source": "a", "target": "b", "kind": "static"},
        {"source": "d", "target": "ghost", "kind": "jump"}, {"source": "d", "target": "d", "kind": "iteration"},
    ]);
    api.take(&[started(), grown("g", &nodes, &edges, 1)]).await;
    let layout = api.get("/api/executions/run/layout").await.ok();
    let ids: Vec<_> = cards(&layout).into_iter().map(|(id, _)| id).collect();
    assert!(["c", "d"].iter().all(|id| ids.iter().any(|card| card == id)), "{layout}");
    for folded in ["collapsed=a", "collapsed=b", "collapsed=a,b,e"] {
        api.get(&format!("/api/executions/run/layout?{folded}")).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_holds_until_the_run_changes() {
    let api = TestApi::new();
    let nodes = json!([{"id": "a", "kind": "static"}]);
    api.take(&[started(), grown("g1", &nodes, &json!([]), 1)]).await;
    let whole = async || api.get("/api/executions/run/layout").await.ok();
    let first = whole().await;
    // What happens to others is no change: the numbers of their events are not those of this run.
    api.take(&etl("other", 0)).await;
    assert_eq!(whole().await, first);

    let task = json!({"task_id": "a", "task_execution_id": "t"});
    api.take(&[event("s", "task_started", "run", 2, task)]).await;
    let running = whole().await;
    assert_eq!(running["nodes"]["status"], json!(["running"]));
    assert!(running["as_of_seq"].as_u64() > first["as_of_seq"].as_u64());
    // Silence is no event, but it is seen.
    api.clock.advance_seconds(120);
    assert_eq!(whole().await["nodes"]["status"], json!(["lost"]));

    api.post("/api/executions/delete", &[], r#"{"workflow_name": "w"}"#).await;
    let deleted = api.get("/api/executions/run/layout").await;
    assert_eq!(deleted.error(), "404 execution_not_found");
}
