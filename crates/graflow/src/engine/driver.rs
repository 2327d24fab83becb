//! Runs a graph: the loop between the scheduler and the attempts. Everything that can be seen changes here.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use graflow_model::{ExecutionStatus, TaskStatus};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc;

use super::schedule::Scheduler;
use super::shared::Shared;
use super::state::{Due, GroupRun, Pending, RunLimits, Slot, Started, Stop, Told};
use crate::error::TaskError;
use crate::flow::{Graph, Plan};

/// Tasks that are started, or ends that are taken, before the loop lets others have the thread.
const TURNS: u32 = 128;

pub(crate) struct Driver {
    pub(crate) graph: Arc<Graph>,
    pub(super) plan: Plan,
    pub(super) scheduler: Scheduler,
    pub(super) shared: Arc<Shared>,
    pub(super) limits: RunLimits,
    pub(super) slots: Vec<Slot>,
    pub(super) groups: Vec<GroupRun>,
    /// On a runtime of one thread bodies are polled right here; on others they are spawned, to run in parallel.
    pub(super) spawn_on: Option<Handle>,
    pub(super) runtime: Handle,
    pub(super) here: FuturesUnordered<Pending>,
    pub(super) inbox: mpsc::UnboundedReceiver<Told>,
    pub(super) outbox: mpsc::UnboundedSender<Told>,
    /// Retries that are due.
    pub(super) due: VecDeque<u32>,
    /// Attempts that run, and retries that wait.
    pub(super) occupied: usize,
    pub(super) steps: u64,
    pub(super) next_number: u32,
    pub(super) stop: Option<Stop>,
    pub(super) cancel_on: Vec<Pin<Box<dyn Future<Output = String> + Send>>>,
    pub(super) is_over: bool,
}

impl Driver {
    pub(crate) fn new(
        graph: Arc<Graph>,
        plan: Plan,
        shared: Arc<Shared>,
        limits: RunLimits,
        runtime: Handle,
    ) -> Self {
        let (outbox, inbox) = mpsc::unbounded_channel();
        let one_thread = runtime.runtime_flavor() == RuntimeFlavor::CurrentThread;
        let scheduler = Scheduler::new(shared.recorder.is_some());
        let mut driver = Self {
            graph,
            plan,
            scheduler,
            shared,
            limits,
            slots: Vec::new(),
            groups: Vec::new(),
            spawn_on: (!one_thread).then(|| runtime.clone()),
            runtime,
            here: FuturesUnordered::new(),
            inbox,
            outbox,
            due: VecDeque::new(),
            occupied: 0,
            steps: 0,
            next_number: 0,
            stop: None,
            cancel_on: Vec::new(),
            is_over: false,
        };
        driver.grow();
        driver
    }

    /// Takes notice of new vertices.
    pub(super) fn grow(&mut self) {
        let graph = Arc::clone(&self.graph);
        self.scheduler.grow(&graph, |vertex| {
            let own = graph.task(vertex).and_then(|node| node.spec.max_cycles);
            own.unwrap_or(self.limits.max_cycles)
        });
        self.slots.resize_with(graph.vertices.len(), Slot::default);
        self.groups.resize_with(graph.groups.len(), GroupRun::default);
        self.shared.results().grow(&graph);
    }

