//! Drives the committer.

use std::sync::atomic::{AtomicU64, Ordering};

use graflow_lineage::store::{Acknowledge, EventResult};
use graflow_model::Clock;

use super::committer::{Committer, DurableRecord, Stored, Work};
use super::queue::{Queue, Queued};

/// Work, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) acknowledge: Acknowledge,
}

/// What the way in counts about itself.
#[derive(Debug, Default)]
pub(crate) struct AppendCounters {
    pub(crate) accepted: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) invalid: AtomicU64,
    pub(crate) late_dropped: AtomicU64,
    pub(crate) overloaded: AtomicU64,
    pub(crate) flushes: AtomicU64,
    pub(crate) flush_us: AtomicU64,
}

impl Queued for Request {
    fn items(&self) -> usize {
        match &self.work {
            Work::Append(batch) => batch.events.len(),
            Work::Delete { executions, .. } => executions.len(),
            Work::CloseSegment => 1,
        }
    }

    fn bytes(&self) -> usize {
        match &self.work {
            Work::Append(batch) => batch.events.iter().map(|incoming| incoming.json.len()).sum(),
            Work::Delete { executions, .. } => executions.iter().map(|id| id.as_str().len()).sum(),
            Work::CloseSegment => 0,
        }
    }
}

/// Works until the queue is closed and empty. What became durable goes to `deliver` before it is acknowledged, so
/// that whoever reads after an acknowledgement can wait for it.
pub(crate) fn run<S: Stored>(
    queue: &Queue<Request>,
    committer: &mut Committer<S>,
    counters: &AppendCounters,
    clock: &dyn Clock,
    mut deliver: impl FnMut(Vec<DurableRecord>),
) {
    while let Some(group) = queue.take_group() {
        let (work, receipts): (Vec<_>, Vec<_>) =
            group.into_iter().map(|request| (request.work, request.acknowledge)).unzip();
        let began = clock.mono_us();
        let done = committer.step(work, clock.now());
        let took = u64::try_from(clock.mono_us().saturating_sub(began)).unwrap_or(0);
        counters.flushes.fetch_add(1, Ordering::Relaxed);
        counters.flush_us.fetch_add(took, Ordering::Relaxed);
        deliver(done.durable);
        for (answer, receipt) in done.answers.into_iter().zip(receipts) {
            if let Ok(appended) = &answer {
                counters.count(&appended.results);
            }
            // Whoever asked may have gone away; the events are taken all the same.
            let _ = receipt.send(answer);
        }
    }
}

impl AppendCounters {
    fn count(&self, results: &[EventResult]) {
        let (mut accepted, mut duplicates, mut invalid, mut dropped) = (0, 0, 0, 0);
        for result in results {
            match result {
                EventResult::Accepted(_) => accepted += 1,
                EventResult::Duplicate => duplicates += 1,
                EventResult::Invalid(_) => invalid += 1,
                EventResult::Dropped => dropped += 1,
            }
        }
        for (counter, count) in [
            (&self.accepted, accepted),
            (&self.duplicates, duplicates),
            (&self.invalid, invalid),
            (&self.late_dropped, dropped),
        ] {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}
