//! Composition: `a >> b`, `a | b`, and named parallel groups.

use std::fmt;
use std::ops::{BitOr, Shr};
use std::sync::Arc;

use super::names::check_task_name;
use super::policy::{GroupPolicy, Strict};
use crate::error::Problem;
use crate::task::{Task, TaskNode};

/// Tasks and the order between them. It does nothing until a workflow has it.
///
/// `a >> b` runs `b` after `a`; `a | b` lets both run at the same time; both nest in any way.
#[must_use = "a flow does nothing until a workflow has it"]
#[derive(Debug, Clone)]
pub struct Flow {
    pub(crate) shape: Shape,
}

/// What a flow is made of. Sequences and branches are kept flat, since both are associative.
#[derive(Clone)]
pub(crate) enum Shape {
    Task(TaskNode),
    Sequence(Vec<Shape>),
    Branches(Vec<Shape>),
    Group { name: Option<Arc<str>>, policy: Arc<dyn GroupPolicy>, members: Vec<Shape> },
}

/// Whatever can stand in a flow: a task's handle, a flow, a group.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a flow",
    label = "no task, flow or group",
    note = "write a task's handle, such as `extract()`, a flow, or `parallel(…)`"
)]
pub trait IntoFlow {
    /// As a flow.
    fn into_flow(self) -> Flow;
}

impl<T: Task> IntoFlow for T {
    fn into_flow(self) -> Flow {
        Flow { shape: Shape::Task(self.into_node()) }
    }
}

impl IntoFlow for Flow {
    fn into_flow(self) -> Flow {
        self
    }
}

impl IntoFlow for Group {
    fn into_flow(self) -> Flow {
        Flow { shape: Shape::Group { name: self.name, policy: self.policy, members: self.members } }
    }
}

/// A parallel group: a node of its own, whose policy says when it failed.
#[must_use = "a group does nothing until a workflow has it"]
#[derive(Debug, Clone)]
pub struct Group {
    name: Option<Arc<str>>,
    policy: Arc<dyn GroupPolicy>,
    members: Vec<Shape>,
}

/// A named parallel group. Its policy is [`Strict`] unless another is set; a parameter
/// `Members<T>` of its name gets the members' results.
///
/// ```
/// use graflow::prelude::*;
///
/// #[task]
/// async fn price(region: String) -> usize { region.len() }
/// #[task]
/// async fn total(prices: Members<usize>) -> usize { prices.completed().sum() }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let members = ["eu", "us"].map(|region| price().region(region.to_owned()).named(format!("price/{region}")));
/// let flow = parallel("prices", members) >> total();
/// let run = Workflow::new("totals", flow).execute().await?;
/// assert_eq!(run.result(total())?, &4);
/// # Ok(()) }
/// ```
pub fn parallel<F: IntoFlow>(name: impl Into<String>, members: impl IntoIterator<Item = F>) -> Group {
    let members = members.into_iter().map(|member| member.into_flow().shape).collect();
    Group { name: Some(name.into().into()), policy: Arc::new(Strict), members }
}

/// One after the other: `a >> b >> c` for flows that come from an iterator.
pub fn chain<F: IntoFlow>(flows: impl IntoIterator<Item = F>) -> Flow {
    flows.into_iter().fold(Flow { shape: Shape::Sequence(Vec::new()) }, |chain, flow| chain >> flow)
}

impl Group {
    /// Says when the group has failed.
    pub fn policy(mut self, policy: impl GroupPolicy) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// Names the group.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into().into());
        self
    }
}

impl Flow {
    /// Makes the branches of this flow the members of a group with a name.
    pub fn named(self, name: impl Into<String>) -> Group {
        self.into_group().named(name)
    }

    /// Makes the branches of this flow the members of a group with a policy. Without a name it is called
    /// `parallel_1`, `parallel_2`, … in the order of declaration.
    pub fn policy(self, policy: impl GroupPolicy) -> Group {
        self.into_group().policy(policy)
    }

    /// Whether every task and group has a name that can be recorded.
    pub(crate) fn check_names(&self) -> Result<(), Problem> {
        let mut open = vec![&self.shape];
        while let Some(shape) = open.pop() {
            let inside = match shape {
                Shape::Task(node) => {
                    check_task_name(node.id())?;
                    continue;
                }
                Shape::Sequence(shapes) | Shape::Branches(shapes) => shapes,
                Shape::Group { name, members, .. } => {
                    name.as_deref().map_or(Ok(()), check_task_name)?;
                    members
                }
            };
            open.extend(inside);
        }
        Ok(())
    }

    fn into_group(self) -> Group {
        let members = match self.shape {
            Shape::Branches(branches) => branches,
            other => vec![other],
        };
        Group { name: None, policy: Arc::new(Strict), members }
    }
}

impl<F: IntoFlow> Shr<F> for Flow {
    type Output = Self;

    fn shr(self, next: F) -> Self {
        let mut steps = match self.shape {
            Shape::Sequence(steps) => steps,
            other => vec![other],
        };
        match next.into_flow().shape {
            Shape::Sequence(more) => steps.extend(more),
            other => steps.push(other),
        }
        Self { shape: Shape::Sequence(steps) }
    }
}

impl<F: IntoFlow> BitOr<F> for Flow {
    type Output = Self;

    fn bitor(self, other: F) -> Self {
        let mut branches = match self.shape {
            Shape::Branches(branches) => branches,
            other => vec![other],
        };
        match other.into_flow().shape {
            Shape::Branches(more) => branches.extend(more),
            other => branches.push(other),
        }
        Self { shape: Shape::Branches(branches) }
    }
}

impl<F: IntoFlow> Shr<F> for Group {
    type Output = Flow;

    fn shr(self, next: F) -> Flow {
        self.into_flow() >> next
    }
}

impl<F: IntoFlow> BitOr<F> for Group {
    type Output = Flow;

    fn bitor(self, other: F) -> Flow {
        self.into_flow() | other
    }
}

/// As it would be written.
impl fmt::Debug for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |shapes: &[Self], between: &str| {
            let parts: Vec<String> = shapes
                .iter()
                .map(|shape| match shape {
                    Self::Sequence(_) | Self::Branches(_) => format!("({shape:?})"),
                    _ => format!("{shape:?}"),
                })
                .collect();
            parts.join(between)
        };
        match self {
            Self::Task(node) => node.fmt(formatter),
            Self::Sequence(steps) => formatter.write_str(&join(steps, " >> ")),
            Self::Branches(branches) => formatter.write_str(&join(branches, " | ")),
            Self::Group { name, members, .. } => {
                write!(formatter, "{}({})", name.as_deref().unwrap_or("parallel"), join(members, " | "))
            }
        }
    }
}
