//! Somebody who follows the live stream, is cut off now and then, and comes back.

use std::collections::BTreeMap;

use anyhow::ensure;
use graflow_lineage::live::{Filter, Subscription, UpdateKind};
use graflow_lineage::manager::{LineageManager, LiveRows};
use graflow_lineage::store::{ExecutionFilter, ExecutionQuery};
use graflow_model::row::ExecutionRow;
use graflow_model::{ExecutionId, Project, Seq};

/// What a viewer knows.
#[derive(Debug, Default)]
pub(super) struct Viewer {
    subscription: Option<Subscription>,
    /// Everything up to here has been told; none before the first greeting.
    position: Option<Seq>,
    /// Where it last began anew.
    pub(super) began: Seq,
    /// Numbers of the events that it was told since.
    pub(super) told: Vec<Seq>,
    rows: BTreeMap<ExecutionId, (Seq, ExecutionRow)>,
    pub(super) resyncs: u64,
}

impl Viewer {
    /// The connection is gone.
    pub(super) fn cut(&mut self) {
        self.subscription = None;
    }

    /// Takes what there is, and connects before where it must.
    pub(super) fn look(&mut self, manager: &LineageManager, most: usize) -> anyhow::Result<()> {
        if self.subscription.is_none() {
            return self.connect(manager);
        }
        let Some(subscription) = self.subscription.take() else { return Ok(()) };
        let taken = subscription.take(most);
        if taken.fell_off {
            self.begin(manager, &subscription)?;
        }
        for update in &taken.updates {
            let seq = update.seq;
            match &update.kind {
                UpdateKind::Event(delta) if Some(seq) > self.position => {
                    let rows = match &delta.rows.execution {
                        Some(row) if !update.lacks_rows() => Some(row.clone()),
                        _ => {
                            let id = update.execution_id().cloned().unwrap_or_else(|| "".into());
                            let found = manager.rows_of(subscription.project(), &id, &delta.event.event)?;
                            found.and_then(|found| found.rows.execution)
                        }
                    };
                    self.hear(seq, rows)?;
                }
                UpdateKind::Turned(turned) => {
                    let found = manager.rows_of_turned(subscription.project(), &turned.execution_id)?;
                    if let Some(rows) = found {
                        self.put(seq, rows);
                    }
                }
                UpdateKind::Event(_) => {}
            }
        }
        self.position = self.position.max(taken.published);
        self.subscription = Some(subscription);
        Ok(())
    }

    /// Whether its rows are what reads say.
    pub(super) fn check(&self, manager: &LineageManager) -> anyhow::Result<()> {
        let query = ExecutionQuery { filter: ExecutionFilter::default(), limit: 100_000, cursor: None };
        let found = manager.executions(&Project::default(), query)?.value.rows;
        ensure!(found.len() == self.rows.len(), "a viewer has {} runs of {}", self.rows.len(), found.len());
        for read in found {
            let own = self.rows.get(&read.row.execution_id).map(|(_, row)| row);
            ensure!(own == Some(&read.row), "a viewer has {own:?}, a read says {:?}", read.row);
        }
        Ok(())
    }

    fn connect(&mut self, manager: &LineageManager) -> anyhow::Result<()> {
        let subscription = manager.subscribe(Project::default(), Filter::default());
        match self.position {
            None => self.begin(manager, &subscription)?,
            Some(position) => {
                let last = manager.store().last_seq();
                ensure!(position <= last, "a viewer was told of {position}, the log ends at {last}");
            }
        }
        // What lies between where it was and what is folded comes out of the log, the rest through the subscription.
        let until = manager.folded_seq(&subscription);
        while let Some(position) = self.position.filter(|position| *position < until) {
            let (told, reached) = manager.replay(&subscription, position, until, 50)?;
            for told in told {
                self.hear(told.event.seq, told.rows.and_then(|rows| rows.rows.execution))?;
            }
            self.position = Some(if reached > position { reached } else { until });
        }
        self.subscription = Some(subscription);
        Ok(())
    }

    /// Forgets everything and takes a snapshot.
    fn begin(&mut self, manager: &LineageManager, subscription: &Subscription) -> anyhow::Result<()> {
        let snapshot = manager.snapshot(subscription, 100_000)?;
        self.rows.clear();
        self.told.clear();
        self.resyncs += u64::from(self.position.is_some());
        self.began = snapshot.as_of_seq;
        self.position = Some(snapshot.as_of_seq);
        snapshot.rows.into_iter().flatten().for_each(|rows| self.put(snapshot.as_of_seq, rows));
        Ok(())
    }

    fn hear(&mut self, seq: Seq, row: Option<ExecutionRow>) -> anyhow::Result<()> {
        let last = self.told.last().copied().unwrap_or(self.began);
        ensure!(seq > last, "a viewer was told of event {seq} after {last}");
        self.told.push(seq);
        self.position = self.position.max(Some(seq));
        if let Some(row) = row {
            self.put_row(seq, row);
        }
        Ok(())
    }

    fn put(&mut self, seq: Seq, rows: LiveRows) {
        if let Some(row) = rows.rows.execution {
            self.put_row(seq, row);
        }
    }

    fn put_row(&mut self, seq: Seq, row: ExecutionRow) {
        match self.rows.get_mut(&row.execution_id) {
            Some((known, _)) if *known > seq => {}
            Some(known) => *known = (seq, row),
            None => _ = self.rows.insert(row.execution_id.clone(), (seq, row)),
        }
    }
}
