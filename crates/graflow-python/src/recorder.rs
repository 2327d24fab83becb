//! The process' one producer: where it sends, how much it tells of values, and how it comes through a fork.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use graflow_client::{
    Endpoint, Feed, HttpTransport, MakeTransport, Outcome, Producer, Settings, environment, random_u64,
};
use graflow_local::{DataFolder, FolderTransport, Place};
use graflow_model::value::ValuePolicy;
use graflow_model::{ExecutionId, Project};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

use crate::record::{Numbered, Record};
use crate::translate::Records;

/// Made by the first event, or by [`configure`] before it.
static PRODUCER: OnceLock<Recorder> = OnceLock::new();
/// The way in, renewed after a fork. Threads hold it only while they hold the interpreter's lock, as does whoever
/// forks: no child finds it locked.
static FEED: RwLock<Option<Feed<Records>>> = RwLock::new(None);
/// What the environment or [`configure`] says of values, as an index into [`ValuePolicy::ALL`].
static POLICY: AtomicU8 = AtomicU8::new(u8::MAX);
/// Names this process in ids; another one after a fork.
static NONCE: AtomicU64 = AtomicU64::new(0);
/// How many ids were given out.
static NUMBER: AtomicU64 = AtomicU64::new(0);

struct Recorder {
    producer: Producer<Records>,
    place: Arc<Mutex<Place>>,
    /// Where it sends is another machine, so that less is told of values.
    remote: bool,
}

/// What may be said before the first event; the environment says the rest.
static TARGET: Mutex<Target> = Mutex::new(Target { url: None, token: None, folder: None, project: None });

struct Target {
    url: Option<String>,
    token: Option<String>,
    folder: Option<PathBuf>,
    project: Option<String>,
}

impl Recorder {
    /// What is wrong with the place that was named is found when it is named; here the folder has to do.
    fn start() -> Self {
        let target = lock(&TARGET);
        let folder = folder_of(&target);
        let endpoint = match &target.url {
            Some(url) => {
                let token = target.token.clone().or_else(|| environment::variable(environment::TOKEN));
                Endpoint::parse(url).ok().map(|endpoint| endpoint.with_token(token))
            }
            // A folder that the program names goes before a server that the environment names.
            None if target.folder.is_some() => None,
            None => Endpoint::from_environment().and_then(Result::ok),
        };
        let project = target.project.clone().or_else(|| environment::variable(environment::PROJECT));
        let spool = endpoint
            .as_ref()
            .map_or_else(|| folder.spool(), |endpoint| folder.remote_spool(&endpoint.to_string()));
        let settings = Settings {
            project: project.map(Project::from).unwrap_or_default(),
            spool: Some(spool),
            ..Settings::default()
        };
        let timeout = settings.request_timeout;
        let remote = endpoint.as_ref().is_some_and(|endpoint| !endpoint.is_loopback());
        let place = Arc::new(Mutex::new(Place::default()));
        let told = Arc::clone(&place);
        let transport: MakeTransport = Arc::new(move || match &endpoint {
            Some(endpoint) => {
                *lock(&told) = Place::Server(endpoint.clone());
                Box::new(HttpTransport::new(endpoint.clone(), timeout))
            }
            // Nobody there: the spool, which the next server takes in. A script keeps no store of its own.
            None => Box::new(FolderTransport::telling(folder.clone(), false, timeout, Arc::clone(&told))),
        });
        let producer = Producer::with_source(settings, Arc::new(Records::default), transport);
        Self { producer, place, remote }
    }
}

fn folder_of(target: &Target) -> DataFolder {
    match &target.folder {
        Some(path) => DataFolder::at(path),
        None => DataFolder::default_place()
            .unwrap_or_else(|_| DataFolder::at(std::env::temp_dir().join("graflow"))),
    }
}

fn recorder() -> &'static Recorder {
    PRODUCER.get_or_init(Recorder::start)
}

/// Hands a record to the sending thread.
pub(crate) fn send(record: Record) {
    if let Some(feed) = &*FEED.read().unwrap_or_else(PoisonError::into_inner) {
        feed.send(record);
        return;
    }
    let feed = recorder().producer.feed();
    feed.send(record);
    *FEED.write().unwrap_or_else(PoisonError::into_inner) = Some(feed);
}

/// How much is told of values where no rule says otherwise.
pub(crate) fn default_policy() -> ValuePolicy {
    let index = POLICY.load(Ordering::Relaxed);
    ValuePolicy::ALL
        .get(usize::from(index))
        .copied()
        .unwrap_or_else(|| if recorder().remote { ValuePolicy::Metadata } else { ValuePolicy::Preview })
}

/// An id that this process gave to nothing else.
pub(crate) fn next_id() -> Numbered {
    Numbered { nonce: nonce(), number: NUMBER.fetch_add(1, Ordering::Relaxed) + 1 }
}

