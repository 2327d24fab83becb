//! What is recorded, as events: every one of them, with ids and times that are counted.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use graflow::prelude::*;
use graflow::sink::translate::Translator;
use graflow::sink::{Moment, Record, Sink, Usage, ValuePolicy};
use graflow::{Execute, IntoFlow};
use graflow_model::{Event, ExecutionState};

/// Keeps every record.
#[derive(Clone)]
struct Kept {
    records: Arc<Mutex<Vec<Record>>>,
    policy: ValuePolicy,
}

impl Sink for Kept {
    fn record(&self, record: Record) {
        self.records.lock().unwrap().push(record);
    }
    fn value_policy(&self) -> ValuePolicy {
        self.policy
    }
    fn url(&self, execution: &graflow::ExecutionId) -> Option<String> {
        Some(format!("http://127.0.0.1:8000/executions/{execution}"))
    }
}

/// The events of a run: the n-th is called `en`, and each record is a millisecond after the one before.
pub(crate) fn events(
    flow: impl IntoFlow,
    policy: ValuePolicy,
    set_up: impl FnOnce(Execute) -> Execute,
) -> Vec<Event> {
    let kept = Kept { records: Arc::default(), policy };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let execute = Workflow::new("test", flow).execute().execution_id("x").sink(kept.clone());
    let _ = runtime.block_on(async { set_up(execute).await }).unwrap();
    let records = std::mem::take(&mut *kept.records.lock().unwrap());
    translated(records, policy)
}

fn translated(records: Vec<Record>, policy: ValuePolicy) -> Vec<Event> {
    let mut made = 0;
    let mut translator = Translator::new(policy).with_ids(move |_: Moment| {
        made += 1;
        format!("e{made}").into()
    });
    let mut events = Vec::new();
    for (count, mut record) in (1_i64..).zip(records) {
        record.at = Moment { wall_us: 1_795_435_200_000_000 + count * 1_000, mono_us: count * 1_000 };
        translator.translate(record, &mut events);
    }
    assert_eq!(translator.open_executions().count(), 0, "an execution that ended is open");
    events
}

/// One line an event, without what all have in common.
fn lines(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        assert_eq!(event.execution_id.as_ref().map(graflow::ExecutionId::as_str), Some("x"));
        let task = match (&event.task_id, &event.task_execution_id) {
            (Some(task), Some(execution)) => {
                let (iteration, attempt) = (event.iteration.unwrap(), event.attempt.unwrap());
                format!(" {task} {execution} {iteration}/{attempt}")
            }
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "{} +{} {}{task} {}",
            event.event_id,
            event.mono_us.unwrap(),
            event.event_type,
            event.data
        );
    }
    text
}

