//! What is known of a task before it runs: one static a `#[task]`.

use std::any::TypeId;
use std::fmt;
use std::time::Duration;

use super::next::Body;
use super::{Inputs, RetryPolicy};
use crate::key::KeyDeclaration;
use crate::value::ValueType;

/// The description of a task, written by `#[task]`.
#[doc(hidden)]
pub struct TaskSpec {
    pub name: &'static str,
    pub function: &'static str,
    pub doc: &'static str,
    pub file: &'static str,
    pub line: u32,
    pub parameters: &'static [Parameter],
    pub written_output: &'static str,
    pub output: fn() -> &'static ValueType,
    pub is_async: bool,
    pub wants_context: bool,
    pub track_lineage: bool,
    pub retry: Option<RetryPolicy>,
    pub max_cycles: Option<u32>,
    pub timeout: Option<Duration>,
    pub writes: fn() -> Vec<KeyDeclaration>,
    pub run: fn(Inputs) -> Body,
}

impl fmt::Debug for TaskSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TaskSpec({} at {}:{})", self.function, self.file, self.line)
    }
}

/// A parameter that the engine fills.
#[doc(hidden)]
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    /// The type, as written.
    pub written: &'static str,
    pub kind: ParameterKind,
    /// The types that a stored value may have.
    pub accepts: &'static [fn() -> ParameterType],
}

/// Where a parameter's value comes from.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A bound value, a result or a channel key; there must be one.
    Required,
    /// The same, `None` where there is none.
    Optional,
    /// A resource, by its type.
    Resource,
    /// The results of a group, by the group's name.
    Members,
    /// The value of the previous pass.
    Iteration,
}

/// A type that can be compared and named.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ParameterType {
    pub id: TypeId,
    pub name: &'static str,
}

/// Describes `T`.
#[doc(hidden)]
pub fn type_of<T: 'static>() -> ParameterType {
    ParameterType { id: TypeId::of::<T>(), name: std::any::type_name::<T>() }
}

impl Parameter {
    /// Whether a value of this type can be handed over.
    pub(crate) fn takes(&self, value_type: &ValueType) -> bool {
        let id = value_type.id();
        self.accepts.iter().any(|accepted| accepted().id == id)
    }
}
