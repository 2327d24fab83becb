//! Starts attempts: fills the parameters, and hands the body to whoever runs it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use graflow_model::TaskStatus;
use graflow_model::state::CauseKind;

use super::attempt::{AttemptFuture, Ended, Finished, run_blocking};
use super::driver::Driver;
use super::state::{Pending, Started, Stop, Told};
use crate::context::{Attempt, Limits, TaskContext};
use crate::error::TaskError;
use crate::flow::{Source, VertexKind};
use crate::sink::{Cause, Read, ReadFrom, RecordKind, TaskExecution};
use crate::task::{Body, Inputs, ParameterKind, TaskNode};
use crate::value::Value;

impl Driver {
    pub(super) fn set_inputs(&mut self, inputs: Vec<(&'static str, Value)>) {
        for (key, value) in inputs {
            let write = self.shared.channel.set(key, value.clone(), None);
            if let Some(recorder) = self.shared.recorder.as_ref().filter(|recorder| recorder.with_values) {
                let value = Some(value);
                recorder.record(RecordKind::DataWritten { task: None, key, write, value, operation: None });
            }
        }
    }

    pub(super) fn start(&mut self, starts: &[u32]) {
        let graph = Arc::clone(&self.graph);
        self.scheduler.activate(&graph, starts, 0, &[]);
    }

    pub(super) fn launch(&mut self, vertex: u32, context: &mut Context<'_>) -> Started {
        match self.graph.vertex(vertex).kind {
            VertexKind::Begin(group) => self.begin_group(vertex, group),
            VertexKind::End(group) => self.end_group(vertex, group),
            VertexKind::Task(_) if self.steps >= self.limits.max_steps => {
                self.scheduler.put_back(vertex);
                self.stop_with(Stop::MaxSteps);
            }
            VertexKind::Task(_) => {
                let pass = self.scheduler.begin(vertex);
                let slot = &mut self.slots[vertex as usize];
                (slot.iteration, slot.cycle, slot.attempt) = (pass.iteration, pass.cycle, 1);
                slot.carried = None;
                return self.start_attempt(vertex, pass.causes, context);
            }
        }
        Started::Running
    }

    /// The next attempt of a pass that failed, or the next pass of a loop.
    pub(super) fn relaunch(&mut self, vertex: u32, context: &mut Context<'_>) -> Started {
        let slot = &self.slots[vertex as usize];
        let kind = if slot.attempt > 1 { CauseKind::Retry } else { CauseKind::Iteration };
        let causes = vec![Cause { kind, number: slot.number }];
        if self.steps >= self.limits.max_steps {
            self.stop_with(Stop::MaxSteps);
            return Started::Running;
        }
        self.occupied -= 1;
        self.start_attempt(vertex, causes, context)
    }

    fn start_attempt(&mut self, vertex: u32, causes: Vec<Cause>, context: &mut Context<'_>) -> Started {
        let graph = Arc::clone(&self.graph);
        let Some(node) = graph.task(vertex) else { return Started::Running };
        let number = self.number();
        self.steps += 1;
        self.occupied += 1;
        let mut reads = Vec::new();
        let values = self.values(vertex, node, &mut reads);
        let attempt = self.attempt(vertex, node, number);
        let slot = &mut self.slots[vertex as usize];
        slot.number = number;
        slot.status = TaskStatus::Running;
        slot.executions += 1;
        slot.running = Some(Arc::clone(&attempt));
        let values = match values {
            Ok(values) => values,
            Err(error) => {
                self.record_started(&attempt, causes, reads, false);
                return Started::Ended(Finished { vertex, number, ended: Ended::Attempted(Err(error)) });
            }
        };
        let inputs = Inputs::new(TaskContext::new(Arc::clone(&attempt)), values);
        match (node.spec.run)(inputs) {
            Body::Async(body) => {
                self.record_started(&attempt, causes, reads, false);
                self.run_async(AttemptFuture::new(vertex, attempt, body), context)
            }
            Body::Blocking(body) => {
                self.run_on_thread(vertex, attempt, body, causes, reads);
                Started::Running
            }
        }
    }

    fn run_async(&mut self, mut future: AttemptFuture, context: &mut Context<'_>) -> Started {
        let Some(runtime) = &self.spawn_on else {
            // Most bodies that end at once need no place of their own.
            return match Pin::new(&mut future).poll(context) {
                Poll::Ready(finished) => Started::Ended(finished),
                Poll::Pending => {
                    self.here.push(Pending::Attempt(future));
                    Started::Running
                }
            };
        };
        let outbox = self.outbox.clone();
        runtime.spawn(async move {
            // Nobody listens any more when the run was given up.
            let _ = outbox.send(Told::Finished(future.await));
        });
        Started::Running
    }

    fn run_on_thread(
        &mut self,
        vertex: u32,
        attempt: Arc<Attempt>,
        body: Box<dyn FnOnce() -> crate::task::Attempted + Send>,
        causes: Vec<Cause>,
        reads: Vec<Read>,
    ) {
        let number = attempt.task.number;
        if let Some(recorder) = self.shared.recorder.as_ref().filter(|_| attempt.is_tracked()) {
            recorder.record(RecordKind::TaskQueued(attempt.task));
        }
        let outbox = self.outbox.clone();
        self.runtime.spawn_blocking(move || {
            // Waiting for a thread is no part of what the task takes.
            if let Some(timeout) = attempt.spec.timeout {
                let _ = outbox.send(Told::Began { vertex, number, timeout });
            }
            // What is cancelled by now does not begin.
            let is_told = attempt.is_tracked() && !attempt.is_cancelled();
            if let Some(recorder) = attempt.shared.recorder.as_ref().filter(|_| is_told) {
                let task = attempt.task;
                recorder.record(RecordKind::TaskStarted { task, causes, reads, was_queued: true });
            }
            let ended = run_blocking(&attempt, body);
            let _ = outbox.send(Told::Finished(Finished { vertex, number, ended }));
        });
    }

    fn attempt(&self, vertex: u32, node: &TaskNode, number: u32) -> Arc<Attempt> {
        let slot = &self.slots[vertex as usize];
        let task = TaskExecution { task: vertex, number, iteration: slot.iteration, attempt: slot.attempt };
        let limits = Limits {
            cycle: slot.cycle,
            max_cycles: self.scheduler.max_cycles(vertex),
            max_retries: node.spec.retry.unwrap_or(self.limits.retry).max_retries,
        };
        let id = Arc::clone(&self.graph.vertex(vertex).id);
        Arc::new(Attempt::new(Arc::clone(&self.shared), node.spec, id, task, limits))
    }

    fn record_started(&self, attempt: &Attempt, causes: Vec<Cause>, reads: Vec<Read>, was_queued: bool) {
        if let Some(recorder) = self.shared.recorder.as_ref().filter(|_| attempt.is_tracked()) {
            recorder.record(RecordKind::TaskStarted { task: attempt.task, causes, reads, was_queued });
        }
    }

    /// The values of the parameters.
    fn values(
        &mut self,
        vertex: u32,
        node: &TaskNode,
        reads: &mut Vec<Read>,
    ) -> Result<Vec<Option<Value>>, TaskError> {
        let sources = self.plan.sources(vertex);
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let is_recorded = self.shared.recorder.as_ref().is_some_and(|recorder| recorder.with_values);
        let mut missing: Vec<String> = Vec::new();
        let mut values = Vec::with_capacity(sources.len());
        for (parameter, source) in node.spec.parameters.iter().zip(sources) {
            let (value, from) = match source {
                Source::Known(value) => (Some(value.clone()), None),
                Source::Result(giver) => match self.shared.results().get(*giver) {
                    Some((value, number)) => {
                        (Some(value.clone()), Some(ReadFrom::Result { task: *giver, number: *number }))
                    }
                    None => (None, Some(ReadFrom::NoResult { task: *giver })),
                },
                Source::Key(key) => match self.shared.channel.get(key) {
                    Some((value, write)) => (Some(value), Some(ReadFrom::Key { key, write: Some(write) })),
                    None => (None, Some(ReadFrom::Key { key, write: None })),
                },
                Source::Iteration(first) => {
                    let slot = &mut self.slots[vertex as usize];
                    let again = node.spec.retry.unwrap_or(self.limits.retry).max_retries > 0;
                    match if again { slot.carried.clone() } else { slot.carried.take() } {
                        Some((value, number)) => {
                            (Some(value), Some(ReadFrom::Result { task: vertex, number }))
                        }
                        None => (first.clone(), None),
                    }
                }
            };
            if value.is_none() && matches!(parameter.kind, ParameterKind::Required | ParameterKind::Members) {
                missing.push(match source {
                    Source::Result(giver) => {
                        let status = self.slots[*giver as usize].status;
                        format!("`{}` has no value: task `{}` is {status}", parameter.name, parameter.name)
                    }
                    _ => format!("`{}` has no value: no task has set that key", parameter.name),
                });
            } else if let Some(value) = &value
                && !matches!(parameter.kind, ParameterKind::Members | ParameterKind::Resource)
                && !parameter.takes(value.value_type())
            {
                let found = value.value_type().name();
                missing.push(format!("`{}: {}` cannot take `{found}`", parameter.name, parameter.written));
            }
            if let (Source::Result(group), ParameterKind::Members) = (source, parameter.kind)
                && is_recorded
            {
                reads.extend(self.member_reads(*group, parameter.name));
            }
            // That an optional value is not there is no news.
            let is_news = match parameter.kind {
                ParameterKind::Members => false,
                ParameterKind::Required => true,
                _ => value.is_some(),
            };
            if let Some(from) = from.filter(|_| is_recorded && is_news) {
                reads.push(Read { parameter: Some(parameter.name), from });
            }
            values.push(value);
        }
        if missing.is_empty() {
            return Ok(values);
        }
        let hint = "take an `Option`, if it may be missing";
        Err(TaskError::parameter(format!("parameter {}; {hint}", missing.join("; parameter "))))
    }

    /// A group's results are those of its members.
    fn member_reads(&self, begin: u32, parameter: &'static str) -> Vec<Read> {
        let VertexKind::Begin(group) = self.graph.vertex(begin).kind else { return Vec::new() };
        let members = &self.graph.groups[group as usize].members;
        let results = self.shared.results();
        let exits = members.iter().filter_map(|member| member.exits.last());
        let reads = exits.filter_map(|exit| {
            let task = self.graph.node(*exit);
            let (_, number) = results.get(task)?;
            let is_task = self.graph.task(task).is_some();
            let from = ReadFrom::Result { task, number: *number };
            is_task.then_some(Read { parameter: Some(parameter), from })
        });
        reads.collect()
    }

    /// The number of the next task execution.
    pub(super) fn number(&mut self) -> u32 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }
}
