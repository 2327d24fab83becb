//! The chain of task executions that took longest.

use std::collections::HashMap;

use graflow_model::Timestamp;
use graflow_model::row::TaskExecutionRow;

use super::work;

/// The longest chain, and how far every task execution is from being on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CriticalPath {
    /// Microseconds of work on it.
    pub micros: u64,
    /// Its task executions, first to last.
    pub steps: Vec<Step>,
    /// For each row: microseconds by which it could have been longer without the chain becoming longer.
    pub slack: Vec<u64>,
}

/// A task execution on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its place among the rows.
    pub row: usize,
    /// Microseconds it adds: less than it took where the next one began before it ended.
    pub micros: u64,
}

/// The chain of task executions, each a cause of the next, whose work takes longest together. Of equally long ones it is the
/// one whose end comes first among the rows.
///
/// A cause counts up to the start of what it led to: one that goes on while others run that it started, such as a parallel
/// group around its members, is not counted twice. What runs counts until `now`. Causes that are not among the rows, and
/// such as run in a circle, do not count.
pub fn critical_path(rows: &[TaskExecutionRow], now: Timestamp) -> CriticalPath {
    let work: Vec<_> = rows.iter().map(|row| work(row, now)).collect();
    let graph = Causes::new(rows, &work);
    let own = |row: usize| work[row].map_or(0, |(_, micros)| micros);
    // The longest work before each begins, and by what.
    let mut before = vec![(0_u64, None::<usize>); rows.len()];
    for &row in &graph.order {
        for &(cause, micros) in &graph.into[row] {
            let length = before[cause].0 + micros;
            if length > before[row].0 || before[row].1.is_none() {
                before[row] = (length, Some(cause));
            }
        }
    }
    // The longest work from the start of each on.
    let mut rest: Vec<_> = (0..rows.len()).map(own).collect();
    for &row in graph.order.iter().rev() {
        for &(cause, micros) in &graph.into[row] {
            rest[cause] = rest[cause].max(micros + rest[row]);
        }
    }
    let through = |row: usize| before[row].0 + rest[row];
    let total = (0..rows.len()).map(through).max().unwrap_or(0);
    let slack = (0..rows.len()).map(|row| total - through(row)).collect();
    let last = (0..rows.len()).find(|row| before[*row].0 + own(*row) == total && total > 0);
    let mut steps = Vec::new();
    let mut at = last.map(|row| (row, own(row)));
    while let Some((row, micros)) = at {
        steps.push(Step { row, micros });
        at = before[row].1.map(|cause| (cause, before[row].0 - before[cause].0));
    }
    steps.reverse();
    CriticalPath { micros: total, steps, slack }
}

/// Which led to which.
struct Causes {
    /// For each row its causes, and the microseconds that each worked before it began.
    into: Vec<Vec<(usize, u64)>>,
    /// The rows, causes first; rows in a circle are not in it, nor what follows them.
    order: Vec<usize>,
}

impl Causes {
    fn new(rows: &[TaskExecutionRow], work: &[Option<(i64, u64)>]) -> Self {
        let place: HashMap<_, _> =
            rows.iter().enumerate().map(|(place, row)| (&row.task_execution_id, place)).collect();
        let counted = |cause: usize, row: usize| {
            let Some((cause_start, micros)) = work[cause] else { return 0 };
            let until = work[row].map(|(start, _)| u64::try_from(start - cause_start).unwrap_or(0));
            until.map_or(micros, |until| until.min(micros))
        };
        let mut into: Vec<Vec<_>> = rows
            .iter()
            .enumerate()
            .map(|(row, what)| {
                let causes =
                    what.causes.iter().filter_map(|cause| place.get(&cause.task_execution_id).copied());
                causes.filter(|cause| *cause != row).map(|cause| (cause, counted(cause, row))).collect()
            })
            .collect();
        let mut out = vec![Vec::new(); rows.len()];
        for (row, causes) in into.iter().enumerate() {
            for (cause, _) in causes {
                out[*cause].push(row);
            }
        }
        let mut missing: Vec<_> = into.iter().map(Vec::len).collect();
        let mut order: Vec<_> = (0..rows.len()).filter(|row| missing[*row] == 0).collect();
        let mut next = 0;
        while let Some(&row) = order.get(next) {
            next += 1;
            for &follower in &out[row] {
                missing[follower] -= 1;
                if missing[follower] == 0 {
                    order.push(follower);
                }
            }
        }
        for (row, causes) in into.iter_mut().enumerate().filter(|(row, _)| missing[*row] > 0) {
            debug_assert!(row < missing.len(), "rows and their causes");
            causes.clear();
        }
        Self { into, order }
    }
}
