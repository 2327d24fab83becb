//! Whole answers as they were sent: who opens a large run that stands still waits for no layout, fold or JSON.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use graflow_lineage::manager::LineageManager;
use graflow_lineage::store::{EventQuery, StoreError};
use graflow_model::{ExecutionId, Project, Seq, Timestamp};

use super::cache::Subject;

/// Bytes that are remembered, over all answers.
const ROOM: usize = 64 << 20;

/// What an execution stood at: while it is the same, so is every picture of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Its latest event, by the server's count: one that comes late counts too.
    seq: Seq,
    /// Silence changes a picture without any event.
    lost_since: Option<Timestamp>,
}

impl Stamp {
    /// Of an execution as it reads now; none when there is no such execution.
    pub(crate) fn read(
        manager: &LineageManager,
        project: &Project,
        execution_id: &ExecutionId,
    ) -> Result<Option<Self>, StoreError> {
        let Some(execution) = manager.execution(project, execution_id)?.value else { return Ok(None) };
        let newest = EventQuery {
            execution_id: execution_id.clone(),
            types: Vec::new(),
            task_execution_id: None,
            task_id: None,
            after: None,
            until: None,
            newest_first: true,
            limit: 1,
            cursor: None,
        };
        let events = manager.store().events(project, &newest)?;
        let newest = events.value.rows.first();
        Ok(newest.map(|event| Self { seq: event.seq, lost_since: execution.lost_since }))
    }
}

/// The least recently used are forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Subject, Answer>,
    used: u64,
}

#[derive(Debug)]
struct Answer {
    stamp: Stamp,
    body: Bytes,
    last_used: u64,
}

impl Answers {
    pub(crate) fn find(&self, subject: &Subject, stamp: Stamp) -> Option<Bytes> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.used += 1;
        let used = kept.used;
        let answer = kept.answers.get_mut(subject).filter(|answer| answer.stamp == stamp)?;
        answer.last_used = used;
        Some(answer.body.clone())
    }

    /// The stamp must have been read before what the answer is made of.
    pub(crate) fn keep(&self, subject: Subject, stamp: Stamp, body: Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.used += 1;
        let last_used = kept.used;
        kept.answers.insert(subject, Answer { stamp, body, last_used });
        let mut size: usize = kept.answers.values().map(|answer| answer.body.len()).sum();
        while size > ROOM {
            let oldest = kept.answers.iter().min_by_key(|(_, answer)| answer.last_used);
            let Some(subject) = oldest.map(|(subject, _)| subject.clone()) else { return };
            size -= kept.answers.remove(&subject).map_or(0, |answer| answer.body.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::Folding;
    use super::*;

    fn subject(id: &str) -> Subject {
        Subject {
            project: Project::default(),
            execution_id: ExecutionId::from(id),
            folding: Folding::default(),
        }
    }

    #[test]
    fn the_least_recently_used_answers_leave_when_there_is_no_room() {
        let answers = Answers::default();
        let stamp = Stamp { seq: Seq(1), lost_since: None };
        let third = Bytes::from(vec![b' '; ROOM / 3]);
        for id in ["a", "b", "c"] {
            answers.keep(subject(id), stamp, third.clone());
        }
        assert!(answers.find(&subject("a"), stamp).is_some());
        answers.keep(subject("d"), stamp, third.clone());
        let known = |id| answers.find(&subject(id), stamp).is_some();
        assert_eq!(["a", "b", "c", "d"].map(known), [true, false, true, true]);
        assert!(answers.find(&subject("a"), Stamp { seq: Seq(2), ..stamp }).is_none());
        answers.keep(subject("huge"), stamp, Bytes::from(vec![b' '; ROOM + 1]));
        assert!(answers.find(&subject("huge"), stamp).is_none());
    }
}
