//! Model calls, summed up in whole numbers so that their order does not matter.

use std::collections::{BTreeMap, BTreeSet};

use super::ExecutionState;
use crate::event::{Event, LlmCalled};
use crate::id::{EventId, TaskId};
use crate::row::{LlmTotals, LlmUse, LlmUseOfTask};

/// The model calls of a run. Those of a task execution also count there.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct LlmCalls {
    taken: BTreeSet<EventId>,
    pub(crate) total: LlmSum,
    models: BTreeMap<Option<String>, LlmSum>,
    /// Those that name no task execution, by what they name: a task, an iteration.
    outside: BTreeMap<(Option<TaskId>, u32), LlmSum>,
}

impl LlmCalls {
    /// Counts one call in, and says whether it is new.
    pub(crate) fn take(&mut self, event: &Event, call: &LlmCalled) -> bool {
        let is_new = self.taken.insert(event.event_id.clone());
        if is_new {
            self.total.add(call);
            self.models.entry(call.model.clone()).or_default().add(call);
            if event.task_execution_id.is_none() {
                let place = (event.task_id.clone(), event.iteration.unwrap_or(0));
                self.outside.entry(place).or_default().add(call);
            }
        }
        is_new
    }
}

/// A sum over model calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LlmSum {
    calls: u64,
    failed_calls: u64,
    priced_calls: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_nano_usd: u64,
    duration_us: u64,
}

impl LlmSum {
    /// Counts one call in.
    pub(crate) fn add(&mut self, call: &LlmCalled) {
        let nano = (call.cost_usd.unwrap_or(0.0) * 1e9).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
        let nano = nano as u64;
        self.add_sum(&Self {
            calls: 1,
            failed_calls: u64::from(call.error.is_some()),
            priced_calls: u64::from(call.cost_usd.is_some()),
            input_tokens: call.input_tokens.unwrap_or(0),
            output_tokens: call.output_tokens.unwrap_or(0),
            cost_nano_usd: nano,
            duration_us: call.duration_us.unwrap_or(0),
        });
    }

    fn add_sum(&mut self, other: &Self) {
        let add = |one: &mut u64, other: u64| *one = one.saturating_add(other);
        add(&mut self.calls, other.calls);
        add(&mut self.failed_calls, other.failed_calls);
        add(&mut self.priced_calls, other.priced_calls);
        add(&mut self.input_tokens, other.input_tokens);
        add(&mut self.output_tokens, other.output_tokens);
        add(&mut self.cost_nano_usd, other.cost_nano_usd);
        add(&mut self.duration_us, other.duration_us);
    }

    /// What comes first in a list that puts the greatest first.
    fn rank(&self) -> (u64, u64, u64) {
        (self.cost_nano_usd, self.input_tokens.saturating_add(self.output_tokens), self.calls)
    }

    /// The sum, in dollars.
    pub(crate) fn totals(self) -> LlmTotals {
        #[expect(
            clippy::cast_precision_loss,
            reason = "dollars for people: 53 bits of nano-dollars are plenty"
        )]
        let cost_usd = self.cost_nano_usd as f64 / 1e9;
        LlmTotals {
            calls: self.calls,
            failed_calls: self.failed_calls,
            priced_calls: self.priced_calls,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cost_usd,
            duration_us: self.duration_us,
        }
    }
}

impl ExecutionState {
    /// Its model calls, by task, iteration and model.
    pub fn llm_use(&self) -> LlmUse {
        let mut tasks: BTreeMap<Option<TaskId>, (LlmSum, BTreeMap<u32, LlmSum>)> = BTreeMap::new();
        let in_tasks =
            self.tasks.values().filter(|task| task.llm.calls > 0).map(|task| {
                (task.task_id.get().cloned(), task.iteration.get().copied().unwrap_or(0), &task.llm)
            });
        let outside = self
            .llm_calls
            .outside
            .iter()
            .map(|((task_id, iteration), sum)| (task_id.clone(), *iteration, sum));
        for (task_id, iteration, sum) in in_tasks.chain(outside) {
            let (of_task, iterations) = tasks.entry(task_id).or_default();
            of_task.add_sum(sum);
            iterations.entry(iteration).or_default().add_sum(sum);
        }
        // Sorting keeps the order by name among equals.
        let mut tasks: Vec<_> = tasks.into_iter().collect();
        tasks.sort_by_key(|(_, (sum, _))| std::cmp::Reverse(sum.rank()));
        let mut models: Vec<_> = self.llm_calls.models.iter().collect();
        models.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.rank()));
        LlmUse {
            total: self.llm_calls.total.totals(),
            tasks: tasks
                .into_iter()
                .map(|(task_id, (sum, iterations))| LlmUseOfTask {
                    task_id,
                    totals: sum.totals(),
                    iterations: iterations.into_iter().map(|(number, sum)| (number, sum.totals())).collect(),
                })
                .collect(),
            models: models.into_iter().map(|(model, sum)| (model.clone(), sum.totals())).collect(),
        }
    }
}