/// A number that no other process and no other call gives, as far as chance has a say.
pub(crate) fn unique_u64() -> u64 {
    // Mixed as splitmix64 does, since numbers that follow each other are to look as if they did not.
    let Numbered { nonce, number } = next_id();
    let mixed = nonce.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn nonce() -> u64 {
    match NONCE.load(Ordering::Relaxed) {
        0 => {
            let fresh = random_u64();
            match NONCE.compare_exchange(0, fresh.max(1), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => fresh.max(1),
                Err(other) => other,
            }
        }
        nonce => nonce,
    }
}

/// Says where events go and how much is told of values. To be said before the first event; later, only `values` counts.
#[pyfunction]
#[pyo3(signature = (*, url = None, token = None, data_dir = None, project = None, values = None))]
fn configure(
    url: Option<String>,
    token: Option<String>,
    data_dir: Option<PathBuf>,
    project: Option<String>,
    values: Option<&str>,
) -> PyResult<()> {
    if let Some(url) = &url {
        Endpoint::parse(url).map_err(|error| PyValueError::new_err(error.to_string()))?;
    }
    if let Some(values) = values {
        let policy: ValuePolicy =
            values.parse().map_err(|error| PyValueError::new_err(format!("{error}")))?;
        let index = ValuePolicy::ALL.iter().position(|known| *known == policy).unwrap_or_default();
        POLICY.store(u8::try_from(index).unwrap_or_default(), Ordering::Relaxed);
    }
    let mut target = lock(&TARGET);
    target.url = url.or_else(|| target.url.take());
    target.token = token.or_else(|| target.token.take());
    target.folder = data_dir.or_else(|| target.folder.take());
    target.project = project.or_else(|| target.project.take());
    Ok(())
}

/// Waits until everything recorded so far is delivered or on disk: `delivered`, `spooled` or `incomplete`.
#[pyfunction]
fn flush(py: Python<'_>, seconds: f64) -> &'static str {
    let Some(recorder) = PRODUCER.get() else { return "delivered" };
    let deadline = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    match py.detach(|| recorder.producer.flush(deadline)) {
        Outcome::Delivered => "delivered",
        Outcome::Spooled => "spooled",
        Outcome::Incomplete => "incomplete",
    }
}

/// In a forked child: another producer, with ids of its own.
#[pyfunction]
fn after_fork_in_child() {
    NONCE.store(0, Ordering::Relaxed);
    if let Ok(mut feed) = FEED.write() {
        // Its parts belong to the parent: to drop them here would end what only the parent may end.
        std::mem::forget(feed.take());
    }
}

/// Reports a run alive that another process began.
#[pyfunction]
fn open_execution(execution_id: &str) {
    recorder().producer.open(ExecutionId::from(execution_id));
}

/// No longer reports a run alive.
#[pyfunction]
fn close_execution(execution_id: &str) {
    recorder().producer.close(ExecutionId::from(execution_id));
}

/// The address of the server that events go to at present, if they go to one.
#[pyfunction]
fn server_url() -> Option<String> {
    match &*lock(&PRODUCER.get()?.place) {
        Place::Server(endpoint) => Some(endpoint.to_string()),
        Place::Unknown | Place::OwnStore | Place::Spool => None,
    }
}

/// The data folder.
#[pyfunction]
fn data_folder() -> PathBuf {
    folder_of(&lock(&TARGET)).path().to_owned()
}

/// How much is told of values where no rule says otherwise.
#[pyfunction(name = "default_policy")]
fn default_policy_word() -> &'static str {
    default_policy().as_str()
}

/// What the producer counts about itself.
#[pyfunction]
fn statistics(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let counts = PyDict::new(py);
    let Some(recorder) = PRODUCER.get() else { return Ok(counts) };
    let statistics = recorder.producer.statistics();
    counts.set_item("offered", statistics.offered)?;
    counts.set_item("queued", statistics.queued)?;
    counts.set_item("pending", statistics.pending)?;
    counts.set_item("delivered", statistics.delivered)?;
    counts.set_item("invalid", statistics.invalid)?;
    counts.set_item("dropped", statistics.dropped)?;
    counts.set_item("retries", statistics.retries)?;
    counts.set_item("spool_bytes", statistics.spool_bytes)?;
    counts.set_item("memory_bytes", statistics.memory_bytes)?;
    counts.set_item("reach", statistics.reach.to_string())?;
    counts.set_item("last_error", statistics.last_error)?;
    counts.set_item("disk_error", statistics.disk_error)?;
    Ok(counts)
}

/// Adds what this file offers to Python.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(configure, module)?)?;
    module.add_function(wrap_pyfunction!(flush, module)?)?;
    module.add_function(wrap_pyfunction!(after_fork_in_child, module)?)?;
    module.add_function(wrap_pyfunction!(open_execution, module)?)?;
    module.add_function(wrap_pyfunction!(close_execution, module)?)?;
    module.add_function(wrap_pyfunction!(server_url, module)?)?;
    module.add_function(wrap_pyfunction!(data_folder, module)?)?;
    module.add_function(wrap_pyfunction!(default_policy_word, module)?)?;
    module.add_function(wrap_pyfunction!(statistics, module)?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
