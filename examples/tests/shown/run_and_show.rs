//! An example runs against a server; the command line, REST and a live viewer all tell the same of it.

use std::collections::{BTreeMap, BTreeSet};

use graflow_client::live::{Change, GraphView, Live, LiveSettings};
use graflow_model::{ExecutionId, ExecutionStatus, TaskStatus};
use graflow_wire::{Edge, ExecutionDetail, Graph, Node, TaskExecution};
use serde_json::{Value, json};

use crate::support::{Place, Running, SOON, eventually};

const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn census(place: &Place, arguments: &[&str]) -> std::process::Command {
    let mut command = place.command(env!("CARGO_BIN_EXE_census"));
    command.args(["--path", CHECKOUT]).args(arguments);
    command
}

#[tokio::test]
async fn the_census_is_shown_as_rest_tells_it() {
    let place = Place::new();
    let server = place.serve(0);
    let (status, printed) = Running::start(census(&place, &[])).wait(SOON);
    assert!(status.success(), "{printed:?}");

    let rest = server.rest();
    let executions = rest.executions().await;
    assert_eq!(executions.len(), 1);
    let id = executions[0].execution_id.as_str();
    let (detail, graph) = (rest.execution(id).await, rest.graph(id).await);
    assert_eq!(detail.execution, executions[0]);
    as_the_program_counted(&printed, &detail);
    it_is_a_census(&detail, &graph);

    // The tree names every task with its state.
    let tree = place.say(&["show", "latest", "--all"]);
    for node in &graph.nodes {
        let said = tree.lines().any(|line| {
            line.contains(node.id.as_str())
                && line.split_whitespace().any(|word| word == node.data.status.as_str())
        });
        assert!(said, "{} is {}:\n{tree}", node.id, node.data.status);
    }

    // What programs get from the command line is what REST answers.
    let shown: Value = serde_json::from_str(&place.say(&["show", "latest", "--json"])).unwrap();
    assert_eq!(shown["execution"], json!(detail.execution));
    assert_eq!(by_id(&shown["task_executions"]), by_id(&json!(detail.task_executions)));
    let edges = |graph: &Value| -> BTreeSet<String> {
        graph["edges"].as_array().unwrap().iter().map(ToString::to_string).collect()
    };
    let drawn: Value = serde_json::from_str(&place.say(&["graph", "latest", "--format", "json"])).unwrap();
    assert_eq!(edges(&drawn), edges(&json!(graph)));
    assert_eq!(edges(&shown["graph"]), edges(&json!(graph)));
    // What a newest run is asked for by, and what it is asked for by its id, is one graph.
    let current: Graph = rest.get("/api/graph/current").await;
    assert_eq!(json!(current.nodes), json!(graph.nodes));
}

/// The last line that the census prints is its own account.
fn as_the_program_counted(printed: &[String], detail: &ExecutionDetail) {
    let account = printed.iter().rfind(|line| line.contains(" task executions in ")).unwrap();
    let counted: u64 = account.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(detail.task_executions.len() as u64, counted, "{account}");
    let execution = &detail.execution;
    assert_eq!(execution.status, ExecutionStatus::Completed);
    assert_eq!(execution.total_tasks + execution.retried_tasks, counted);
    assert_eq!(execution.completed_tasks, execution.total_tasks);
    assert_eq!((execution.failed_tasks, execution.running_tasks), (0, 0));
    let passes = detail.task_executions.iter().filter(|row| row.task_id.as_str() == "refine").count();
    assert!(account.contains(&format!("refine {passes} passes")), "{account}: {passes}");
    let attempts = detail.task_executions.iter().filter(|row| row.task_id.as_str() == "total_lines").count();
    assert!(account.contains(&format!("total_lines took {attempts} attempts")), "{account}: {attempts}");
}

