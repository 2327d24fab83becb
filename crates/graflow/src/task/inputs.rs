//! What a body is given: the values that the engine found for its parameters.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use graflow_model::TaskStatus;

use crate::context::TaskContext;
use crate::error::TaskError;
use crate::value::Value;

/// A resource: something that the program gave to `.resource(…)`, found by its type.
pub struct Res<T>(Arc<T>);

impl<T> Res<T> {
    pub(crate) fn shared(resource: Arc<T>) -> Self {
        Self(resource)
    }
}

impl<T> Deref for Res<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for Res<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Res<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// So that a test may call a body: `extract::call(day, Res::from(shop))`.
impl<T> From<T> for Res<T> {
    fn from(resource: T) -> Self {
        Self(Arc::new(resource))
    }
}

impl<T> From<Res<T>> for Arc<T> {
    fn from(resource: Res<T>) -> Self {
        resource.0
    }
}

/// The results of a parallel group, in the order of its members, failures included.
pub struct Members<T> {
    record: Arc<MembersRecord>,
    marker: PhantomData<fn() -> T>,
}

/// What became of one member of a group.
#[derive(Debug)]
pub struct Member<'a, T> {
    /// The member's task; of a flow, its last.
    pub task_id: &'a str,
    /// Where it stands.
    pub status: TaskStatus,
    /// Its result, when it completed.
    pub result: Option<&'a T>,
    /// Why it failed.
    pub error: Option<&'a str>,
}

/// What a group leaves behind, without its type.
#[derive(Debug, Default)]
pub(crate) struct MembersRecord {
    pub(crate) members: Vec<MemberRecord>,
}

#[derive(Debug, Clone)]
pub(crate) struct MemberRecord {
    pub(crate) task_id: Arc<str>,
    pub(crate) status: TaskStatus,
    pub(crate) result: Option<Value>,
    pub(crate) error: Option<String>,
}

impl<T: 'static> Members<T> {
    /// All members.
    pub fn iter(&self) -> impl Iterator<Item = Member<'_, T>> {
        self.record.members.iter().map(|member| Member {
            task_id: &member.task_id,
            status: member.status,
            result: member.result.as_ref().and_then(Value::downcast_ref),
            error: member.error.as_deref(),
        })
    }

    /// The results of the members that completed.
    pub fn completed(&self) -> impl Iterator<Item = &T> {
        self.iter().filter_map(|member| member.result)
    }

    /// The members that failed, each with its error.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter_map(|member| Some((member.task_id, member.error?)))
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.record.members.len()
    }

    /// Whether the group has no member.
    pub fn is_empty(&self) -> bool {
        self.record.members.is_empty()
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Members<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// So that a test may call a body: every member completed.
impl<T: Send + Sync + 'static> FromIterator<T> for Members<T> {
    fn from_iter<I: IntoIterator<Item = T>>(results: I) -> Self {
        let members = results.into_iter().enumerate().map(|(index, result)| MemberRecord {
            task_id: index.to_string().into(),
            status: TaskStatus::Completed,
            result: Some(Value::new(result)),
            error: None,
        });
        Self { record: Arc::new(MembersRecord { members: members.collect() }), marker: PhantomData }
    }
}

/// The values that the engine found, one a parameter; each is taken once.
#[doc(hidden)]
#[derive(Debug)]
pub struct Inputs {
    context: TaskContext,
    values: Vec<Option<Value>>,
}

impl Inputs {
    pub(crate) fn new(context: TaskContext, values: Vec<Option<Value>>) -> Self {
        Self { context, values }
    }

    pub fn context(&self) -> TaskContext {
        self.context.clone()
    }

    fn take(&mut self, slot: usize) -> Option<Value> {
        self.values.get_mut(slot).and_then(Option::take)
    }

    fn needed(&mut self, slot: usize) -> Result<Value, TaskError> {
        self.take(slot).ok_or_else(|| TaskError::parameter(format!("parameter {slot} has no value")))
    }

    pub fn required<T: Send + Sync + 'static>(&mut self, slot: usize) -> Result<Arc<T>, TaskError> {
        let value = self.needed(slot)?;
        value.downcast().ok_or_else(|| mismatch::<T>(slot, value.value_type().name()))
    }

    pub fn optional<T: Send + Sync + 'static>(&mut self, slot: usize) -> Result<Held<T>, TaskError> {
        let Some(value) = self.take(slot) else { return Ok(Held::Nothing) };
        match (value.downcast(), value.downcast()) {
            (Some(whole), _) => Ok(Held::Whole(whole)),
            (None, Some(option)) => Ok(Held::Option(option)),
            (None, None) => Err(mismatch::<T>(slot, value.value_type().name())),
        }
    }

    pub fn text(&mut self, slot: usize) -> Result<HeldText, TaskError> {
        let value = self.needed(slot)?;
        HeldText::from_value(&value).ok_or_else(|| mismatch::<String>(slot, value.value_type().name()))
    }

    pub fn optional_text(&mut self, slot: usize) -> Result<Option<HeldText>, TaskError> {
        let Some(value) = self.take(slot) else { return Ok(None) };
        HeldText::from_value(&value)
            .map(Some)
            .ok_or_else(|| mismatch::<String>(slot, value.value_type().name()))
    }

    pub fn resource<T: Send + Sync + 'static>(&mut self, slot: usize) -> Result<Res<T>, TaskError> {
        self.required(slot).map(Res)
    }

    pub fn members<T>(&mut self, slot: usize) -> Result<Members<T>, TaskError> {
        self.required(slot).map(|record| Members { record, marker: PhantomData })
    }

    pub fn iteration<T: Clone + Send + Sync + 'static>(
        &mut self,
        slot: usize,
    ) -> Result<Option<T>, TaskError> {
        let Some(value) = self.take(slot) else { return Ok(None) };
        let found = value.value_type().name();
        let shared = value.into_arc::<T>().ok_or_else(|| mismatch::<T>(slot, found))?;
        Ok(Some(Arc::unwrap_or_clone(shared)))
    }
}

fn mismatch<T>(slot: usize, found: &str) -> TaskError {
    let expected = type_name::<T>();
    TaskError::parameter(format!("parameter {slot} wants {expected}, and there is {found}"))
}

/// What fills an optional parameter: nothing, a `T`, or a result that is itself an `Option<T>`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Held<T> {
    Nothing,
    Whole(Arc<T>),
    Option(Arc<Option<T>>),
}

impl<T> Held<T> {
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Nothing => None,
            Self::Whole(value) => Some(value),
            Self::Option(option) => option.as_ref().as_ref(),
        }
    }

    pub fn shared(self) -> Option<Arc<T>> {
        match self {
            Self::Whole(value) => Some(value),
            _ => None,
        }
    }
}

/// What fills a `&str`.
#[doc(hidden)]
#[derive(Debug)]
pub enum HeldText {
    Owned(Arc<String>),
    Static(&'static str),
}

impl HeldText {
    fn from_value(value: &Value) -> Option<Self> {
        match value.downcast_ref::<&'static str>() {
            Some(text) => Some(Self::Static(text)),
            None => value.downcast().map(Self::Owned),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Owned(text) => text,
            Self::Static(text) => text,
        }
    }
}
