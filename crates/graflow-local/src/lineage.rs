//! Lineage for a Rust program: a sink that keeps what its workflows do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use graflow::sink::translate::Translator;
use graflow::sink::{Record, RecordKind, Sink};
use graflow_client::{
    Endpoint, EndpointError, Feed, HttpTransport, Outcome, Producer, Settings, Source, Statistics, Transport,
    environment,
};
use graflow_model::event::{Code, Runtime};
use graflow_model::value::ValuePolicy;
use graflow_model::{Event, ExecutionId, Project};

use crate::checkout;
use crate::folder::{DataFolder, NoDataFolder};
use crate::log_layer::LogLayer;
use crate::transport::{FolderTransport, Place};

/// A workflow that has ended waits at the most this long for its last events to be kept.
const FLUSH_DEADLINE: Duration = Duration::from_secs(2);
/// What a record takes in memory, roughly, the values that it shares with the workflow left out.
const RECORD_BYTES: usize = 256;

/// Keeps what a program's workflows do, whatever runs beside it: it is the sink to give to a workflow.
///
/// * A server owns the data folder: events go there.
/// * Nobody owns it: this program keeps the lineage itself, and hands it over when a server starts.
/// * Another program owns it: events go into the spool, which the owner takes in.
///
/// The workflow's threads only put records into a queue. Whatever goes wrong (no room, no folder, no server) is told
/// once in the log, and the workflow goes on.
///
/// It belongs to the process that made it: a forked child makes its own.
///
/// Dropping the last clone waits up to a second for the rest to be kept.
///
/// ```no_run
/// use graflow::prelude::*;
/// use graflow_local::Lineage;
///
/// #[task]
/// async fn hello() -> &'static str { "hello" }
///
/// #[tokio::main]
/// async fn main() -> Result<()> {
///     Workflow::new("greet", hello()).execute().sink(Lineage::open_default()?).await?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Lineage {
    producer: Producer<Records>,
    /// Begun with the first record, since it starts the producer's thread.
    feed: OnceLock<Feed<Records>>,
    target: Target,
    place: Arc<Mutex<Place>>,
    policy: ValuePolicy,
}

