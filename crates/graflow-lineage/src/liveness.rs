//! Who still gives signs of life, and who does not.
//!
//! An execution that has not ended, waits for nobody, and has been silent for [`LOST_AFTER_US`] reads as
//! `lost`. That is computed when read and never stored. Any later event or heartbeat of the execution revives
//! it, and a start of the server begins the clock anew. No I/O and no clock here: time comes in.

use std::collections::{BTreeSet, HashMap};

use graflow_model::row::{ChangedRows, ExecutionRow, Graph, NodeRow, TaskExecutionRow};
use graflow_model::{ExecutionId, ExecutionStatus, Project, TaskStatus, Timestamp};

/// Silence after which an execution reads as lost, in microseconds: six heartbeats.
pub const LOST_AFTER_US: i64 = 60_000_000;

/// A moment, on both clocks: silence is measured with the monotonic one, and told in wall-clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Wall clock.
    pub wall: Timestamp,
    /// Monotonic clock, in microseconds.
    pub mono_us: i64,
}

/// An execution that turned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// Whose it is.
    pub project: Project,
    /// The execution.
    pub execution_id: ExecutionId,
    /// Since when it has been lost; none when it came back.
    pub lost_since: Option<Timestamp>,
}

/// Signs of life, by execution.
#[derive(Debug)]
pub struct Liveness {
    started: Now,
    executions: HashMap<(Project, ExecutionId), Sign>,
}

#[derive(Debug, Clone, Copy)]
struct Sign {
    /// On both clocks, so that what is said of it later is always the same.
    last: Now,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Silence would be news.
    Heard,
    /// It reads as lost, and viewers have been told.
    Lost,
    /// It waits for a person: silence is no news until the next sign.
    Waiting,
}

impl Liveness {
    /// The clock begins now.
    pub fn new(now: Now) -> Self {
        Self { started: now, executions: HashMap::new() }
    }

    /// An execution that is open since before the start: its silence counts from the start on.
    pub fn watch(&mut self, project: &Project, execution_id: &ExecutionId) {
        let sign = Sign { last: self.started, standing: Standing::Heard };
        self.executions.entry((project.clone(), execution_id.clone())).or_insert(sign);
    }

    /// An execution gave a sign of life when the server took an event of it, or a heartbeat that names it; what
    /// was taken before the start counts from the start. Says so when it had been lost.
    pub fn sign(
        &mut self,
        project: &Project,
        execution_id: &ExecutionId,
        taken: Timestamp,
        now: Now,
    ) -> Option<Turned> {
        let key = (project.clone(), execution_id.clone());
        let age_us = now.wall.micros_since(taken).max(0);
        let taken_us = now.mono_us.saturating_sub(age_us);
        let taken = if taken_us > self.started.mono_us {
            Now { wall: taken.min(now.wall), mono_us: taken_us }
        } else {
            self.started
        };
        let sign = self.executions.entry(key).or_insert(Sign { last: taken, standing: Standing::Heard });
        if taken.mono_us > sign.last.mono_us {
            sign.last = taken;
        }
        let before = std::mem::replace(&mut sign.standing, Standing::Heard);
        (before == Standing::Lost).then(|| Turned {
            project: project.clone(),
            execution_id: execution_id.clone(),
            lost_since: None,
        })
    }

    /// An execution ended, or is gone: nothing more is expected of it.
    pub fn forget(&mut self, project: &Project, execution_id: &ExecutionId) {
        self.executions.remove(&(project.clone(), execution_id.clone()));
    }

    /// Since when an execution that runs has been lost, if it is.
    pub fn lost_since(&self, project: &Project, execution_id: &ExecutionId, now: Now) -> Option<Timestamp> {
        let sign = self.executions.get(&(project.clone(), execution_id.clone()));
        since(sign.map_or(self.started, |sign| sign.last), now)
    }

