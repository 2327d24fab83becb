//! What `#[task]` writes refers to. Not for people.

pub use crate::task::{
    Attempted, Body, Held, HeldText, Inputs, Outcome, Parameter, ParameterKind, TaskNode, TaskSpec, type_of,
};
pub use crate::value::{Probe, Value, ValueType, ViaAny, ViaSerialize};

use crate::error::TaskError;

/// The description of a type that is spelled out; says whether it can be serialised.
#[macro_export]
#[doc(hidden)]
macro_rules! __value_type {
    ($type:ty) => {{
        #[allow(unused_imports, reason = "one of the two is used")]
        use $crate::macro_support::{ViaAny as _, ViaSerialize as _};
        (&$crate::macro_support::Probe::<$type>::new()).value_type()
    }};
}

/// A value of a type that is spelled out.
#[macro_export]
#[doc(hidden)]
macro_rules! __value_of {
    ($type:ty, $arc:expr) => {
        $crate::macro_support::value_of_type::<$type>($arc, $crate::macro_support::value_type!($type))
    };
}

/// The error of a task, whether it is an error, a `TaskError`, or something that can only be displayed.
#[macro_export]
#[doc(hidden)]
macro_rules! __task_error {
    ($error:expr) => {{
        #[allow(unused_imports, reason = "one of the two is used")]
        use $crate::macro_support::{ViaDisplay as _, ViaInto as _};
        let error = $error;
        (&error).task_error_kind().task_error(error)
    }};
}

pub use crate::{__task_error as task_error, __value_of as value_of, __value_type as value_type};

/// The value of a setter.
pub fn value_of_type<T: Send + Sync + 'static>(
    arc: std::sync::Arc<T>,
    value_type: &'static ValueType,
) -> Value {
    Value::from_arc(arc, value_type)
}

/// Found for whatever turns into a [`TaskError`].
pub trait ViaInto: Sized {
    fn task_error_kind(&self) -> IntoKind {
        IntoKind
    }
}

impl<E: Into<TaskError>> ViaInto for E {}

/// Found one reference further, for what can only be displayed, such as a `String`.
pub trait ViaDisplay: Sized {
    fn task_error_kind(&self) -> DisplayKind {
        DisplayKind
    }
}

impl<E: std::fmt::Display + ?Sized> ViaDisplay for &E {}

#[derive(Debug)]
pub struct IntoKind;

#[derive(Debug)]
pub struct DisplayKind;

impl IntoKind {
    pub fn task_error<E: Into<TaskError>>(self, error: E) -> TaskError {
        error.into()
    }
}

impl DisplayKind {
    pub fn task_error<E: std::fmt::Display>(self, error: E) -> TaskError {
        TaskError::displayed(&error)
    }
}
