//! Recording of programs that the engine does not drive, and of code that asks which task it runs in.

use std::sync::{Arc, Mutex};

use graflow::prelude::*;
use graflow::sink::translate::Translator;
use graflow::sink::{LogLine, Record, Sink, ValuePolicy};
use graflow::{ExecutionContext, current_task};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Record>>>);

impl Sink for Kept {
    fn record(&self, record: Record) {
        self.0.lock().unwrap().push(record);
    }
}

impl Kept {
    /// The type of each event, and its task.
    fn told(&self) -> String {
        let mut translator = Translator::new(ValuePolicy::Metadata);
        let mut events = Vec::new();
        for record in self.0.lock().unwrap().drain(..) {
            translator.translate(record, &mut events);
        }
        let words = events.iter().map(|event| match &event.task_id {
            Some(task) => format!("{}:{task}", event.event_type),
            None => event.event_type.to_string(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn a_program_of_its_own() {
    let kept = Kept::default();
    let context = ExecutionContext::start_workflow_tracking("own", kept.clone()).unwrap();
    context.add_edge("a", "b").unwrap();
    context.executing_task("a").unwrap().complete(7);
    let failed = context.executing_task("b").unwrap().run(|| {
        assert_eq!(current_task().unwrap().task_id(), "b");
        Err::<(), _>(TaskError::new("no"))
    });
    assert!(failed.is_err());
    drop(context.executing_task("b").unwrap());
    context.fail(TaskError::new("no"));
    assert_eq!(
        kept.told(),
        "workflow_started graph_changed graph_changed graph_changed \
         task_queued:a task_started:a data_written:a task_completed:a task_queued:b task_started:b task_failed:b \
         task_queued:b task_started:b task_cancelled:b workflow_failed"
    );
}

#[test]
fn a_run_that_is_dropped_is_cancelled() {
    let kept = Kept::default();
    drop(ExecutionContext::start_workflow_tracking("own", kept.clone()).unwrap());
    assert_eq!(kept.told(), "workflow_started workflow_cancelled");
}

fn log_from_deep_inside(message: &str) {
    if let Some(current) = current_task().filter(graflow::CurrentTask::is_recorded) {
        current.log(LogLine { level: "info", message: message.to_owned(), ..LogLine::default() });
    }
}

#[task]
async fn logs() {
    log_from_deep_inside("before");
    tokio::task::yield_now().await;
    log_from_deep_inside("after");
}

#[task]
fn logs_on_a_thread() {
    log_from_deep_inside("there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_knows_the_task_it_runs_in() -> Result<()> {
    assert!(current_task().is_none());
    let kept = Kept::default();
    let _ = Workflow::new("logs", logs() >> logs_on_a_thread())
        .execute()
        .sink(kept.clone())
        .await?
        .into_result()?;
    let told = kept.told();
    assert_eq!(told.matches("log:logs ").count(), 2, "{told}");
    assert_eq!(told.matches("log:logs_on_a_thread ").count(), 1, "{told}");
    Ok(())
}

#[task]
async fn talks() {
    for number in 0..1_500 {
        log_from_deep_inside(&format!("line {number}"));
    }
}

#[tokio::test]
async fn too_many_lines_are_counted() -> Result<()> {
    let kept = Kept::default();
    let _ = Workflow::new("talks", talks()).execute().sink(kept.clone()).await?.into_result()?;
    let told = kept.told();
    assert_eq!(told.matches("log:talks").count(), 1_001);
    assert!(told.ends_with("log:talks task_completed:talks workflow_completed"), "{told}");
    Ok(())
}
