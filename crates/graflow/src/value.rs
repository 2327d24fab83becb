//! Values as the engine holds them: shared, and without their type.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use graflow_model::value::{Described, ValuePolicy, describe};
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
    shallow_size: usize,
    pub(crate) describe: Option<Describe>,
}

/// Describes a value of one type; `None` when the value is of another type.
pub(crate) type Describe = fn(&(dyn Any + Send + Sync), ValuePolicy) -> Option<Described>;

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

    /// The value, when nobody else holds it and it is a `T`.
    pub(crate) fn get_mut<T: 'static>(&mut self) -> Option<&mut T> {
        Arc::get_mut(&mut self.data)?.downcast_mut()
    }

    /// The value itself, without a copy when nobody else holds it.
    pub(crate) fn into_arc<T: Send + Sync + 'static>(self) -> Option<Arc<T>> {
        self.data.downcast().ok()
    }

    /// The value's type.
    pub fn value_type(&self) -> &'static ValueType {
        self.value_type
    }

    /// What a sink may tell of the value. Of a type that is not known to be `Serialize`, type and size alone.
    pub fn describe(&self, policy: ValuePolicy) -> Described {
        if policy == ValuePolicy::Off {
            return Described::default();
        }
        let known = self.value_type.describe.and_then(|describe| {
            // `Serialize` may be the user's own code, and this the thread that tells of every workflow.
            catch_unwind(AssertUnwindSafe(|| describe(&*self.data, policy)))
                .unwrap_or_else(|_| Some(self.undescribed("panicked")))
        });
        known
            .or_else(|| describe_plain(&*self.data, policy))
            .unwrap_or_else(|| self.undescribed("not_serializable"))
    }

    fn undescribed(&self, reason: &str) -> Described {
        Described {
            size: u64::try_from(self.value_type.shallow_size).ok(),
            hash: Some(format!("hash_skipped:{reason}")),
            preview: None,
        }
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

    pub(crate) fn id(&self) -> TypeId {
        (self.type_id)()
    }

    pub(crate) fn opaque<T: Send + Sync + 'static>() -> &'static Self {
        <Opaque<T> as Typed>::TYPE
    }

    pub(crate) fn serializable<T: Serialize + Send + Sync + 'static>() -> &'static Self {
        <Serializable<T> as Typed>::TYPE
    }
}

impl fmt::Debug for ValueType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ValueType({})", self.name())
    }
}

/// A constant a type, so that a reference to it lives for ever.
trait Typed {
    const TYPE: &'static ValueType;
}

struct Opaque<T>(PhantomData<T>);
struct Serializable<T>(PhantomData<T>);

impl<T: Send + Sync + 'static> Typed for Opaque<T> {
    const TYPE: &'static ValueType = &ValueType {
        type_id: TypeId::of::<T>,
        name: std::any::type_name::<T>,
        shallow_size: size_of::<T>(),
        describe: None,
    };
}

impl<T: Serialize + Send + Sync + 'static> Typed for Serializable<T> {
    const TYPE: &'static ValueType = &ValueType {
        type_id: TypeId::of::<T>,
        name: std::any::type_name::<T>,
        shallow_size: size_of::<T>(),
        describe: Some(|data, policy| Some(describe(data.downcast_ref::<T>()?, policy))),
    };
}

/// Types so common that a key or a setter need not say that they are `Serialize`.
fn describe_plain(data: &(dyn Any + Send + Sync), policy: ValuePolicy) -> Option<Described> {
    macro_rules! first_of {
        ($($type:ty),*) => {$(
            if let Some(value) = data.downcast_ref::<$type>() {
                return Some(describe(value, policy));
            }
        )*};
    }
    first_of!(String, &'static str, bool, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64, ());
    first_of!(Vec<String>, Vec<u8>, Vec<u32>, Vec<u64>, Vec<i32>, Vec<i64>, Vec<f64>, serde_json::Value);
    None
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
        assert!((&Probe::<u32>::new()).value_type().describe.is_some());
        assert!((&Probe::<Plain>::new()).value_type().describe.is_none());
    }

    #[test]
    fn a_serialize_that_panics_harms_nobody() {
        struct Panics;
        impl Serialize for Panics {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                panic!("as told")
            }
        }
        let described = Value::serializable(Panics).describe(ValuePolicy::Preview);
        assert_eq!(described.hash.as_deref(), Some("hash_skipped:panicked"));
    }

    #[test]
    fn common_types_are_described_without_being_serialisable_by_name() {
        let shown = |value: Value| value.describe(ValuePolicy::Preview).preview;
        assert_eq!(shown(Value::new("text".to_owned())), Some("text".into()));
        assert_eq!(shown(Value::new(7_u32)), Some(7.into()));
        assert_eq!(shown(Value::new(vec![1_u8; 3])), Some(serde_json::json!([1, 1, 1])));
        assert_eq!(shown(Value::new(std::time::Duration::ZERO)), None);
        let hash = |value: Value| value.describe(ValuePolicy::Metadata).hash;
        assert_eq!(hash(Value::new(7_u32)), hash(Value::serializable(7_i64)));
    }
}
