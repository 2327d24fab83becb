//! What is taken of a value on the thread that has it: enough to hash it and to show it later, elsewhere.
//!
//! A value of plain parts is written as the canonical encoding of `graflow_model::value::hash`, but for the order of
//! what has none of its own; the sending thread puts that in order. Nothing here calls code of the value: no `repr`,
//! no `len`, no `==`, no pickling. What is not made of plain parts is told by its type.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use graflow_model::value::{Described, ValuePolicy, hash};
use pyo3::PyTypeInfo as _;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMemoryView, PyModule, PySet,
    PyString, PyTuple, PyType,
};

/// Most parts of a value that are written: what more costs is more than a workflow's thread may be asked for.
const MOST_PARTS: u32 = 600;
/// Longest encoding with the policy `full`; what is longer does not fit into an event.
const FULL_BYTES: usize = 512 * 1024;
/// Deepest nesting, as in the canonical encoding.
const DEEPEST: u32 = 128;
/// A buffer that is longer than what is hashed is hashed by so many blocks of so many bytes.
const BLOCKS: usize = 16;
const BLOCK_BYTES: usize = 256;

/// What was taken of a value.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) value_type: Cow<'static, str>,
    pub(crate) policy: ValuePolicy,
    /// Until it is described: a write is remembered for as long as its key may be read.
    body: Mutex<Body>,
    /// Made once, on the sending thread, however many events speak of the value.
    pub(crate) described: OnceLock<Described>,
}

#[derive(Debug)]
pub(crate) enum Body {
    /// By the policy, nothing.
    Nothing,
    /// The encoding, maps and sets in an order of their own.
    Encoded { bytes: Vec<u8>, unordered: bool },
    /// Length and blocks of a buffer.
    Sampled { length: u64, blocks: Vec<u8> },
    /// Why there is no hash.
    Skipped(&'static str),
}

impl Captured {
    /// Takes of a value what the policy says.
    pub(crate) fn of(value: &Bound<'_, PyAny>, policy: ValuePolicy) -> Self {
        let mut value_type = type_name(value);
        let body =
            if policy == ValuePolicy::Off { Body::Nothing } else { body(value, policy, &mut value_type) };
        Self { value_type, policy, body: Mutex::new(body), described: OnceLock::new() }
    }

    /// What was taken, which then is no longer here.
    pub(crate) fn take_body(&self) -> Body {
        std::mem::replace(&mut *self.lock(), Body::Nothing)
    }

    /// Bytes of the value, where they are told.
    pub(crate) fn size(&self) -> Option<u64> {
        if let Some(described) = self.described.get() {
            return described.size;
        }
        match &*self.lock() {
            Body::Encoded { bytes, .. } => Some(bytes.len() as u64),
            Body::Sampled { length, .. } => Some(*length),
            Body::Nothing | Body::Skipped(_) => None,
        }
    }

    /// Bytes that it holds, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.value_type.len()
            + match &*self.lock() {
                Body::Encoded { bytes, .. } => bytes.capacity(),
                Body::Sampled { blocks, .. } => blocks.capacity(),
                Body::Nothing | Body::Skipped(_) => 0,
            }
    }

