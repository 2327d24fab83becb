//! Tasks as values: the handle that `extract()` gives, without its type.

use std::fmt;
use std::sync::Arc;

use super::TaskSpec;
use crate::value::Value;

/// A handle of a task: what `#[task] fn extract` gives as `extract()`.
pub trait Task: Sized {
    /// The type of its result.
    type Output: Send + Sync + 'static;

    #[doc(hidden)]
    fn node(&self) -> &TaskNode;

    #[doc(hidden)]
    fn into_node(self) -> TaskNode;

    /// The id that the workflow knows it by.
    fn id(&self) -> &str {
        self.node().id()
    }
}

/// Names a task: a handle, or its id as text.
pub trait TaskRef {
    #[doc(hidden)]
    fn into_task_id(self) -> Arc<str>;
}

impl<T: Task> TaskRef for T {
    fn into_task_id(self) -> Arc<str> {
        self.into_node().shared_id()
    }
}

impl TaskRef for &str {
    fn into_task_id(self) -> Arc<str> {
        self.into()
    }
}

impl TaskRef for String {
    fn into_task_id(self) -> Arc<str> {
        self.into()
    }
}

/// A use of a task in a flow: its description, its id, and the values bound to it.
#[doc(hidden)]
#[derive(Clone)]
pub struct TaskNode {
    pub(crate) spec: &'static TaskSpec,
    name: Option<Arc<str>>,
    pub(crate) bound: Vec<(u16, Value)>,
}

impl TaskNode {
    pub fn new(spec: &'static TaskSpec) -> Self {
        Self { spec, name: None, bound: Vec::new() }
    }

    pub fn rename(&mut self, id: String) {
        self.name = Some(id.into());
    }

    pub fn bind(&mut self, parameter: u16, value: Value) {
        self.bound.retain(|(bound, _)| *bound != parameter);
        self.bound.push((parameter, value));
    }

    pub(crate) fn id(&self) -> &str {
        self.name.as_deref().unwrap_or(self.spec.name)
    }

    pub(crate) fn shared_id(&self) -> Arc<str> {
        self.name.clone().unwrap_or_else(|| self.spec.name.into())
    }

    /// The value bound to a parameter.
    pub(crate) fn bound(&self, parameter: usize) -> Option<&Value> {
        self.bound.iter().find(|(bound, _)| usize::from(*bound) == parameter).map(|(_, value)| value)
    }
}

impl fmt::Debug for TaskNode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.id())
    }
}
