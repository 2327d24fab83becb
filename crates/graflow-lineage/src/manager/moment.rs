//! An execution as it stood.

use std::str::FromStr;

use graflow_model::row::Graph;
use graflow_model::{ExecutionId, ExecutionState, Project, Seq, Timestamp};

use super::{LineageManager, lock};
use crate::liveness;
use crate::store::{AsOf, EventQuery, ExecutionFilter, ExecutionQuery, StoreError};

/// Events read at once.
const PAGE: usize = 5_000;

/// A moment in the life of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// After this event.
    Seq(Seq),
    /// At this time, by the producers' clocks.
    Time(Timestamp),
}

/// The text names no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no moment; expected a sequence number, or an RFC 3339 time such as 2026-11-23T12:00:00Z"
)]
pub struct AtError {
    text: String,
}

impl FromStr for At {
    type Err = AtError;

    /// Digits are a sequence number, everything else must be a time.
    ///
    /// ```
    /// use graflow_lineage::manager::At;
    /// use graflow_model::Seq;
    /// assert_eq!("17".parse(), Ok(At::Seq(Seq(17))));
    /// assert!(matches!("2026-11-23T12:00:00Z".parse(), Ok(At::Time(_))));
    /// assert!("noon".parse::<At>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, AtError> {
        let error = || AtError { text: text.chars().take(64).collect() };
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(|seq| Self::Seq(Seq(seq))).map_err(|_| error());
        }
        text.parse().map(Self::Time).map_err(|_| error())
    }
}

impl LineageManager {
    /// The graph of an execution, as it reads now or as it stood; none when there is no such execution.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn graph(
        &self,
        project: &Project,
        id: &ExecutionId,
        at: Option<At>,
    ) -> Result<AsOf<Option<Graph>>, StoreError> {
        if let Some(at) = at {
            return self.graph_at(project, id, at);
        }
        let AsOf { value, as_of_seq } = self.store.state(project, id)?;
        let Some(state) = value else { return Ok(AsOf { value: None, as_of_seq }) };
        let (graph, status) = {
            let state = lock(&state);
            (state.graph(), state.status())
        };
        let lost = self.lost_since(project, id, status).is_some();
        let value = Some(if lost { liveness::lost_graph(graph) } else { graph });
        Ok(AsOf { value, as_of_seq })
    }

    /// The newest execution, of all or of one workflow.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn newest_execution(
        &self,
        project: &Project,
        filter: ExecutionFilter,
    ) -> Result<AsOf<Option<ExecutionId>>, StoreError> {
        let found = self.store.executions(project, &ExecutionQuery { filter, limit: 1, cursor: None })?;
        let value = found.value.rows.into_iter().next().map(|row| row.execution_id);
        Ok(AsOf { value, as_of_seq: found.as_of_seq })
    }

    fn graph_at(
        &self,
        project: &Project,
        id: &ExecutionId,
        at: At,
    ) -> Result<AsOf<Option<Graph>>, StoreError> {
        let mut query = EventQuery {
            execution_id: id.clone(),
            types: Vec::new(),
            task_execution_id: None,
            task_id: None,
            after: None,
            until: match at {
                At::Seq(seq) => Some(seq),
                At::Time(_) => None,
            },
            newest_first: false,
            limit: PAGE,
            cursor: None,
        };
        let mut state = ExecutionState::new(id.clone());
        loop {
            let page = self.store.events(project, &query)?;
            for stored in &page.value.rows {
                let counts = match at {
                    At::Seq(seq) => stored.seq <= seq,
                    At::Time(time) => stored.event.time <= time,
                };
                if counts {
                    state.apply(&stored.event);
                }
            }
            if let Some(next) = page.value.next {
                query.cursor = Some(next);
                continue;
            }
            // Before its first event an execution has an empty graph; one that never was has none.
            let known = !page.value.rows.is_empty()
                || query.cursor.is_some()
                || self.store.execution(project, id)?.value.is_some();
            return Ok(AsOf { value: known.then(|| state.graph()), as_of_seq: page.as_of_seq });
        }
    }
}