/// Why there is no place to keep lineage in.
#[derive(Debug, thiserror::Error)]
pub enum LineageError {
    /// No data folder is named and none can be guessed.
    #[error(transparent)]
    NoDataFolder(#[from] NoDataFolder),
    /// `GRAFLOW_LINEAGE_URL` is no address.
    #[error("GRAFLOW_LINEAGE_URL: {0}")]
    Endpoint(#[from] EndpointError),
}

#[derive(Debug, Clone)]
enum Target {
    Folder(DataFolder),
    Server(Endpoint, PathBuf),
}

impl Lineage {
    /// Keeps lineage in that folder, made if need be.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self::to(Target::Folder(DataFolder::at(path)), ValuePolicy::Preview)
    }

    /// Keeps lineage where the environment says: at the server of `GRAFLOW_LINEAGE_URL`, else in the folder of
    /// `GRAFLOW_LINEAGE_DATA_DIR`, else in the user's own data folder.
    pub fn open_default() -> Result<Self, LineageError> {
        let folder = DataFolder::default_place()?;
        match Endpoint::from_environment() {
            Some(endpoint) => Ok(Self::to_server(endpoint?, &folder)),
            None => Ok(Self::to(Target::Folder(folder), ValuePolicy::Preview)),
        }
    }

    /// Sends lineage to that server; while it is away, events wait below the folder.
    pub fn to_server(endpoint: Endpoint, folder: &DataFolder) -> Self {
        let spool = folder.remote_spool(&endpoint.to_string());
        // What is on this machine may be looked at by its user; elsewhere, only what has to.
        let policy = if endpoint.is_loopback() { ValuePolicy::Preview } else { ValuePolicy::Metadata };
        Self::to(Target::Server(endpoint, spool), policy)
    }

    /// The same, telling this much of values. To be said before the first workflow.
    #[must_use]
    pub fn with_values(self, policy: ValuePolicy) -> Self {
        Self::to(self.target, policy)
    }

    /// A layer for `tracing_subscriber` that puts log lines under the task execution that writes them.
    pub fn log_layer(&self) -> LogLayer {
        LogLayer::default()
    }

    /// Waits until everything recorded so far is kept, or is on disk while it cannot be delivered.
    pub fn flush(&self, deadline: Duration) -> Outcome {
        self.producer.flush(deadline)
    }

    /// Where events go at present.
    pub fn place(&self) -> Place {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it counts about itself.
    pub fn statistics(&self) -> Statistics {
        self.producer.statistics()
    }

    fn to(target: Target, policy: ValuePolicy) -> Self {
        let place = Arc::new(Mutex::new(Place::default()));
        let project = environment::variable(environment::PROJECT).map(Project::from).unwrap_or_default();
        let spool = match &target {
            Target::Folder(folder) => folder.spool(),
            Target::Server(_, spool) => spool.clone(),
        };
        let settings = Settings { project, spool: Some(spool), ..Settings::default() };
        let timeout = settings.request_timeout;
        let (goal, told) = (target.clone(), Arc::clone(&place));
        let transport = move || -> Box<dyn Transport> {
            match &goal {
                Target::Folder(folder) => {
                    Box::new(FolderTransport::telling(folder.clone(), true, timeout, Arc::clone(&told)))
                }
                Target::Server(endpoint, _) => {
                    *told.lock().unwrap_or_else(PoisonError::into_inner) = Place::Server(endpoint.clone());
                    Box::new(HttpTransport::new(endpoint.clone(), timeout))
                }
            }
        };
        let producer =
            Producer::with_source(settings, Arc::new(move || Records::new(policy)), Arc::new(transport));
        Self { producer, feed: OnceLock::new(), target, place, policy }
    }
}

impl Sink for Lineage {
    fn record(&self, record: Record) {
        self.feed.get_or_init(|| self.producer.feed()).send(record);
    }

    fn value_policy(&self) -> ValuePolicy {
        self.policy
    }

    fn flush(&self) {
        self.producer.flush(FLUSH_DEADLINE);
    }

    fn url(&self, execution: &ExecutionId) -> Option<String> {
        if self.place() == Place::Unknown {
            // The first events may be on their way still.
            self.producer.flush(FLUSH_DEADLINE);
        }
        match self.place() {
            Place::Server(endpoint) => Some(endpoint.execution_page(execution).to_string()),
            Place::Unknown | Place::OwnStore | Place::Spool => None,
        }
    }
}

/// Records of the engine become events.
#[derive(Debug)]
pub struct Records {
    translator: Translator,
    labels: BTreeMap<String, String>,
}

impl Records {
    fn new(policy: ValuePolicy) -> Self {
        let program = std::env::current_exe().ok();
        let entry = program.as_ref().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let git_commit = program.as_deref().and_then(checkout::commit);
        let runtime = Runtime {
            language: Some("rust".into()),
            version: Some(env!("CARGO_PKG_VERSION").into()),
            host: Some(graflow_client::host_name()),
            pid: Some(std::process::id()),
        };
        let translator = Translator::new(policy).with_runtime(runtime).with_code(Code {
            git_commit,
            entry,
            ..Code::default()
        });
        let labels = environment::variable(environment::LABELS);
        Self { translator, labels: labels.map(|text| parse_labels(&text)).unwrap_or_default() }
    }
}

impl Source for Records {
    type Item = Record;

    fn bytes(_: &Record) -> usize {
        RECORD_BYTES
    }

    fn execution_id(record: &Record) -> Option<&ExecutionId> {
        Some(&record.execution.id)
    }

    fn translate(&mut self, mut record: Record, events: &mut Vec<Event>) {
        if let RecordKind::WorkflowStarted(start) = &mut record.kind {
            for (name, value) in &self.labels {
                // What the program says of this run is closer to it than the environment.
                start.labels.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        self.translator.translate(record, events);
    }
}

/// `team=a,env=prod`; a part without `=` is a label without a value.
fn parse_labels(text: &str) -> BTreeMap<String, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_the_environment() {
        for (text, expected) in [
            ("team=a,env=prod", vec![("env", "prod"), ("team", "a")]),
            (" a = 1 , b ,, =x, c=d=e", vec![("a", "1"), ("b", ""), ("c", "d=e")]),
            ("", vec![]),
        ] {
            let labels = parse_labels(text);
            let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(labels, expected, "{text}");
        }
    }
}
