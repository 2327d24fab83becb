//! What the hooks call for every task: which are few calls, since each costs.
//!
//! Nothing in here raises: what goes wrong is counted, and the workflow runs as if nobody looked on. No frame is held
//! borrowed while Python code runs.

use graflow_model::TaskId;
use graflow_model::state::CauseKind;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyModule, PyString, PyTuple};

use crate::frame::{Frame, Group, Queued};
use crate::record::Causes;
use crate::run::{Run, Whereabouts, causes_of};
use crate::task::{TaskExecution, Write};
use crate::words::{policy_of, word_of};

const RESULT: &str = ".__result__";

/// Where the rare is decided, in Python.
const RARE: &str = "graflow_lineage._attempts";

/// Id of a context, or of its channel -> its frame, while an engine works through it.
static FRAMES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
static CHANNELS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
/// Who wants to be told of what happens in this process.
static LISTENERS: PyOnceLock<Py<PyList>> = PyOnceLock::new();

/// Adds what this file offers to Python.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("frames", FRAMES.get_or_init(py, || PyDict::new(py).unbind()))?;
    module.add("channels", CHANNELS.get_or_init(py, || PyDict::new(py).unbind()))?;
    module.add("listeners", LISTENERS.get_or_init(py, || PyList::empty(py).unbind()))?;
    module.add_function(wrap_pyfunction!(begin, module)?)?;
    module.add_function(wrap_pyfunction!(end, module)?)?;
    module.add_function(wrap_pyfunction!(ended, module)?)?;
    module.add_function(wrap_pyfunction!(queued, module)?)?;
    module.add_function(wrap_pyfunction!(mute, module)?)?;
    module.add_function(wrap_pyfunction!(unmute, module)?)?;
    module.add_function(wrap_pyfunction!(written, module)?)?;
    module.add_function(wrap_pyfunction!(found, module)?)
}

/// An attempt begins: gives its frame and what runs in it, or None where nobody follows the context.
#[pyfunction]
fn begin<'py>(task: &Bound<'py, PyAny>, context: &Bound<'py, PyAny>) -> Option<Bound<'py, PyTuple>> {
    let py = task.py();
    let frame = frame_of(&FRAMES, context)?;
    let begun = begun(&frame, task, context).and_then(|current| {
        let current = current.unwrap_or_else(|| py.None().into_bound(py));
        PyTuple::new(py, [frame.into_any(), current])
    });
    begun.map_err(|error| fault(py, &error)).ok()
}

/// An attempt that began so came to its end.
#[pyfunction]
fn end(begun: &Bound<'_, PyTuple>, context: &Bound<'_, PyAny>) {
    let end = || -> PyResult<()> {
        let py = context.py();
        let Some(task) = settled(begun, context)? else { return Ok(()) };
        let native = task.cast::<TaskExecution>()?.get();
        let event = if context.getattr(intern!(py, "_cancel_called_in_current_task"))?.is_truthy()? {
            let reason: Option<String> = context.getattr(intern!(py, "ctrl_message"))?.extract()?;
            native.cancel(reason.as_deref());
            "task_cancelled"
        } else {
            native.complete();
            "task_completed"
        };
        tell(py, event, &task)
    };
    if let Err(error) = end() {
        fault(context.py(), &error);
    }
}

/// An attempt that began so is over: gives its task execution, where there is one to tell of.
#[pyfunction]
fn ended<'py>(
    begun: &Bound<'py, PyTuple>,
    context: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    settled(begun, context)
}

/// A task is queued: remembers what led to it.
#[pyfunction]
fn queued(context: &Bound<'_, PyAny>, executable: &Bound<'_, PyAny>) {
    if let Some(frame) = frame_of(&FRAMES, context)
        && let Err(error) = queue(&frame, executable)
    {
        fault(context.py(), &error);
    }
}

/// A channel is about to be used: gives its frame, which is muted then; None where nobody is to be told.
#[pyfunction]
fn mute<'py>(channel: &Bound<'py, PyAny>) -> Option<Bound<'py, Frame>> {
    let frame = frame_of(&CHANNELS, channel)?;
    {
        let mut frame = frame.try_borrow_mut().ok()?;
        if frame.muted > 0 {
            return None;
        }
        frame.muted = 1;
    }
    Some(frame)
}

/// It was used, and there is nothing to tell.
#[pyfunction]
fn unmute(frame: &Bound<'_, Frame>) {
    if let Ok(mut frame) = frame.try_borrow_mut() {
        frame.muted = frame.muted.saturating_sub(1);
    }
}

/// A key was written; the frame is muted no longer.
#[pyfunction]
#[pyo3(signature = (frame, key, value, policy = None))]
fn written(frame: &Bound<'_, Frame>, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, policy: Option<&str>) {
    unmute(frame);
    if let Err(error) = write(frame, key, value, policy) {
        fault(frame.py(), &error);
    }
}

