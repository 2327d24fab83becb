//! Which task execution led to which, as a graph without circles.

use std::collections::HashMap;

use graflow_model::row::TaskExecutionRow;
use graflow_model::state::CauseKind;

/// Nodes are the rows, and behind them the ends of parallel groups, one for each pass that something follows.
///
/// What follows a group names one of its members as its cause, but waited for all of them: they lead to the group's end, and
/// the end to what follows, so that a group of many members before a join of many tasks stays small.
pub(super) struct Causes {
    /// For each node its causes, and the microseconds that each worked before it began.
    pub(super) into: Vec<Vec<(usize, u64)>>,
    /// The nodes, causes first; those in a circle are in it without their causes.
    pub(super) order: Vec<usize>,
}

impl Causes {
    /// `work` says of each row when it began, and for how long it worked, in microseconds.
    pub(super) fn new(rows: &[TaskExecutionRow], work: &[Option<(i64, u64)>]) -> Self {
        let place: HashMap<_, _> =
            rows.iter().enumerate().map(|(place, row)| (&row.task_execution_id, place)).collect();
        let told = |row: usize| {
            let causes = rows[row].causes.iter();
            causes
                .filter_map(|cause| Some((cause.kind, *place.get(&cause.task_execution_id)?)))
                .filter(move |(_, cause)| *cause != row)
        };
        // What a cause counts for: its work until then.
        let counted = |cause: usize, until: Option<i64>| {
            let Some((start, micros)) = work[cause] else { return 0 };
            until.map_or(micros, |until| u64::try_from(until - start).unwrap_or(0).min(micros))
        };
        let start = |row: usize| work[row].map(|(start, _)| start);
        let mut into: Vec<Vec<_>> = (0..rows.len())
            .map(|row| told(row).map(|(_, cause)| (cause, counted(cause, start(row)))).collect())
            .collect();

        let passes = passes(rows, &order(&into), &told);
        let mut followers: HashMap<usize, Vec<usize>> = HashMap::new();
        for row in 0..rows.len() {
            let left = told(row).filter(|(kind, cause)| {
                *kind == CauseKind::Successor
                    && rows[*cause].group.is_some()
                    && rows[*cause].group != rows[row].group
            });
            for (_, cause) in left {
                followers.entry(passes[cause]).or_default().push(row);
            }
        }
        let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
        for row in (0..rows.len()).filter(|row| rows[*row].group.is_some()) {
            members.entry(passes[row]).or_default().push(row);
        }
        let mut ended: Vec<_> = followers.into_iter().collect();
        ended.sort_unstable();
        for (pass, followers) in ended {
            let until = followers.iter().filter_map(|row| start(*row)).min();
            // Whoever began later was not waited for.
            let waited_for =
                |member: &usize| start(*member).is_some_and(|start| until.is_none_or(|until| start < until));
            let members = members.get(&pass).into_iter().flatten().copied().filter(waited_for);
            let end = into.len();
            into.push(members.map(|member| (member, counted(member, until))).collect());
            for row in followers {
                into[row].push((end, 0));
            }
        }

        let order = order(&into);
        let mut is_ordered = vec![false; into.len()];
        for &node in &order {
            is_ordered[node] = true;
        }
        for causes in
            into.iter_mut().zip(&is_ordered).filter(|(_, is_ordered)| !**is_ordered).map(|(causes, _)| causes)
        {
            causes.clear();
        }
        Self { into, order }
    }
}

/// For each row that is a member of a group, the pass of the group: a number that the members of one pass share. Members of
/// one pass were led to by the same; later attempts and passes of a member belong to its first.
fn passes<'a, C: Iterator<Item = (CauseKind, usize)>>(
    rows: &'a [TaskExecutionRow],
    order: &[usize],
    told: &impl Fn(usize) -> C,
) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let mut passes = vec![usize::MAX; rows.len()];
    for &row in order {
        let Some(group) = &rows[row].group else { continue };
        let mut inside = told(row).filter(|(_, cause)| rows[*cause].group.as_ref() == Some(group));
        passes[row] = if let Some((_, cause)) = inside.next() {
            passes[cause]
        } else {
            let led_by: Option<&'a _> = rows[row].causes.first().map(|cause| &cause.task_execution_id);
            let next = numbers.len();
            *numbers.entry((group, led_by)).or_insert(next)
        };
    }
    passes
}

/// The nodes, causes first, without those in a circle and what follows them.
fn order(into: &[Vec<(usize, u64)>]) -> Vec<usize> {
    let mut out = vec![Vec::new(); into.len()];
    for (node, causes) in into.iter().enumerate() {
        for (cause, _) in causes {
            out[*cause].push(node);
        }
    }
    let mut missing: Vec<_> = into.iter().map(Vec::len).collect();
    let mut order: Vec<_> = (0..into.len()).filter(|node| missing[*node] == 0).collect();
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        next += 1;
        for &follower in &out[node] {
            missing[follower] -= 1;
            if missing[follower] == 0 {
                order.push(follower);
            }
        }
    }
    order
}
