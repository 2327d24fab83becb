//! Typed names of values in a channel.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use graflow_model::limits::NAME_BYTES;
use serde::Serialize;

use crate::value::{Value, ValueType};

/// The name of a value in the channel, and its type.
///
/// A parameter of the same name finds the value.
///
/// ```
/// use graflow::Key;
/// const DAY: Key<String> = Key::new("day");
/// assert_eq!(DAY.name(), "day");
/// ```
pub struct Key<T> {
    name: &'static str,
    value_type: fn() -> &'static ValueType,
    marker: PhantomData<fn() -> T>,
}

/// A key without its type parameter: what `#[task(writes(…))]` tells the engine.
#[derive(Debug, Clone, Copy)]
pub struct KeyDeclaration {
    pub(crate) name: &'static str,
    pub(crate) value_type: &'static ValueType,
}

impl<T: Send + Sync + 'static> Key<T> {
    /// Names a value. A sink records its type and size.
    ///
    /// # Panics
    /// The name is empty or longer than 16 KiB; for a `const`, as it should be, that is an error of the compiler.
    pub const fn new(name: &'static str) -> Self {
        check(name);
        Self { name, value_type: ValueType::opaque::<T>, marker: PhantomData }
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    #[doc(hidden)]
    pub fn declaration(&self) -> KeyDeclaration {
        KeyDeclaration { name: self.name, value_type: (self.value_type)() }
    }

    pub(crate) fn value(&self, value: T) -> Value {
        self.shared_value(Arc::new(value))
    }

    pub(crate) fn shared_value(&self, value: Arc<T>) -> Value {
        Value::from_arc(value, (self.value_type)())
    }
}

impl<T: Serialize + Send + Sync + 'static> Key<T> {
    /// Names a value of which a sink records also the hash and, by its policy, the text.
    ///
    /// # Panics
    /// As [`Key::new`] does.
    pub const fn serializable(name: &'static str) -> Self {
        check(name);
        Self { name, value_type: ValueType::serializable::<T>, marker: PhantomData }
    }
}

const fn check(name: &str) {
    assert!(!name.is_empty(), "the name of a key cannot be empty");
    assert!(name.len() <= NAME_BYTES, "the name of a key has at most 16 KiB");
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key<{}>({:?})", std::any::type_name::<T>(), self.name)
    }
}
