//! The graphs of two real scientific workflows, sent as events, read back node by node and edge by edge.
//!
//! They stand in a Python package, which a plain `cargo test` does not ask for: `cargo xtask test --only wfcommons`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use graflow_model::event::{
    Cause, EdgeDeclaration, GraphChanged, NodeDeclaration, TaskStarted, WorkflowStarted,
};
use graflow_model::state::CauseKind;
use graflow_model::{EdgeKind, Event, EventType, ExecutionId, NodeKind, ProducerId, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::harness::Graflow;

#[derive(Deserialize)]
struct Workflow {
    nodes: Vec<Node>,
    edges: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    r#type: String,
    seconds: f64,
}

#[test]
#[ignore = "needs the Python package wfcommons: cargo xtask test --only wfcommons"]
fn wfcommons_montage_is_read_back_as_it_is() {
    check("montage", "montage-chameleon-dss-15d-001", 2_124);
}

#[test]
#[ignore = "needs the Python package wfcommons: cargo xtask test --only wfcommons"]
fn wfcommons_cycles_is_read_back_as_it_is() {
    check("cycles", "cycles-chameleon-5l-3c-12p-001", 3_275);
}

fn check(recipe: &str, instance: &str, nodes: usize) {
    let workflow = read(recipe, instance);
    assert_eq!(workflow.nodes.len(), nodes);
    let graflow = Graflow::new();
    let server = graflow.serve(&[]);
    let sent = events(instance, &workflow);
    let imported = graflow.run_with(&["import", "--url", &server.url, "-"], &sent);
    assert_eq!(imported.code, 0, "{}", imported.stderr);

    let graph = json(&graflow, &["graph", "--format", "json"]);
    let found: BTreeMap<&str, &Value> =
        array(&graph["nodes"]).iter().map(|node| (node["id"].as_str().unwrap(), &node["data"])).collect();
    assert_eq!(found.len(), workflow.nodes.len());
    for node in &workflow.nodes {
        let data = found[node.id.as_str()];
        assert_eq!(data["task_type"], node.r#type.as_str(), "{}", node.id);
        assert_eq!(data["status"], "completed", "{}", node.id);
        assert_eq!(data["executions"], 1, "{}", node.id);
        let seconds = data["last_duration"].as_f64().unwrap();
        assert!((seconds - node.seconds).abs() < 2e-6, "{}: {seconds} for {}", node.id, node.seconds);
    }
    let found: BTreeSet<(&str, &str)> = array(&graph["edges"])
        .iter()
        .map(|edge| {
            assert_eq!(edge["data"]["count"], 1, "{edge}");
            assert_eq!(edge["data"]["kind"], "static", "{edge}");
            (edge["source"].as_str().unwrap(), edge["target"].as_str().unwrap())
        })
        .collect();
    let declared: BTreeSet<(&str, &str)> =
        workflow.edges.iter().map(|(source, target)| (source.as_str(), target.as_str())).collect();
    assert_eq!(found, declared);

    let shown = json(&graflow, &["show"]);
    assert_eq!(shown["execution"]["completed_tasks"], nodes);
    assert_eq!(shown["execution"]["labels"]["durations"], "drawn from wfcommons' distributions");
    assert_eq!(shown["findings"], Value::Array(Vec::new()));
    let page = graflow.run(&["show"]).stdout;
    assert!(page.lines().count() < 80, "thousands of tasks are a screenful:\n{page}");
}

fn read(recipe: &str, instance: &str) -> Workflow {
    let python = std::env::var_os("GRAFLOW_TEST_PYTHON")
        .expect("GRAFLOW_TEST_PYTHON names a Python that has wfcommons");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/wfcommons.py");
    let output = Command::new(python).args([script, recipe, instance]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A run in which every task starts as soon as what it follows has ended.
fn events(instance: &str, workflow: &Workflow) -> String {
    let mut log = Log { lines: String::new(), instance: instance.to_owned(), seq: 0 };
    let mut before: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (source, target) in &workflow.edges {
        before.entry(target).or_default().push(source);
    }
    let started = WorkflowStarted {
        labels: [("durations".to_owned(), "drawn from wfcommons' distributions".to_owned())].into(),
        ..WorkflowStarted::default()
    };
    log.push(EventType::WorkflowStarted, 0, None, Some(serde_json::to_value(&started).unwrap()));
    for change in graph_changes(workflow) {
        log.push(EventType::GraphChanged, 0, None, Some(serde_json::to_value(&change).unwrap()));
    }

    let seconds: BTreeMap<&str, f64> =
        workflow.nodes.iter().map(|node| (node.id.as_str(), node.seconds)).collect();
    let mut ends: BTreeMap<&str, i64> = BTreeMap::new();
    for node in &workflow.nodes {
        end_of(&node.id, &before, &seconds, &mut ends);
    }
    for node in &workflow.nodes {
        let sources = before.get(node.id.as_str()).cloned().unwrap_or_default();
        let start = sources.iter().map(|source| ends[source]).max().unwrap_or(0);
        let causes = sources.iter().map(|source| Cause {
            kind: CauseKind::Successor,
            task_execution_id: format!("{instance}.{source}").into(),
        });
        let started = TaskStarted { causes: causes.collect(), ..TaskStarted::default() };
        log.push(
            EventType::TaskStarted,
            start,
            Some(&node.id),
            Some(serde_json::to_value(&started).unwrap()),
        );
        log.push(EventType::TaskCompleted, ends[node.id.as_str()], Some(&node.id), None);
    }
    let end = ends.values().copied().max().unwrap_or(0);
    log.push(EventType::WorkflowCompleted, end, None, None);
    log.lines
}

/// The graph, in events that stay well below the limit.
fn graph_changes(workflow: &Workflow) -> Vec<GraphChanged> {
    let nodes = workflow.nodes.chunks(1_000).map(|nodes| GraphChanged {
        nodes: nodes
            .iter()
            .map(|node| NodeDeclaration {
                task_type: Some(node.r#type.clone()),
                ..NodeDeclaration::new(node.id.as_str().into(), NodeKind::Static)
            })
            .collect(),
        edges: Vec::new(),
    });
    let edges = workflow.edges.chunks(1_000).map(|edges| GraphChanged {
        nodes: Vec::new(),
        edges: edges
            .iter()
            .map(|(source, target)| EdgeDeclaration {
                source: source.as_str().into(),
                target: target.as_str().into(),
                kind: EdgeKind::Static,
            })
            .collect(),
    });
    nodes.chain(edges).collect()
}

/// When a task ends, in microseconds since the run began.
fn end_of<'a>(
    node: &'a str,
    before: &BTreeMap<&'a str, Vec<&'a str>>,
    seconds: &BTreeMap<&'a str, f64>,
    ends: &mut BTreeMap<&'a str, i64>,
) -> i64 {
    if let Some(end) = ends.get(node) {
        return *end;
    }
    let sources = before.get(node).map(Vec::as_slice).unwrap_or_default();
    let start = sources.iter().map(|source| end_of(source, before, seconds, ends)).max().unwrap_or(0);
    #[expect(clippy::cast_possible_truncation, reason = "some minutes")]
    let end = start + (seconds[node] * 1e6).round() as i64;
    ends.insert(node, end);
    end
}

struct Log {
    lines: String,
    instance: String,
    seq: u64,
}

impl Log {
    fn push(&mut self, event_type: EventType, at: i64, task: Option<&str>, data: Option<Value>) {
        self.seq += 1;
        let begin: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let time = Timestamp::from_micros(begin.as_micros() + at);
        let id = format!("{}-{}", self.instance, self.seq);
        let mut event = Event::new(id.into(), event_type, time);
        event.execution_id = Some(ExecutionId::from(self.instance.as_str()));
        event.workflow_name = Some(self.instance.as_str().into());
        event.task_id = task.map(Into::into);
        event.task_execution_id = task.map(|task| format!("{}.{task}", self.instance).into());
        event.producer = Some(ProducerId::from("wfcommons/boot/1/a"));
        event.producer_seq = Some(self.seq);
        event.mono_us = Some(at);
        if let Some(data) = data {
            event = event.with_data(&data);
        }
        self.lines.push_str(&event.to_json());
        self.lines.push('\n');
    }
}

fn json(graflow: &Graflow, arguments: &[&str]) -> Value {
    let ended = graflow.run(&[arguments, &["--json"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}