    fn lock(&self) -> MutexGuard<'_, Body> {
        // Nothing panics while it holds it.
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn body(value: &Bound<'_, PyAny>, policy: ValuePolicy, value_type: &mut Cow<'static, str>) -> Body {
    if let Ok(bytes) = value.cast::<PyBytes>()
        && bytes.as_bytes().len() > hash::HASHED_BYTES - 16
    {
        return sampled(bytes.as_bytes().len(), |at, until| Some(bytes.as_bytes().get(at..until)?.to_vec()));
    }
    let longest = if policy == ValuePolicy::Full { FULL_BYTES } else { hash::HASHED_BYTES };
    let mut encoder =
        Encoder { bytes: Vec::with_capacity(64), longest, parts_left: MOST_PARTS, unordered: false };
    match encoder.put(value, 0) {
        Ok(()) => Body::Encoded { bytes: encoder.bytes, unordered: encoder.unordered },
        Err(NOT_SERIALIZABLE) => buffer(value, value_type).unwrap_or(Body::Skipped(NOT_SERIALIZABLE)),
        Err(reason) => Body::Skipped(reason),
    }
}

const TOO_LARGE: &str = "hash_skipped:too_large";
const TOO_DEEP: &str = "hash_skipped:too_deep";
const NOT_SERIALIZABLE: &str = "hash_skipped:not_serializable";

struct Encoder {
    bytes: Vec<u8>,
    longest: usize,
    parts_left: u32,
    unordered: bool,
}

impl Encoder {
    fn put(&mut self, value: &Bound<'_, PyAny>, depth: u32) -> Result<(), &'static str> {
        self.parts_left = self.parts_left.checked_sub(1).ok_or(TOO_LARGE)?;
        if value.is_none() {
            self.push(b"n")
        } else if let Ok(text) = value.cast::<PyString>() {
            // Lone surrogates have no UTF-8.
            self.long(b's', text.to_str().map_err(|_| NOT_SERIALIZABLE)?.as_bytes())
        } else if let Ok(value) = value.cast::<PyBool>() {
            self.push(if value.is_true() { b"t" } else { b"f" })
        } else if let Ok(integer) = value.cast::<PyInt>() {
            self.integer(integer)
        } else if let Ok(float) = value.cast::<PyFloat>() {
            self.float(float.value())
        } else if let Ok(map) = value.cast::<PyDict>() {
            self.map(map, depth)
        } else if let Ok(list) = value.cast::<PyList>() {
            self.list(list.iter(), depth)
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            self.list(tuple.iter(), depth)
        } else if let Ok(bytes) = value.cast::<PyBytes>() {
            self.long(b'b', bytes.as_bytes())
        } else if let Ok(set) = value.cast_exact::<PySet>() {
            self.set(set.iter(), depth)
        } else if let Ok(set) = value.cast_exact::<PyFrozenSet>() {
            self.set(set.iter(), depth)
        } else {
            Err(NOT_SERIALIZABLE)
        }
    }

    fn integer(&mut self, integer: &Bound<'_, PyInt>) -> Result<(), &'static str> {
        self.push(b"i")?;
        if let Ok(small) = integer.extract::<i64>() {
            self.push(small.to_string().as_bytes())?;
        } else {
            // Only `int` itself: a subclass writes itself as it likes. Python refuses thousands of digits.
            let text = integer.cast_exact::<PyInt>().ok().and_then(|integer| integer.str().ok());
            self.push(text.ok_or(TOO_LARGE)?.to_str().map_err(|_| TOO_LARGE)?.as_bytes())?;
        }
        self.push(b";")
    }

    fn float(&mut self, float: f64) -> Result<(), &'static str> {
        // Adding zero takes `-0.0` to `0.0`.
        let bits = if float.is_nan() { 0x7ff8_0000_0000_0000 } else { (float + 0.0).to_bits() };
        self.push(b"d")?;
        self.push(&bits.to_be_bytes())
    }

    fn list<'py>(
        &mut self,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
        depth: u32,
    ) -> Result<(), &'static str> {
        let depth = deeper(depth)?;
        self.push(b"l")?;
        for item in items {
            self.put(&item, depth)?;
        }
        self.push(b"e")
    }