macro_rules! assert_events {
    ($events:expr) => {
        insta::with_settings!({ filters => vec![(r#""line":\d+"#, r#""line":0"#)], omit_expression => true }, {
            insta::assert_snapshot!(lines(&$events));
        })
    };
}

const LIMIT: Key<u32> = Key::new("limit");
const SEEN: Key<Vec<String>> = Key::new("seen");

/// Gets the numbers.
///
/// From nowhere.
#[task]
async fn extract(ctx: &TaskContext, limit: u32) -> Vec<u32> {
    ctx.channel().append(SEEN, "extract".to_owned());
    (0..limit).collect()
}

#[task]
async fn sum(extract: &[u32]) -> u32 {
    extract.iter().sum()
}

struct Opaque;

#[task]
async fn hide(extract: &[u32]) -> Opaque {
    assert!(!extract.is_empty());
    Opaque
}

#[task]
async fn join(sum: u32, hide: &Opaque) -> String {
    let Opaque = hide;
    format!("sum {sum}")
}

#[test]
fn a_diamond_with_its_data() {
    let flow = extract() >> (sum() | hide()) >> join();
    let events = events(flow, ValuePolicy::Preview, |execute| execute.input(LIMIT, 4).label("team", "a"));
    assert_events!(events);
}

#[test]
fn without_values_no_data_is_told_of() {
    let flow = extract() >> (sum() | hide()) >> join();
    let events = events(flow, ValuePolicy::Off, |execute| execute.input(LIMIT, 4));
    let told: Vec<&str> = events.iter().map(|event| event.data.get()).collect();
    assert!(!events.iter().any(|event| event.event_type.as_str().starts_with("data_")), "{told:?}");
    assert!(!told.iter().any(|data| data.contains("hash") || data.contains("size")), "{told:?}");
}

#[task(max_retries = 1, backoff = "250ms", max_cycles = 2)]
async fn flaky(ctx: &TaskContext, #[iteration] passed: Option<u32>) -> Result<Next<u32>> {
    ctx.log("info", format!("pass {}, attempt {}", ctx.iteration(), ctx.attempt()));
    if ctx.attempt() == 1 && ctx.iteration() == 0 {
        return Err(TaskError::new("not yet"));
    }
    ctx.record_usage(Usage {
        model: "small".to_owned(),
        duration: Duration::from_millis(3),
        input_tokens: 10,
        output_tokens: 2,
        ..Usage::default()
    });
    match passed {
        None => Ok(ctx.next_iteration(1)),
        Some(_) => Ok(ctx.jump(end())),
    }
}

#[task]
async fn between() {}

#[task]
async fn end() {}

#[test]
fn retries_passes_jumps_logs_and_models() {
    let flow = flaky() >> between() >> end();
    assert_events!(events(flow, ValuePolicy::Metadata, |execute| execute));
}

#[task]
async fn fans_out(ctx: &TaskContext) -> Result<()> {
    let members = ["a", "b"].map(|name| part().name(name).named(format!("part/{name}")));
    ctx.next_task(parallel("parts", members).policy(BestEffort) >> gather())
}

#[task]
async fn part(name: &str) -> Result<u64> {
    if name == "b" { Err(TaskError::new("b is broken")) } else { Ok(1) }
}

#[task]
async fn gather(parts: Members<u64>) -> u64 {
    parts.completed().sum()
}

#[test]
fn dynamic_groups() {
    assert_events!(events(fans_out(), ValuePolicy::Metadata, |execute| execute));
}

#[task(track_lineage = false)]
async fn secret(ctx: &TaskContext) -> u32 {
    ctx.channel().set(LIMIT, 13);
    ctx.log("info", "do not tell");
    7
}

#[task]
async fn open(secret: u32) -> u32 {
    secret
}

#[test]
fn a_task_may_hide_its_values_and_executions_but_not_the_graphs_shape() {
    assert_events!(events(secret() >> open(), ValuePolicy::Metadata, |execute| execute));
}

#[test]
fn a_failure_and_what_it_cuts_off() {
    let flow = (crate::script::flow("a >> b") | crate::script::flow("c")).into_flow();
    let script = crate::script::Script::parse("a: sleep 50; c: fail 5");
    assert_events!(events(flow, ValuePolicy::Metadata, |execute| execute.resource(script)));
}

#[task]
async fn outer() -> Result<String> {
    let inner = Workflow::new("inner", end()).execute().execution_id("y").await?;
    Ok(inner.url().to_string())
}

#[tokio::test]
async fn a_nested_run_is_recorded_as_its_tasks() -> Result<()> {
    let kept = Kept { records: Arc::default(), policy: ValuePolicy::Off };
    let run = Workflow::new("outer", outer()).execute().execution_id("x").sink(kept.clone()).await?;
    assert_eq!(run.result(outer())?, "http://127.0.0.1:8000/executions/y");
    let records = std::mem::take(&mut *kept.records.lock().unwrap());
    let events = translated(records, ValuePolicy::Off);
    let inner =
        events.iter().find(|event| event.workflow_name.as_ref().unwrap().as_str() == "inner").unwrap();
    assert_eq!(inner.data.get(), r#"{"parent":{"execution_id":"x","task_execution_id":"x.0"}}"#);
    Ok(())
}

#[test]
fn a_run_that_is_dropped_leaves_nothing_open() {
    let kept = Kept { records: Arc::default(), policy: ValuePolicy::Off };
    let script = crate::script::Script::parse("a: sleep 60000; b: fail");
    let hour = Duration::from_hours(1);
    let flow = crate::script::flow("(a | g{b | c}) >> d");
    let mut run = Workflow::new("dropped", flow)
        .execute()
        .execution_id("x")
        .default_retry(RetryPolicy::new(1).backoff(hour, hour))
        .resource(script)
        .sink(kept.clone())
        .into_future();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let waker = std::task::Waker::noop();
    let polled = runtime.block_on(async { run.as_mut().poll(&mut std::task::Context::from_waker(waker)) });
    assert!(polled.is_pending());
    drop(run);
    let mut state = ExecutionState::new("x".into());
    for event in translated(std::mem::take(&mut *kept.records.lock().unwrap()), ValuePolicy::Off) {
        state.apply(&event);
    }
    assert_eq!(state.status(), graflow::ExecutionStatus::Cancelled);
    assert_eq!(state.missing(), [], "{:?}", state.task_execution_rows());
    let status = |task: &str| state.node_row(&task.into()).unwrap().status.as_str();
    assert_eq!(["a", "b", "c", "d"].map(status), ["cancelled", "cancelled", "completed", "skipped"]);
}

/// The fold of what the engine tells has to tell the same as the run itself.
#[test]
fn the_fold_agrees_with_the_run() {
    for (flow, script) in [
        ("a >> (b | c) >> d", ""),
        ("a >> (b | c) >> d", "b: fail"),
        ("a >> b >> c", "a: jump c"),
        ("g/best_effort{a | b} >> c", "a: fail"),
        ("s >> g{a >> x | b} >> c", ""),
        ("a >> b >> (a | c)", ""),
        ("a >> b", "a: add x >> y"),
        ("a >> b", "a: terminate"),
        ("a >> b", "a: cancel"),
        ("(a | b)", "a: fail; b: terminate 5"),
        ("(a | b)", "a: fail; b: fatal"),
        ("(a | b)", "a: sleep 9, again; b: terminate 5"),
        ("g{a | b}", "a: fail; b: fatal"),
    ] {
        let hour = Duration::from_hours(1);
        let retry = RetryPolicy::new(u32::from(script.contains("fatal"))).backoff(hour, hour);
        let (run, _) = crate::script::run(flow, script, |execute| execute.default_retry(retry));
        let script = crate::script::Script::parse(script);
        let events = events(crate::script::flow(flow), ValuePolicy::Metadata, |execute| {
            execute.resource(script).default_retry(retry)
        });
        let mut state = ExecutionState::new("x".into());
        for event in &events {
            event.check().unwrap();
            state.apply(event);
        }
        assert_eq!(state.status(), run.status(), "{flow}");
        for task in run.tasks() {
            let node = state.node_row(&(&*task.task_id).into()).unwrap();
            if node.members.is_empty() {
                assert_eq!((&node.id, node.status), (&(&*task.task_id).into(), task.status), "{flow}");
                let rows = state.task_execution_rows();
                let ran =
                    rows.iter().filter(|row| row.task_id == node.id && row.start_time.is_some()).count();
                assert_eq!(ran, task.executions as usize, "{flow}: {}", task.task_id);
            }
        }
    }
}