/// A task a folder, each under the group, and the edges that the program declares.
fn it_is_a_census(detail: &ExecutionDetail, graph: &Graph) {
    let nodes: BTreeMap<&str, &Node> = graph.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let members = nodes["folders"].data.members.as_ref().unwrap();
    assert!(members.iter().any(|member| member.as_str() == "count_folder/crates"), "{members:?}");
    for member in members {
        assert_eq!(nodes[member.as_str()].data.status, TaskStatus::Completed, "{member}");
        assert_eq!(nodes[member.as_str()].data.family.as_deref(), Some("count_folder"), "{member}");
    }
    let edges: BTreeMap<(&str, &str), u64> = graph
        .edges
        .iter()
        .map(|edge| ((edge.source.as_str(), edge.target.as_str()), edge.data.count))
        .collect();
    for edge in [
        ("survey", "total_lines"),
        ("survey", "history"),
        ("total_lines", "split"),
        ("history", "split"),
        ("split", "folders"),
        ("folders", "rankings"),
        ("rankings", "refine"),
        ("refine", "report"),
    ] {
        assert!(edges.contains_key(&edge), "{edge:?}: {edges:?}");
    }
    // Each pass of the loop but the first was led to by the one before.
    let passes = detail.task_executions.iter().filter(|row| row.task_id.as_str() == "refine").count() as u64;
    assert_eq!(edges.get(&("refine", "refine")).copied().unwrap_or(0), passes - 1);
}

/// Rows of JSON by their `task_execution_id`.
fn by_id(rows: &Value) -> BTreeMap<String, Value> {
    let rows = rows.as_array().unwrap();
    rows.iter().map(|row| (row["task_execution_id"].as_str().unwrap().to_owned(), row.clone())).collect()
}

#[tokio::test]
async fn a_viewer_who_comes_half_way_ends_with_what_rest_says() {
    let place = Place::new();
    let server = place.serve(0);
    let rest = server.rest();
    // Slow enough to come in the middle of it.
    let mut program = Running::start(census(&place, &["--slow", "400"]));
    let id = eventually("a folder is being counted", SOON, async || {
        let execution = rest.executions().await.pop()?;
        let rows = rest.execution(execution.execution_id.as_str()).await.task_executions;
        rows.iter().any(|row| row.group.is_some()).then_some(execution.execution_id)
    })
    .await;

    let settings = LiveSettings { execution_id: Some(id.clone()), ..LiveSettings::default() };
    let mut live = Live::new(server.endpoint(), settings).unwrap();
    assert!(matches!(live.next().await.unwrap(), Change::Snapshot));
    let joined_at = live.seq();
    let first = live.view().execution(&id).unwrap();
    assert_eq!(first.status, ExecutionStatus::Running, "the viewer came too late to see anything");

    let mut changes = 0;
    let followed = tokio::time::timeout(SOON, async {
        while live.view().execution(&id).unwrap().status == ExecutionStatus::Running {
            match live.next().await.unwrap() {
                Change::Event(..) => changes += 1,
                Change::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    followed.await.unwrap();
    assert!(changes > 0 && live.seq() > joined_at);
    let (status, printed) = program.wait(SOON);
    assert!(status.success(), "{printed:?}");
    let last_seq = rest.execution(id.as_str()).await.as_of_seq;
    while live.seq() < last_seq {
        live.next().await.unwrap();
    }
    the_view_is_what_rest_says(
        &live,
        &rest.execution(id.as_str()).await,
        &rest.graph(id.as_str()).await,
        &id,
    );
}

fn the_view_is_what_rest_says(live: &Live, detail: &ExecutionDetail, graph: &Graph, id: &ExecutionId) {
    let view = live.view();
    assert_eq!(view.execution(id), Some(&detail.execution));
    let sorted = |mut rows: Vec<TaskExecution>| {
        rows.sort_by(|a, b| a.task_execution_id.cmp(&b.task_execution_id));
        rows
    };
    assert_eq!(sorted(view.task_executions().cloned().collect()), sorted(detail.task_executions.clone()));
    let seen: &GraphView = view.graph(id).unwrap();
    let nodes = |nodes: Vec<&Node>| -> BTreeMap<String, Node> {
        nodes.into_iter().map(|node| (node.id.to_string(), node.clone())).collect()
    };
    assert_eq!(nodes(seen.nodes().collect()), nodes(graph.nodes.iter().collect()));
    let edges = |edges: Vec<&Edge>| -> BTreeMap<(String, String), Edge> {
        edges
            .into_iter()
            .map(|edge| ((edge.source.to_string(), edge.target.to_string()), edge.clone()))
            .collect()
    };
    assert_eq!(edges(seen.edges().collect()), edges(graph.edges.iter().collect()));
}