    fn set<'py>(
        &mut self,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
        depth: u32,
    ) -> Result<(), &'static str> {
        let depth = deeper(depth)?;
        self.unordered = true;
        self.push(b"u")?;
        for item in items {
            self.put(&item, depth)?;
        }
        self.push(b"e")
    }

    fn map(&mut self, map: &Bound<'_, PyDict>, depth: u32) -> Result<(), &'static str> {
        let depth = deeper(depth)?;
        self.unordered |= map.len() > 1;
        self.push(b"m")?;
        for (key, value) in map.iter() {
            self.put(&key, depth)?;
            self.put(&value, depth)?;
        }
        self.push(b"e")
    }

    fn long(&mut self, tag: u8, content: &[u8]) -> Result<(), &'static str> {
        if content.len() > self.longest {
            return Err(TOO_LARGE);
        }
        self.push(&[tag])?;
        self.push(content.len().to_string().as_bytes())?;
        self.push(b":")?;
        self.push(content)
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        if self.bytes.len() + bytes.len() > self.longest {
            return Err(TOO_LARGE);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

fn deeper(depth: u32) -> Result<u32, &'static str> {
    if depth < DEEPEST { Ok(depth + 1) } else { Err(TOO_DEEP) }
}

/// Buffers and frames of libraries whose attributes are known to be cheap and to be no code of the user's.
fn buffer(value: &Bound<'_, PyAny>, value_type: &mut Cow<'static, str>) -> Option<Body> {
    let library = library(&value.get_type())?;
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        let bytes = bytes.to_vec();
        return Some(sampled(bytes.len(), |at, until| Some(bytes.get(at..until)?.to_vec())));
    }
    match library.as_str() {
        "builtins" | "array" | "numpy" | "pyarrow" => {
            if let Ok(shape) = value.getattr("shape")
                && let Ok(shape) = shape.str()
            {
                value_type.to_mut().push_str(&shape.to_string_lossy());
            }
            let view = PyMemoryView::from(value).ok()?;
            let length: usize = view.getattr("nbytes").ok()?.extract().ok()?;
            let flat = view.call_method1("cast", ("B",)).ok()?;
            Some(sampled(length, |at, until| {
                let slice = pyo3::types::PySlice::new(
                    value.py(),
                    isize::try_from(at).ok()?,
                    isize::try_from(until).ok()?,
                    1,
                );
                flat.get_item(slice).ok()?.call_method0("tobytes").ok()?.extract().ok()
            }))
        }
        "pandas" | "polars" => {
            let shape = value.getattr("shape").ok()?.str().ok()?;
            value_type.to_mut().push_str(&shape.to_string_lossy());
            None
        }
        _ => None,
    }
}

/// Length and blocks, evenly spread, the first and the last among them.
fn sampled(length: usize, block: impl Fn(usize, usize) -> Option<Vec<u8>>) -> Body {
    let mut blocks = Vec::new();
    if length <= BLOCKS * BLOCK_BYTES {
        blocks.extend(block(0, length).unwrap_or_default());
    } else {
        let room = length - BLOCK_BYTES;
        for number in 0..BLOCKS {
            let at = room / (BLOCKS - 1) * number + (room % (BLOCKS - 1)) * number / (BLOCKS - 1);
            match block(at, at + BLOCK_BYTES) {
                Some(bytes) => blocks.extend(bytes),
                None => return Body::Skipped(NOT_SERIALIZABLE),
            }
        }
    }
    Body::Sampled { length: length as u64, blocks }
}

/// The top-level package that a type comes from.
fn library(class: &Bound<'_, PyType>) -> Option<String> {
    let module = class.module().ok()?;
    let module = module.to_string_lossy();
    Some(module.split('.').next().unwrap_or_default().to_owned())
}

/// The name of the value's type; those that are most frequent cost nothing.
fn type_name(value: &Bound<'_, PyAny>) -> Cow<'static, str> {
    if value.is_none() {
        return "NoneType".into();
    }
    let class = value.get_type();
    if class.is(PyString::type_object(value.py())) {
        return "str".into();
    }
    class.name().map_or(Cow::Borrowed("object"), |name| Cow::Owned(name.to_string_lossy().into_owned()))
}

/// Adds what this file offers to Python.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(capture, module)?)?;
    module.add_function(wrap_pyfunction!(describe, module)?)
}

/// Takes of a value what a write takes of it on the thread that writes, and gives the bytes held: for measuring.
#[pyfunction]
#[pyo3(signature = (value, policy = "metadata"))]
fn capture(value: &Bound<'_, PyAny>, policy: &str) -> PyResult<usize> {
    let policy =
        policy.parse().map_err(|error| pyo3::exceptions::PyValueError::new_err(format!("{error}")))?;
    Ok(Captured::of(value, policy).bytes())
}

/// Type, size, hash and preview.
type Told = (String, Option<u64>, Option<String>, Option<String>);

/// What would be recorded of a value: `(type, size, hash, preview as JSON)`.
#[pyfunction]
#[pyo3(signature = (value, policy = "metadata"))]
fn describe(value: &Bound<'_, PyAny>, policy: &str) -> PyResult<Told> {
    let policy =
        policy.parse().map_err(|error| pyo3::exceptions::PyValueError::new_err(format!("{error}")))?;
    let captured = Captured::of(value, policy);
    let described = captured.described().clone();
    let preview = described.preview.map(|preview| preview.to_string());
    Ok((captured.value_type.into_owned(), described.size, described.hash, preview))
}