    /// Executions that have been silent for too long, whether they run or not.
    pub fn silent(&self, project: &Project, now: Now) -> BTreeSet<ExecutionId> {
        let silent = self
            .executions
            .iter()
            .filter(|((owner, _), sign)| owner == project && since(sign.last, now).is_some());
        silent.map(|((_, id), _)| id.clone()).collect()
    }

    /// Executions that fell silent and have not been settled since.
    pub fn unsettled(&self, now: Now) -> Vec<(Project, ExecutionId)> {
        let unsettled = self
            .executions
            .iter()
            .filter(|(_, sign)| sign.standing == Standing::Heard && since(sign.last, now).is_some());
        unsettled.map(|(key, _)| key.clone()).collect()
    }

    /// What the silence of an execution means, now that its status is known; none = it is not there. Says so
    /// when it turned lost.
    pub fn settle(
        &mut self,
        project: &Project,
        execution_id: &ExecutionId,
        status: Option<ExecutionStatus>,
        now: Now,
    ) -> Option<Turned> {
        let sign = self.executions.get_mut(&(project.clone(), execution_id.clone()))?;
        // A sign may have come while the status was looked up.
        let lost_since = since(sign.last, now)?;
        match status {
            Some(ExecutionStatus::Running | ExecutionStatus::Lost) => {
                let before = std::mem::replace(&mut sign.standing, Standing::Lost);
                (before != Standing::Lost).then(|| Turned {
                    project: project.clone(),
                    execution_id: execution_id.clone(),
                    lost_since: Some(lost_since),
                })
            }
            Some(ExecutionStatus::Waiting) => {
                sign.standing = Standing::Waiting;
                None
            }
            _ => {
                self.forget(project, execution_id);
                None
            }
        }
    }
}

/// Measured with the monotonic clock; the moment that is told depends on the last sign alone, and not on when one asks.
fn since(last: Now, now: Now) -> Option<Timestamp> {
    let silent_us = now.mono_us.saturating_sub(last.mono_us);
    let lost_since = || Timestamp::from_micros(last.wall.as_micros().saturating_add(LOST_AFTER_US));
    (silent_us >= LOST_AFTER_US).then(lost_since)
}

/// The row of an execution as it reads when its producers are silent.
pub fn lost_execution(mut row: ExecutionRow) -> ExecutionRow {
    if row.status == ExecutionStatus::Running {
        row.status = ExecutionStatus::Lost;
    }
    row
}

/// The row of one of its task executions.
pub fn lost_task_execution(mut row: TaskExecutionRow) -> TaskExecutionRow {
    if row.status == TaskStatus::Running {
        row.status = TaskStatus::Lost;
    }
    row
}

/// One of its nodes.
pub fn lost_node(mut row: NodeRow) -> NodeRow {
    if row.status == TaskStatus::Running {
        row.status = TaskStatus::Lost;
    }
    if let Some(running) = row.by_status.remove(&TaskStatus::Running) {
        *row.by_status.entry(TaskStatus::Lost).or_default() += running;
    }
    row
}

/// Its graph.
pub fn lost_graph(mut graph: Graph) -> Graph {
    graph.nodes = graph.nodes.into_iter().map(lost_node).collect();
    graph
}

