//! The native core of the Python package `graflow_lineage`, imported there as `graflow_lineage._native`.
//!
//! The package's hooks say what graflow does; this crate takes down what they say while it holds the interpreter's
//! lock, and numbers, hashes, encodes, spools and sends it on a thread that never does. Start at [`hooks`], which
//! they call for every task, and [`recorder`], which owns the producer. No decision about graflow's meaning is taken here.

mod capture;
mod describe;
mod frame;
mod graph;
mod hooks;
mod json;
mod record;
mod recorder;
mod run;
mod task;
mod translate;
mod words;

use pyo3::prelude::*;
use pyo3::types::PyModule;

/// The native core of graflow-lineage.
#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<run::Run>()?;
    module.add_class::<task::TaskExecution>()?;
    module.add_class::<task::Write>()?;
    module.add_class::<json::Prepared>()?;
    module.add_class::<frame::Frame>()?;
    module.add_class::<frame::Group>()?;
    hooks::register(module)?;
    recorder::register(module)?;
    capture::register(module)
}
