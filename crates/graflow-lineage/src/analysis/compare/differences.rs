//! What differs, as sentences, the first one first.

use graflow_model::{Channel, Key, TaskId};

use super::{Side, TaskComparison, ValueComparison};

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// The code that ran.
    Code,
    /// What ran it: language and version.
    Runtime,
    /// What the run was given.
    Input,
    /// A value, by its content hash.
    Value,
    /// How a task ended.
    TaskStatus,
    /// How often a task ran.
    TaskCount,
    /// A task that ran only in this run.
    TaskOnlyHere,
    /// A task that ran only in the other run.
    TaskOnlyThere,
    /// How the run ended.
    Status,
}

impl DifferenceKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Runtime => "runtime",
            Self::Input => "input",
            Self::Value => "value",
            Self::TaskStatus => "task_status",
            Self::TaskCount => "task_count",
            Self::TaskOnlyHere => "task_only_here",
            Self::TaskOnlyThere => "task_only_there",
            Self::Status => "status",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// It in a sentence.
    pub message: String,
    /// The task that it is about.
    pub task_id: Option<TaskId>,
    /// The value that it is about: channel, key, version.
    pub value: Option<(Channel, Key, u64)>,
    /// Microseconds after the run's start; none of what was so before.
    pub after_us: Option<u64>,
}

pub(super) fn differences(
    here: Side<'_>,
    there: Side<'_>,
    tasks: &[TaskComparison],
    values: &[ValueComparison],
) -> Vec<Difference> {
    let mut all = before(here, there);
    // A value is missing also because its task did not run: that is said of the task.
    let ran_in_both = |task: &TaskId| {
        tasks.iter().any(|both| both.task == task.as_str() && both.here.is_some() && both.there.is_some())
    };
    let is_own = |value: &&ValueComparison| {
        let is_in_both = value.here.is_some() && value.there.is_some();
        value.is_origin && (is_in_both || writer(value).is_none_or(ran_in_both))
    };
    all.extend(values.iter().filter(is_own).map(of_value));
    let is_open = here.execution.end_time.is_none();
    all.extend(tasks.iter().filter_map(|task| of_task(task, is_open)));
    let (now, then) = (here.execution.status, there.execution.status);
    if now != then {
        all.push(Difference {
            after_us: Some(here.after(here.execution.end_time.unwrap_or(here.execution.last_event_time))),
            ..plain(
                DifferenceKind::Status,
                format!("the run {}; the other {}", words(now.as_str()), words(then.as_str())),
            )
        });
    }
    // What is missing follows from something else, and has no time of its own here.
    let rank = |difference: &Difference| match difference.kind {
        DifferenceKind::TaskOnlyThere => 1,
        DifferenceKind::Status => 2,
        _ => 0,
    };
    all.sort_by(|one, other| {
        (rank(one), one.after_us, one.kind).cmp(&(rank(other), other.after_us, other.kind))
    });
    all
}

/// What was so before the first task began.
fn before(here: Side<'_>, there: Side<'_>) -> Vec<Difference> {
    let mut all = Vec::new();
    let commit = |side: Side<'_>| {
        let code = side.execution.code.as_ref()?;
        let commit = code.git_commit.as_ref()?.chars().take(8).collect::<String>();
        Some(if code.dirty == Some(true) { format!("{commit} with changes") } else { commit })
    };
    if let (Some(now), Some(then)) = (commit(here), commit(there))
        && now != then
    {
        all.push(plain(DifferenceKind::Code, format!("the code is {now}; it was {then}")));
    }
    let runtime = |side: Side<'_>| {
        let runtime = side.execution.runtime.as_ref()?;
        Some(format!("{} {}", runtime.language.as_ref()?, runtime.version.as_ref()?))
    };
    if let (Some(now), Some(then)) = (runtime(here), runtime(there))
        && now != then
    {
        all.push(plain(DifferenceKind::Runtime, format!("it runs on {now}; it was {then}")));
    }
    let (ours, theirs) = (&here.execution.inputs, &there.execution.inputs);
    for name in ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name))) {
        let message = match (ours.get(name), theirs.get(name)) {
            (Some(one), Some(other)) if one == other => continue,
            (Some(one), Some(other)) => {
                format!("the input `{name}` is {}; it was {}", short(one), short(other))
            }
            (Some(_), None) => format!("the input `{name}` is new"),
            (None, _) => format!("the input `{name}` is missing"),
        };
        all.push(plain(DifferenceKind::Input, message));
    }
    all
}

fn writer(value: &ValueComparison) -> Option<&TaskId> {
    value.here.as_ref().or(value.there.as_ref())?.task_id.as_ref()
}

fn of_value(value: &ValueComparison) -> Difference {
    let by = writer(value).map_or_else(String::new, |writer| format!(", written by `{writer}`,"));
    let how = match (&value.here, &value.there) {
        (Some(_), None) => "was written only here",
        (None, _) => "was not written here",
        _ => "differs",
    };
    let message = format!("`{}` v{}{by} {how}", value.key, value.version);
    Difference {
        task_id: writer(value).cloned(),
        value: Some((value.channel.clone(), value.key.clone(), value.version)),
        after_us: Some(value.after_us),
        ..plain(DifferenceKind::Value, message)
    }
}

fn of_task(task: &TaskComparison, is_open: bool) -> Option<Difference> {
    let name = &task.task;
    let (kind, message, after_us) = match (task.here, task.there) {
        (Some(here), None) => {
            (DifferenceKind::TaskOnlyHere, format!("`{name}` ran only here"), here.first_us)
        }
        (None, Some(there)) => {
            let message = if is_open { "has not run yet" } else { "did not run here" };
            (DifferenceKind::TaskOnlyThere, format!("`{name}` {message}"), there.first_us)
        }
        // One that goes on has not ended otherwise.
        (Some(here), Some(there)) if here.status != there.status && here.status.is_ended() => {
            let (now, then) = (words(here.status.as_str()), words(there.status.as_str()));
            (DifferenceKind::TaskStatus, format!("`{name}` {now}; there it {then}"), here.last_us)
        }
        (Some(here), Some(there)) if here.executions != there.executions && !is_open => {
            let (now, then) = (times(here.executions), times(there.executions));
            (DifferenceKind::TaskCount, format!("`{name}` ran {now}; there {then}"), here.last_us)
        }
        _ => return None,
    };
    Some(Difference {
        task_id: (!task.is_family).then(|| TaskId::from(name.as_str())),
        after_us: Some(after_us),
        ..plain(kind, message)
    })
}

fn plain(kind: DifferenceKind, message: String) -> Difference {
    Difference { kind, message, task_id: None, value: None, after_us: None }
}

/// Of a long value the beginning says enough.
fn short(value: &serde_json::Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST).chain(['…']).collect() }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// "failed", "completed"; "is running".
fn words(status: &str) -> String {
    match status {
        "running" | "waiting" | "queued" | "pending" | "lost" => format!("is {status}"),
        "skipped" | "cancelled" | "terminated" => format!("was {status}"),
        "max_steps" => "reached its limit of steps".to_owned(),
        ended => ended.to_owned(),
    }
}
