//! The contract of events as a JSON Schema, for producers in other languages.

use std::path::Path;

use graflow_model::EventType;
use graflow_model::event::{
    DataRead, DataWritten, GraphChanged, Heartbeat, LlmCalled, Log, TaskCompleted, TaskEnded, TaskFailed,
    TaskQueued, TaskStarted, Waiting, WaitingEnded, WorkflowEnded, WorkflowResumed, WorkflowStarted,
};
use graflow_model::limits::{ID_BYTES, NAME_BYTES};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Compares `spec/events.schema.json` with what the code says, or rewrites it when `UPDATE_SPEC` is set.
#[test]
fn generated_events_schema() {
    let mut generated = serde_json::to_string_pretty(&schema()).unwrap();
    generated.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/events.schema.json");
    if std::env::var_os("UPDATE_SPEC").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "spec/events.schema.json is not what the code says; hint: UPDATE_SPEC=1 cargo test -p graflow-model rewrites it"
    );
}

/// Every type that is known has its `data` described, or is free on purpose.
#[test]
fn every_type_is_described() {
    let mut generator = SchemaGenerator::default();
    for event_type in EventType::KNOWN {
        let free = matches!(event_type, EventType::Note);
        assert_eq!(data_of(event_type, &mut generator).is_none(), free, "{event_type}");
    }
}

fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut rules = Vec::new();
    for event_type in EventType::KNOWN {
        let Some(data) = data_of(event_type, &mut generator) else { continue };
        rules.push(rule(&json!({"const": event_type.as_str()}), &json!({"properties": {"data": data}})));
    }
    let of_tasks: Vec<_> =
        EventType::KNOWN.iter().filter(|event_type| event_type.is_task()).map(EventType::as_str).collect();
    rules.push(rule(&json!({"enum": of_tasks}), &json!({"required": ["task_id", "task_execution_id"]})));
    rules.push(rule(&json!({"not": {"const": "heartbeat"}}), &json!({"required": ["execution_id"]})));
    let known: Vec<_> = EventType::KNOWN.iter().map(EventType::as_str).collect();
    let definitions: Map<String, Value> = generator.take_definitions(true);
    let id = json!({"type": "string", "minLength": 1, "maxLength": ID_BYTES});
    let or_null = |mut schema: Value| {
        schema["type"] = json!([schema["type"], "null"]);
        schema
    };
    let name = json!({"type": "string", "minLength": 1, "maxLength": NAME_BYTES});
    let count = |minimum: u32, description: &str| json!({"type": ["integer", "null"], "minimum": minimum, "description": description});
    let described = |mut schema: Value, description: &str| {
        schema["description"] = json!(description);
        schema
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Graflow Lineage event, version 1",
        "description": "One thing that happened. Fields and types that are not described here are kept and given back.",
        "type": "object",
        "required": ["event_id", "type", "time"],
        "properties": {
            "event_id": described(id.clone(), "Names the event for ever; a resend carries the same id."),
            "type": described(json!({"type": "string", "minLength": 1, "maxLength": NAME_BYTES, "examples": known}), "What happened."),
            "time": {"type": "string", "format": "date-time", "description": "When, by the producer's wall clock: RFC 3339."},
            "execution_id": described(or_null(id.clone()), "The run it belongs to; only a heartbeat may have none."),
            "workflow_name": described(or_null(name.clone()), "The run's workflow."),
            "task_id": described(or_null(name), "The task it is about."),
            "task_execution_id": described(or_null(id.clone()), "The attempt it is about."),
            "iteration": count(0, "The pass of the loop, from 0."),
            "attempt": count(0, "The attempt, from 1."),
            "parent_task_execution_id": described(or_null(id.clone()), "The task execution that this one runs inside of."),
            "producer": described(or_null(id), "The process that tells it: host/boot/pid/nonce, new after a fork."),
            "producer_seq": count(0, "That process' own count, from 1: the key of exactly-once."),
            "mono_us": {"type": ["integer", "null"], "description": "That machine's monotonic clock, in microseconds."},
            "data": {"type": ["object", "null"], "description": "What belongs to the type."},
        },
        "dependentRequired": {"producer_seq": ["producer"]},
        "allOf": rules,
        "$defs": definitions,
    })
}

fn rule(of_type: &Value, then: &Value) -> Value {
    json!({"if": {"properties": {"type": of_type}, "required": ["type"]}, "then": then})
}

/// The schema of `data`; none where anything goes.
fn data_of(event_type: &EventType, generator: &mut SchemaGenerator) -> Option<Value> {
    fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
        generator.subschema_for::<T>().to_value()
    }
    Some(match event_type {
        EventType::WorkflowStarted => of::<WorkflowStarted>(generator),
        EventType::WorkflowCompleted
        | EventType::WorkflowFailed
        | EventType::WorkflowCancelled
        | EventType::WorkflowTerminated => of::<WorkflowEnded>(generator),
        EventType::WorkflowResumed => of::<WorkflowResumed>(generator),
        EventType::TaskQueued => of::<TaskQueued>(generator),
        EventType::TaskStarted => of::<TaskStarted>(generator),
        EventType::TaskCompleted => of::<TaskCompleted>(generator),
        EventType::TaskFailed => of::<TaskFailed>(generator),
        EventType::TaskRetried | EventType::TaskSkipped | EventType::TaskCancelled => {
            of::<TaskEnded>(generator)
        }
        EventType::GraphChanged => of::<GraphChanged>(generator),
        EventType::DataWritten => of::<DataWritten>(generator),
        EventType::DataRead => of::<DataRead>(generator),
        EventType::Waiting => of::<Waiting>(generator),
        EventType::WaitingEnded => of::<WaitingEnded>(generator),
        EventType::Log => of::<Log>(generator),
        EventType::LlmCalled => of::<LlmCalled>(generator),
        EventType::Heartbeat => of::<Heartbeat>(generator),
        EventType::Note | EventType::Other(_) => return None,
    })
}