/// A key was read, and nothing found if `missing`; the frame is muted no longer.
#[pyfunction]
#[pyo3(signature = (frame, key, value, missing, policy = None))]
fn found(
    frame: &Bound<'_, Frame>,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    missing: bool,
    policy: Option<&str>,
) {
    unmute(frame);
    if let Err(error) = read(frame, key, value, missing, policy) {
        fault(frame.py(), &error);
    }
}

fn begun<'py>(
    frame: &Bound<'py, Frame>,
    task: &Bound<'py, PyAny>,
    context: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = frame.py();
    let task_id = task.getattr(intern!(py, "task_id"))?.cast_into::<PyString>()?;
    let (run, queued, group, mut at) = {
        let mut frame = frame.try_borrow_mut()?;
        frame.started += 1;
        let group = frame.group.as_ref().or(frame.member_of.as_ref()).map(|group| group.clone_ref(py));
        let at = Whereabouts { group: None, thread: frame.thread.clone(), worker: frame.worker.clone() };
        (frame.run.clone_ref(py), frame.take_queued(&task_id), group, at)
    };
    let run = run.get();
    let node_id = node_of(run, &task_id)?;
    let mut cause = queued.map(|queued| (queued.kind, queued.cause.into_bound(py)));
    // The members of the group that it belongs to, to which it will belong.
    let mut members = None;
    if let Some(group) = &group {
        let group = group.bind(py).try_borrow()?;
        if group.member_ids.bind(py).contains(&node_id)? {
            at.group = Some(TaskId::from(group.id.bind(py).to_str()?));
            members = Some(group.members.clone_ref(py));
            if cause.is_none() {
                cause = group.cause.as_ref().map(|cause| (CauseKind::Member, cause.bind(py).clone()));
            }
        }
    }
    if run.groups.bind(py).contains(&task_id)? {
        let (kind, cause) = cause.unzip();
        let kind = kind.map(|kind| word_of(kind).to_owned());
        let group = Bound::new(py, Group::new(task_id, kind, cause.map(Bound::unbind))?)?.into_any();
        frame.try_borrow_mut()?.current = Some(group.clone().unbind());
        return Ok(Some(group));
    }
    let hidden = run.hidden.bind(py);
    if !hidden.is_empty() && hidden.contains(&node_id)? {
        let mut frame = frame.try_borrow_mut()?;
        frame.current = None;
        frame.last = cause.map(|(_, cause)| cause.unbind());
        return Ok(None);
    }
    let (iteration, attempt) = pass(frame, run, &node_id, cause.as_ref(), context)?;
    let causes = match &cause {
        Some((kind, cause)) => causes_of(*kind, cause)?,
        None => Causes::None,
    };
    let current = run.started(node_id.to_str()?, iteration, attempt, causes, at);
    let current = Bound::new(py, current)?.into_any();
    let remember = {
        let mut frame = frame.try_borrow_mut()?;
        frame.current = Some(current.clone().unbind());
        frame.remember.clone_ref(py)
    };
    if let Some(members) = members {
        members.bind(py).append(&current)?;
    }
    remember.bind(py).call1((&current,))?;
    tell(py, "task_started", &current)?;
    Ok(Some(current))
}

/// The task that an iteration repeats, or the task itself.
fn node_of<'py>(run: &Run, task_id: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
    let iterations = run.iterations.bind(task_id.py());
    if iterations.is_empty() {
        return Ok(task_id.clone());
    }
    match iterations.get_item(task_id)? {
        Some(node_id) => Ok(node_id.cast_into::<PyString>()?),
        None => Ok(task_id.clone()),
    }
}

/// Which pass of its loop an execution is, and which attempt.
fn pass(
    frame: &Bound<'_, Frame>,
    run: &Run,
    node_id: &Bound<'_, PyString>,
    cause: Option<&(CauseKind, Bound<'_, PyAny>)>,
    context: &Bound<'_, PyAny>,
) -> PyResult<(u32, u32)> {
    let py = frame.py();
    let passes = run.passes.bind(py);
    let Some(last) = passes.get_item(node_id)? else {
        passes.set_item(node_id, 0)?;
        return Ok((0, 1));
    };
    let last: u32 = last.extract()?;
    let task = cause.and_then(|(_, cause)| cause.cast::<TaskExecution>().ok()).map(|task| &task.get().info);
    let iteration = match (cause.map(|(kind, _)| *kind), task) {
        (Some(CauseKind::Retry), Some(task)) => return Ok((task.iteration, task.attempt + 1)),
        (Some(CauseKind::Iteration | CauseKind::Jump), _) => last + 1,
        (Some(CauseKind::Successor), Some(_)) => {
            let of = py.import(RARE)?.getattr("following_pass")?;
            of.call1((frame.getattr("run")?, node_id, cause.map(|(_, cause)| cause), context))?.extract()?
        }
        _ => last,
    };
    passes.set_item(node_id, iteration)?;
    Ok((iteration, 1))
}

fn settled<'py>(
    begun: &Bound<'py, PyTuple>,
    context: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = context.py();
    let frame = begun.get_item(0)?.cast_into::<Frame>()?;
    let current = begun.get_item(1)?;
    // In a forked child, it is the parent's.
    if !frame_of(&FRAMES, context).is_some_and(|known| known.is(&frame)) {
        return Ok(None);
    }
    {
        let mut frame = frame.try_borrow_mut()?;
        frame.current = None;
        if current.is_none() {
            return Ok(None);
        }
        frame.last = Some(current.clone().unbind());
    }
    if current.is_instance_of::<Group>() {
        py.import(RARE)?.getattr("settle")?.call1((current, frame))?;
        return Ok(None);
    }
    Ok(Some(current))
}

