//! The chain of task executions that took longest.

use graflow_model::Timestamp;
use graflow_model::row::TaskExecutionRow;

use super::causes::Causes;
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
    let nodes = graph.into.len();
    // The ends of groups stand behind the rows, and do no work themselves.
    let own = |node: usize| work.get(node).copied().flatten().map_or(0, |(_, micros)| micros);
    // The longest work before each begins, and by what.
    let mut before = vec![(0_u64, None::<usize>); nodes];
    for &row in &graph.order {
        for &(cause, micros) in &graph.into[row] {
            let length = before[cause].0 + micros;
            if length > before[row].0 || before[row].1.is_none() {
                before[row] = (length, Some(cause));
            }
        }
    }
    // The longest work from the start of each on.
    let mut rest: Vec<_> = (0..nodes).map(own).collect();
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
    steps.retain(|step| step.row < rows.len());
    steps.reverse();
    CriticalPath { micros: total, steps, slack }
}