/// Rows of it.
pub fn lost_rows(mut rows: ChangedRows) -> ChangedRows {
    rows.execution = rows.execution.map(lost_execution);
    rows.task_executions = rows.task_executions.into_iter().map(lost_task_execution).collect();
    rows.nodes = rows.nodes.into_iter().map(lost_node).collect();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Now {
        // The wall clock is an hour ahead of the monotonic one, to see which of them counts.
        Now { wall: Timestamp::from_micros((3_600 + seconds) * 1_000_000), mono_us: seconds * 1_000_000 }
    }

    fn fixture() -> (Liveness, Project, ExecutionId) {
        (Liveness::new(at(0)), Project::default(), "x".into())
    }

    #[test]
    fn silent_for_a_minute_reads_as_lost_since_then() {
        let (mut liveness, project, x) = fixture();
        assert!(liveness.sign(&project, &x, at(10).wall, at(10)).is_none());
        assert_eq!(liveness.lost_since(&project, &x, at(69)), None);
        assert_eq!(liveness.lost_since(&project, &x, at(70)), Some(at(70).wall));
        assert_eq!(liveness.lost_since(&project, &x, at(500)), Some(at(70).wall));
    }

    #[test]
    fn the_moment_is_the_same_whenever_one_asks() {
        let (mut liveness, project, x) = fixture();
        liveness.sign(&project, &x, at(10).wall, at(10));
        // The two clocks are never read at quite the same time, and one of them may be set.
        let ask = |wall_is_off_us| Now {
            wall: Timestamp::from_micros(at(90).wall.as_micros() + wall_is_off_us),
            ..at(90)
        };
        for off in [0, 1, -3, 5_000_000] {
            assert_eq!(liveness.lost_since(&project, &x, ask(off)), Some(at(70).wall));
        }
    }

    #[test]
    fn a_start_begins_the_clock_anew() {
        let (mut liveness, project, x) = fixture();
        // Events that were taken before the start are told again while the store opens.
        liveness.sign(&project, &x, at(-500).wall, at(3));
        assert_eq!(liveness.lost_since(&project, &x, at(59)), None);
        assert_eq!(liveness.lost_since(&project, &x, at(61)), Some(at(60).wall));
    }

    #[test]
    fn a_turn_is_told_once_and_a_sign_takes_it_back() {
        let (mut liveness, project, x) = fixture();
        let running = Some(ExecutionStatus::Running);
        liveness.sign(&project, &x, at(1).wall, at(1));
        assert!(liveness.unsettled(at(60)).is_empty());
        assert_eq!(liveness.unsettled(at(62)).len(), 1);
        let turned = liveness.settle(&project, &x, running, at(62)).unwrap();
        assert_eq!(turned.lost_since, Some(at(61).wall));
        assert!(liveness.unsettled(at(63)).is_empty());
        assert!(liveness.settle(&project, &x, running, at(63)).is_none());
        let back = liveness.sign(&project, &x, at(64).wall, at(64)).unwrap();
        assert_eq!(back.lost_since, None);
        assert!(liveness.sign(&project, &x, at(65).wall, at(65)).is_none());
        assert_eq!(liveness.unsettled(at(125)).len(), 1);
    }

    #[test]
    fn never_while_waiting_and_not_after_the_end() {
        let (mut liveness, project, x) = fixture();
        liveness.watch(&project, &x);
        assert!(liveness.settle(&project, &x, Some(ExecutionStatus::Waiting), at(100)).is_none());
        assert!(liveness.unsettled(at(200)).is_empty());
        liveness.sign(&project, &x, at(200).wall, at(200));
        assert!(liveness.settle(&project, &x, Some(ExecutionStatus::Completed), at(300)).is_none());
        assert!(liveness.silent(&project, at(400)).is_empty());
    }

    #[test]
    fn a_sign_during_the_look_up_wins() {
        let (mut liveness, project, x) = fixture();
        liveness.watch(&project, &x);
        assert_eq!(liveness.unsettled(at(61)).len(), 1);
        liveness.sign(&project, &x, at(61).wall, at(61));
        assert!(liveness.settle(&project, &x, Some(ExecutionStatus::Running), at(61)).is_none());
    }

    #[test]
    fn an_older_sign_does_not_take_time_back() {
        let (mut liveness, project, x) = fixture();
        liveness.sign(&project, &x, at(30).wall, at(30));
        // Taken earlier, folded later.
        liveness.sign(&project, &x, at(20).wall, at(31));
        assert_eq!(liveness.lost_since(&project, &x, at(85)), None);
        assert_eq!(liveness.lost_since(&project, &x, at(91)), Some(at(90).wall));
    }
}
