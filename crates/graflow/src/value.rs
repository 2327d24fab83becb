//! Values as the engine holds them: shared, and without their type.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

/// A value that tasks share: a result, a channel key's value, an input.
///
/// Cloning it copies a pointer. What a sink records of it is computed by the sink, on the sink's own thread.
#[derive(Clone)]
pub struct Value {
    data: Arc<dyn Any + Send + Sync>,
    value_type: &'static ValueType,
}

/// What is known of a type without its name in the source: enough to check it, and to describe its values.
pub struct ValueType {
    pub(crate) type_id: fn() -> TypeId,
    pub(crate) name: fn() -> &'static str,
    pub(crate) shallow_size: usize,
    pub(crate) to_json: Option<ToJson>,
}

/// Serialises a value of one type; `None` when the value is of another type or refuses.
pub(crate) type ToJson = fn(&(dyn Any + Send + Sync)) -> Option<serde_json::Value>;

impl Value {
    /// A value of which a sink may record type and size.
    pub fn new<T: Send + Sync + 'static>(value: T) -> Self {
        Self::from_arc(Arc::new(value), ValueType::opaque::<T>())
    }

    /// A value of which a sink may record type, size, hash and, by its policy, the text.
    pub fn serializable<T: Serialize + Send + Sync + 'static>(value: T) -> Self {
        Self::from_arc(Arc::new(value), ValueType::serializable::<T>())
    }

    /// `value_type` must be the one of `T`: it is what the engine compares.
    pub(crate) fn from_arc<T: Send + Sync + 'static>(data: Arc<T>, value_type: &'static ValueType) -> Self {
        Self { data, value_type }
    }

    /// The value, if it is a `T`.
    pub fn downcast_ref<T: 'static>(&self) -> Option<&T> {
        self.data.downcast_ref()
    }

    /// The value, shared, if it is a `T`.
    pub fn downcast<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        Arc::clone(&self.data).downcast().ok()
    }

    /// The value itself, without a copy when nobody else holds it.
    pub(crate) fn into_arc<T: Send + Sync + 'static>(self) -> Option<Arc<T>> {
        self.data.downcast().ok()
    }

    /// The value's type.
    pub fn value_type(&self) -> &'static ValueType {
        self.value_type
    }

    /// The value as JSON, if its type can be serialised.
    pub fn to_json(&self) -> Option<serde_json::Value> {
        (self.value_type.to_json?)(&*self.data)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Value({})", self.value_type.name())
    }
}

impl ValueType {
    /// The type's name, as the compiler writes it.
    pub fn name(&self) -> &'static str {
        (self.name)()
    }

    /// Bytes of the value itself, without what it points to.
    pub fn shallow_size(&self) -> usize {
        self.shallow_size
    }

    pub(crate) fn id(&self) -> TypeId {
        (self.type_id)()
    }

    pub(crate) fn opaque<T: Send + Sync + 'static>() -> &'static Self {
        <Opaque<T> as Described>::TYPE
    }

    pub(crate) fn serializable<T: Serialize + Send + Sync + 'static>() -> &'static Self {
        <Serializable<T> as Described>::TYPE
    }
}

impl fmt::Debug for ValueType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ValueType({})", self.name())
    }
}

/// A constant a type, so that a reference to it lives for ever.
trait Described {
    const TYPE: &'static ValueType;
}

struct Opaque<T>(PhantomData<T>);
struct Serializable<T>(PhantomData<T>);

impl<T: Send + Sync + 'static> Described for Opaque<T> {
    const TYPE: &'static ValueType = &ValueType {
        type_id: TypeId::of::<T>,
        name: std::any::type_name::<T>,
        shallow_size: size_of::<T>(),
        to_json: None,
    };
}

impl<T: Serialize + Send + Sync + 'static> Described for Serializable<T> {
    const TYPE: &'static ValueType = &ValueType {
        type_id: TypeId::of::<T>,
        name: std::any::type_name::<T>,
        shallow_size: size_of::<T>(),
        to_json: Some(|data| serde_json::to_value(data.downcast_ref::<T>()?).ok()),
    };
}

/// Picks, where the type is spelled out, the description that says most: `(&Probe::<T>::new()).value_type()`
/// finds [`ViaSerialize`] first, and [`ViaAny`] one reference further, for what is not `Serialize`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    #[expect(clippy::new_without_default, reason = "only ever written by a macro")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

#[doc(hidden)]
pub trait ViaSerialize {
    fn value_type(&self) -> &'static ValueType;
}

#[doc(hidden)]
pub trait ViaAny {
    fn value_type(&self) -> &'static ValueType;
}

impl<T: Serialize + Send + Sync + 'static> ViaSerialize for Probe<T> {
    fn value_type(&self) -> &'static ValueType {
        ValueType::serializable::<T>()
    }
}

impl<T: Send + Sync + 'static> ViaAny for &Probe<T> {
    fn value_type(&self) -> &'static ValueType {
        ValueType::opaque::<T>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::needless_borrow, reason = "the reference is what finds the more special trait first")]
    fn the_macro_finds_out_whether_a_type_can_be_serialised() {
        struct Plain;
        assert!((&Probe::<u32>::new()).value_type().to_json.is_some());
        assert!((&Probe::<Plain>::new()).value_type().to_json.is_none());
        assert_eq!(Value::serializable(vec![1, 2]).to_json(), Some(serde_json::json!([1, 2])));
        assert_eq!(Value::new(vec![1, 2]).to_json(), None);
    }
}
