//! A context that an engine works through, as far as each task needs it, and a parallel group.

use std::collections::VecDeque;
use std::sync::Arc;

use graflow_model::state::CauseKind;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyList, PyString};

use crate::run::Run;
use crate::words::{cause_kind_of, word_of};

/// What the hooks of every task look at. What is rare stands in the Python class made of this one.
#[pyclass(subclass, module = "graflow_lineage._native")]
pub(crate) struct Frame {
    pub(crate) run: Py<Run>,
    /// Keeps a task execution for the run's list.
    pub(crate) remember: Py<PyAny>,
    /// The task execution that runs, or the group.
    #[pyo3(get, set)]
    pub(crate) current: Option<Py<PyAny>>,
    /// What ended last: what is queued next is led to by it.
    #[pyo3(get, set)]
    pub(crate) last: Option<Py<PyAny>>,
    /// What was queued, in that order, which is mostly that in which it begins.
    pub(crate) pending: VecDeque<Queued>,
    pub(crate) next_kind: Option<CauseKind>,
    #[pyo3(get, set)]
    pub(crate) retrying: bool,
    /// Tasks that were queued, and that began.
    #[pyo3(get, set)]
    pub(crate) expected: u64,
    #[pyo3(get, set)]
    pub(crate) started: u64,
    /// The group that this branch belongs to, and the one that runs here.
    #[pyo3(get, set)]
    pub(crate) member_of: Option<Py<Group>>,
    #[pyo3(get, set)]
    pub(crate) group: Option<Py<Group>>,
    pub(crate) thread: Option<Arc<str>>,
    pub(crate) worker: Option<Arc<str>>,
    /// Key -> its last write, as far as this context sees.
    #[pyo3(get, set)]
    pub(crate) versions: Py<PyDict>,
    /// While it is not 0, what is read and written is graflow's own.
    #[pyo3(get, set)]
    pub(crate) muted: u32,
    #[pyo3(get, set)]
    pub(crate) resolving: bool,
}

/// A task that was queued, and what led to it.
pub(crate) struct Queued {
    pub(crate) task_id: Py<PyString>,
    pub(crate) kind: CauseKind,
    pub(crate) cause: Py<PyAny>,
}

/// A parallel group while it runs, and what its members were when it has ended.
#[pyclass(module = "graflow_lineage._native")]
pub(crate) struct Group {
    #[pyo3(get, name = "group_id")]
    pub(crate) id: Py<PyString>,
    #[pyo3(get)]
    cause_kind: Option<String>,
    #[pyo3(get, set)]
    pub(crate) cause: Option<Py<PyAny>>,
    #[pyo3(get, set)]
    pub(crate) member_ids: Py<PyFrozenSet>,
    #[pyo3(get, set)]
    pub(crate) members: Py<PyList>,
}

#[pymethods]
impl Frame {
    /// A frame of that run of the package's.
    #[new]
    #[pyo3(signature = (run, *_rest))]
    fn new(run: &Bound<'_, PyAny>, _rest: &Bound<'_, PyAny>) -> PyResult<Self> {
        let native = run.getattr("native")?.cast_into::<Run>()?;
        Ok(Self {
            run: native.unbind(),
            remember: run.getattr("tasks")?.getattr("append")?.unbind(),
            current: None,
            last: None,
            pending: VecDeque::new(),
            next_kind: None,
            retrying: false,
            expected: 0,
            started: 0,
            member_of: None,
            group: None,
            thread: None,
            worker: None,
            versions: PyDict::new(run.py()).unbind(),
            muted: 0,
            resolving: false,
        })
    }

    /// How what is queued next comes to be, where it is no successor.
    #[getter]
    fn next_kind(&self) -> Option<&'static str> {
        self.next_kind.map(word_of)
    }

    #[setter]
    fn set_next_kind(&mut self, word: Option<&str>) -> PyResult<()> {
        self.next_kind = word.map(cause_kind_of).transpose()?;
        Ok(())
    }

    /// The thread that a branch runs in.
    #[getter]
    fn thread(&self) -> Option<&str> {
        self.thread.as_deref()
    }

    #[setter]
    fn set_thread(&mut self, thread: Option<&str>) {
        self.thread = thread.map(Arc::from);
    }

    /// The worker that it runs on.
    #[getter]
    fn worker(&self) -> Option<&str> {
        self.worker.as_deref()
    }

    #[setter]
    fn set_worker(&mut self, worker: Option<&str>) {
        self.worker = worker.map(Arc::from);
    }
}

impl Frame {
    /// What led to that task, the earliest first.
    pub(crate) fn take_queued(&mut self, task_id: &Bound<'_, PyString>) -> Option<Queued> {
        let py = task_id.py();
        let is_it = |queued: &Queued| {
            let queued = queued.task_id.bind(py);
            queued.is(task_id) || queued.to_str().ok().is_some_and(|text| task_id.to_str().ok() == Some(text))
        };
        let at = self.pending.iter().position(is_it)?;
        self.pending.remove(at)
    }
}

#[pymethods]
impl Group {
    /// A group of that id, and what led to it.
    #[new]
    #[pyo3(signature = (group_id, cause_kind = None, cause = None))]
    pub(crate) fn new(
        group_id: Bound<'_, PyString>,
        cause_kind: Option<String>,
        cause: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let py = group_id.py();
        Ok(Self {
            cause_kind,
            cause,
            member_ids: PyFrozenSet::empty(py)?.unbind(),
            members: PyList::empty(py).unbind(),
            id: group_id.unbind(),
        })
    }
}