    /// Runs until nothing runs and nothing can start.
    pub(crate) fn poll_run(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_cancel(context);
        for _ in 0..TURNS {
            match self.start_next(context) {
                Some(Started::Ended(finished)) => {
                    self.finish(finished);
                    continue;
                }
                Some(Started::Running) => continue,
                None => {}
            }
            if self.occupied == 0 && self.is_idle() {
                return Poll::Ready(());
            }
            if let Poll::Ready(Some(told)) = self.here.poll_next_unpin(context) {
                self.hear(told);
                continue;
            }
            match self.inbox.poll_recv(context) {
                Poll::Ready(Some(told)) => self.hear(told),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Began { vertex, number, timeout } => {
                self.ring_after(timeout, Due::Timeout { vertex, number });
            }
            Told::Finished(finished) => self.finish(finished),
            Told::Due(due) => self.ring(due),
        }
    }

    /// Starts one thing; gives its end when it ended at once. None when nothing can start.
    fn start_next(&mut self, context: &mut Context<'_>) -> Option<Started> {
        if self.stop.is_some() {
            return None;
        }
        if let Some(vertex) = self.due.pop_front() {
            return Some(self.relaunch(vertex, context));
        }
        if self.occupied >= self.limits.max_parallel {
            return None;
        }
        let vertex = self.scheduler.next_ready()?;
        Some(self.launch(vertex, context))
    }

    fn is_idle(&self) -> bool {
        self.stop.is_some() || (self.due.is_empty() && !self.scheduler.has_ready())
    }

    fn poll_cancel(&mut self, context: &mut Context<'_>) {
        let mut reason = None;
        self.cancel_on.retain_mut(|cancelled| {
            // It is the program's own.
            match catch_unwind(AssertUnwindSafe(|| cancelled.as_mut().poll(context))) {
                Ok(Poll::Pending) => return true,
                Ok(Poll::Ready(why)) => reason = Some(why),
                Err(payload) => {
                    let panic = TaskError::panicked(&*payload);
                    reason = Some(format!("the future given to cancel_on panicked: {panic}"));
                }
            }
            false
        });
        if let Some(reason) = reason {
            self.stop_with(Stop::Cancelled(reason));
        }
    }

    /// Nothing more starts. What runs is cancelled, except when the workflow comes to a chosen end.
    pub(super) fn stop_with(&mut self, stop: Stop) {
        if matches!(self.stop, Some(Stop::Failed(_) | Stop::Cancelled(_))) {
            return;
        }
        let cancels = matches!(stop, Stop::Failed(_) | Stop::Cancelled(_));
        self.stop = Some(stop);
        self.due.clear();
        // Retries that wait will not come, nor the next pass of a loop.
        let reason = self.stop_reason().unwrap_or_default();
        for vertex in 0..self.slots.len() {
            if self.slots[vertex].status == TaskStatus::Queued {
                self.cancel_queued(crate::flow::index(vertex), reason);
            }
        }
        if !cancels {
            return;
        }
        self.shared.set_cancelled();
        let mut is_running = false;
        for attempt in self.slots.iter().filter_map(|slot| slot.running.as_ref()) {
            attempt.cancel();
            is_running = true;
        }
        if is_running && !self.is_over {
            self.ring_after(self.limits.cancel_grace, Due::GiveUp);
        }
    }

    pub(super) fn ring_after(&mut self, wait: Duration, due: Due) {
        self.here.push(Pending::Timer(Box::pin(tokio::time::sleep(wait)), due));
    }

    fn ring(&mut self, due: Due) {
        match due {
            Due::Retry { vertex, number } => {
                let slot = &self.slots[vertex as usize];
                if self.stop.is_none() && slot.number == number && slot.status == TaskStatus::Queued {
                    self.due.push_back(vertex);
                }
            }
            Due::Timeout { vertex, number } => self.time_out(vertex, number),
            Due::GiveUp => {
                self.give_up("cancelled; its thread did not stop in time and was left behind");
            }
        }
    }

    /// Why something no longer runs.
    pub(super) fn stop_reason(&self) -> Option<&'static str> {
        Some(match self.stop.as_ref()? {
            Stop::Failed(_) => "the workflow failed",
            Stop::Cancelled(_) => "the workflow was cancelled",
            Stop::Terminated(_) => "the workflow was terminated",
            Stop::MaxSteps => "max_steps was reached",
        })
    }

    pub(super) fn status(&self) -> ExecutionStatus {
        match &self.stop {
            None => ExecutionStatus::Completed,
            Some(Stop::Failed(_)) => ExecutionStatus::Failed,
            Some(Stop::Cancelled(_)) => ExecutionStatus::Cancelled,
            Some(Stop::Terminated(_)) => ExecutionStatus::Terminated,
            Some(Stop::MaxSteps) => ExecutionStatus::MaxSteps,
        }
    }
}
