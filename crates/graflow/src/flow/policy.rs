//! When a parallel group has failed.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use graflow_model::TaskStatus;

use crate::error::TaskError;

/// What became of one member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOutcome {
    /// The member's task; of a flow, its last.
    pub task_id: String,
    /// `completed`, `failed`, `skipped` or `cancelled`.
    pub status: TaskStatus,
    /// Why it failed.
    pub error: Option<String>,
}

/// Decides over a parallel group when its members have ended.
///
/// A closure `Fn(&[MemberOutcome]) -> Result<(), String>` is a policy as well:
///
/// ```
/// use graflow::prelude::*;
/// # #[task] async fn left() {}
/// # #[task] async fn right() {}
/// let group = (left() | right()).policy(|members: &[MemberOutcome]| {
///     let completed = members.iter().filter(|member| member.status == TaskStatus::Completed).count();
///     if completed % 2 == 0 { Ok(()) } else { Err(format!("{completed} is odd")) }
/// });
/// # let _ = group;
/// ```
pub trait GroupPolicy: Send + Sync + 'static {
    /// A name for logs and drawings.
    fn name(&self) -> String;

    /// Whether the group succeeded; an error says why not.
    ///
    /// # Errors
    /// In words, why the group failed.
    fn evaluate(&self, members: &[MemberOutcome]) -> Result<(), String>;

    /// Whether the first failed member ends the group at once: running members are cancelled, others are skipped.
    fn stops_at_first_failure(&self) -> bool {
        false
    }

    /// What is wrong with the policy for a group with these members, found before the first task.
    ///
    /// # Errors
    /// In words, what is wrong.
    fn check(&self, members: &[&str]) -> Result<(), String> {
        let _ = members;
        Ok(())
    }
}

/// Every member has to complete; the first failure cancels the others. The default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Strict;

/// The group succeeds whatever its members do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BestEffort;

/// At least so many members have to complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast(pub usize);

/// These members have to complete; the others may fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Critical(Vec<String>);

impl Critical {
    /// Names the tasks that have to complete.
    pub fn new<T: Into<String>>(tasks: impl IntoIterator<Item = T>) -> Self {
        Self(tasks.into_iter().map(Into::into).collect())
    }
}

impl GroupPolicy for Strict {
    fn name(&self) -> String {
        "strict".into()
    }

    fn evaluate(&self, members: &[MemberOutcome]) -> Result<(), String> {
        let failed: Vec<&MemberOutcome> =
            members.iter().filter(|member| member.status == TaskStatus::Failed).collect();
        if failed.is_empty() { Ok(()) } else { Err(format!("{} failed", list(&failed))) }
    }

    fn stops_at_first_failure(&self) -> bool {
        true
    }
}

impl GroupPolicy for BestEffort {
    fn name(&self) -> String {
        "best_effort".into()
    }

    fn evaluate(&self, _: &[MemberOutcome]) -> Result<(), String> {
        Ok(())
    }
}

impl GroupPolicy for AtLeast {
    fn name(&self) -> String {
        format!("at_least_{}", self.0)
    }

    fn evaluate(&self, members: &[MemberOutcome]) -> Result<(), String> {
        let completed = members.iter().filter(|member| member.status == TaskStatus::Completed).count();
        if completed >= self.0 {
            return Ok(());
        }
        let failed: Vec<&MemberOutcome> =
            members.iter().filter(|member| member.status == TaskStatus::Failed).collect();
        Err(format!("{completed} of at least {} members completed; failed: {}", self.0, list(&failed)))
    }

    fn check(&self, members: &[&str]) -> Result<(), String> {
        if self.0 <= members.len() {
            return Ok(());
        }
        Err(format!("at least {} members have to complete, and there are only {}", self.0, members.len()))
    }
}

impl GroupPolicy for Critical {
    fn name(&self) -> String {
        "critical".into()
    }

    fn evaluate(&self, members: &[MemberOutcome]) -> Result<(), String> {
        let failed: Vec<&MemberOutcome> = members
            .iter()
            .filter(|member| member.status != TaskStatus::Completed && self.0.contains(&member.task_id))
            .collect();
        if failed.is_empty() { Ok(()) } else { Err(format!("critical members failed: {}", list(&failed))) }
    }

    fn check(&self, members: &[&str]) -> Result<(), String> {
        let missing: Vec<&str> =
            self.0.iter().map(String::as_str).filter(|task| !members.contains(task)).collect();
        if self.0.is_empty() {
            return Err("no critical task is named; name one, or use BestEffort".into());
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "critical tasks that are no members: {}; members are: {}",
            missing.join(", "),
            members.join(", ")
        ))
    }
}

impl<F: Fn(&[MemberOutcome]) -> Result<(), String> + Send + Sync + 'static> GroupPolicy for F {
    fn name(&self) -> String {
        "custom".into()
    }

    fn evaluate(&self, members: &[MemberOutcome]) -> Result<(), String> {
        self(members)
    }
}

/// A policy may be the user's own code: these keep its panics away from the engine.
impl dyn GroupPolicy {
    /// Its name; `custom` when it cannot say.
    pub(crate) fn shown(&self) -> String {
        guarded(|| self.name()).unwrap_or_else(|_| "custom".into())
    }

    pub(crate) fn judge(&self, members: &[MemberOutcome]) -> Result<(), String> {
        guarded(|| self.evaluate(members)).flatten()
    }

    pub(crate) fn fits(&self, members: &[&str]) -> Result<(), String> {
        guarded(|| self.check(members)).flatten()
    }

    pub(crate) fn is_strict(&self) -> bool {
        guarded(|| self.stops_at_first_failure()).unwrap_or(false)
    }
}

fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|payload| format!("its policy panicked: {}", TaskError::panicked(&*payload)))
}

impl fmt::Debug for dyn GroupPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

/// The members with their errors, the first few.
fn list(members: &[&MemberOutcome]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = members
        .iter()
        .take(SHOWN)
        .map(|member| match &member.error {
            Some(error) => format!("{} ({error})", member.task_id),
            None => format!("{} ({})", member.task_id, member.status),
        })
        .collect();
    let rest = members.len().saturating_sub(SHOWN);
    let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    if shown.is_empty() { "none".into() } else { shown.join(", ") + &rest }
}
