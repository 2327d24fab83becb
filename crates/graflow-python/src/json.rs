//! Plain Python data as JSON, for what is rare enough to be told that way.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Plain data that is told again and again, written out once.
#[pyclass(frozen, module = "graflow_lineage._native")]
pub(crate) struct Prepared(String);

#[pymethods]
impl Prepared {
    /// Writes it out.
    #[new]
    fn new(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(value_of(data)?.to_string()))
    }
}

/// An object as JSON text; entries that are `None` are left out.
pub(crate) fn object(data: &Bound<'_, PyDict>) -> PyResult<Box<RawValue>> {
    let mut text = String::from("{");
    for (key, value) in data.iter() {
        if value.is_none() {
            continue;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&Value::from(key.extract::<String>()?).to_string());
        text.push(':');
        match value.cast::<Prepared>() {
            Ok(prepared) => text.push_str(&prepared.get().0),
            Err(_) => text.push_str(&value_of(&value)?.to_string()),
        }
    }
    text.push('}');
    RawValue::from_string(text).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// `None`, booleans, numbers, text, and lists, tuples and dictionaries of them.
fn value_of(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    Ok(if value.is_none() {
        Value::Null
    } else if let Ok(text) = value.cast::<PyString>() {
        text.to_string_lossy().into_owned().into()
    } else if let Ok(value) = value.cast::<PyBool>() {
        value.is_true().into()
    } else if let Ok(integer) = value.cast::<PyInt>() {
        integer.extract::<i64>()?.into()
    } else if let Ok(float) = value.cast::<PyFloat>() {
        float.value().into()
    } else if let Ok(list) = value.cast::<PyList>() {
        Value::Array(list.iter().map(|item| value_of(&item)).collect::<PyResult<_>>()?)
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        Value::Array(tuple.iter().map(|item| value_of(&item)).collect::<PyResult<_>>()?)
    } else if let Ok(map) = value.cast::<PyDict>() {
        let mut fields = Map::new();
        for (key, value) in map.iter() {
            fields.insert(key.extract()?, value_of(&value)?);
        }
        Value::Object(fields)
    } else {
        return Err(PyValueError::new_err("only plain data can be written as JSON"));
    })
}