fn queue(frame: &Bound<'_, Frame>, executable: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = frame.py();
    let (kind, cause) = {
        let mut frame = frame.try_borrow_mut()?;
        frame.expected += 1;
        let kind = match frame.next_kind {
            Some(kind) => kind,
            None if frame.retrying => CauseKind::Retry,
            None => CauseKind::Successor,
        };
        // What a task adds is led to by that task, everything else by what ended last.
        let adds = frame.current.as_ref().filter(|_| frame.next_kind.is_some());
        (kind, adds.or(frame.last.as_ref()).map(|cause| cause.clone_ref(py)))
    };
    let Some(cause) = cause else { return Ok(()) };
    let task_id = executable.getattr(intern!(py, "task_id"))?.cast_into::<PyString>()?.unbind();
    frame.try_borrow_mut()?.pending.push_back(Queued { task_id, kind, cause });
    Ok(())
}

fn write(
    frame: &Bound<'_, Frame>,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    policy: Option<&str>,
) -> PyResult<()> {
    let py = frame.py();
    let (current, versions, run) = {
        let frame = frame.try_borrow()?;
        let current = frame.current.as_ref().map(|current| current.clone_ref(py));
        (current, frame.versions.clone_ref(py), frame.run.clone_ref(py))
    };
    let versions = versions.bind(py);
    let Some(current) = current else {
        // Between tasks, or in one that is not to be told of.
        if versions.contains(key)? {
            versions.del_item(key)?;
        }
        return Ok(());
    };
    let task = current.bind(py).cast::<TaskExecution>().ok().map(Bound::get);
    let text = key.cast::<PyString>()?.to_str()?;
    let write = run.get().written(task, text, value, text.ends_with(RESULT), None, policy_of(policy));
    versions.set_item(key, Bound::new(py, write)?)
}

fn read(
    frame: &Bound<'_, Frame>,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    missing: bool,
    policy: Option<&str>,
) -> PyResult<()> {
    let py = frame.py();
    let (current, versions, run, resolving) = {
        let frame = frame.try_borrow()?;
        let Some(current) = &frame.current else { return Ok(()) };
        (current.clone_ref(py), frame.versions.clone_ref(py), frame.run.clone_ref(py), frame.resolving)
    };
    let Ok(task) = current.bind(py).cast::<TaskExecution>() else { return Ok(()) };
    let text = key.cast::<PyString>()?.to_str()?;
    let parameter = resolving.then(|| text.strip_suffix(RESULT).unwrap_or(text).to_owned());
    let write = if missing { None } else { versions.bind(py).get_item(key)? };
    let write = write.map(Bound::cast_into::<Write>).transpose()?;
    let value = (!missing).then_some(value);
    run.get().read(Some(task.get()), text, write.as_ref().map(Bound::get), value, parameter, missing, policy);
    Ok(())
}

fn frame_of<'py>(frames: &PyOnceLock<Py<PyDict>>, of: &Bound<'py, PyAny>) -> Option<Bound<'py, Frame>> {
    let frames = frames.get(of.py())?.bind(of.py());
    frames.get_item(of.as_ptr().addr()).ok()??.cast_into::<Frame>().ok()
}

fn tell(py: Python<'_>, event: &str, task: &Bound<'_, PyAny>) -> PyResult<()> {
    if LISTENERS.get(py).is_none_or(|listeners| listeners.bind(py).is_empty()) {
        return Ok(());
    }
    py.import("graflow_lineage._state")?.getattr("tell")?.call1((event, task))?;
    Ok(())
}

fn fault(py: Python<'_>, error: &PyErr) {
    let told = || -> PyResult<()> {
        py.import("graflow_lineage._faults")?.getattr("fault")?.call1((error.value(py),))?;
        Ok(())
    };
    // Nobody is left to be told of a fault in telling of faults.
    let _ = told();
}
