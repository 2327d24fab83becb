//! A real service over a real store in a temporary folder, with two runs in it.

use std::sync::{Arc, LazyLock};

use axum::Router;
use graflow_api::Settings;
use graflow_client::SystemClock;
use graflow_lineage::ingest::{self, BodyFormat};
use graflow_lineage::live::Live;
use graflow_lineage::manager::LineageManager;
use graflow_lineage::store::{Batch, Store};
use graflow_model::{Clock, Project};
use graflow_store::{EmbeddedOptions, EmbeddedStore};
use tokio::runtime::Runtime;

/// What requests are sent to.
pub(super) struct Service {
    pub(super) runtime: Runtime,
    pub(super) router: Router,
    _folder: tempfile::TempDir,
}

const EVENTS: &str = include_str!("../../events.ndjson");

impl Service {
    /// The one of this process.
    pub(super) fn shared() -> &'static Self {
        static SERVICE: LazyLock<Service> = LazyLock::new(Service::start);
        &SERVICE
    }

    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let live = Live::new(Arc::clone(&clock));
        let mut options = EmbeddedOptions::new(folder.path(), Arc::clone(&clock));
        options.observer = live.clone();
        let store = EmbeddedStore::open(options).unwrap();
        let parsed = ingest::parse(EVENTS.as_bytes(), BodyFormat::Ndjson).unwrap();
        assert!(parsed.invalid.is_empty(), "{:?}", parsed.invalid);
        let events = parsed.events.into_iter().map(|(_, incoming)| incoming).collect();
        store.append(Batch { project: Project::default(), received: clock.now(), events }).wait().unwrap();
        let manager = LineageManager::new(Arc::new(store), live, clock, 1).unwrap();
        let router = graflow_api::router(Arc::new(manager), Settings::local("fuzz"));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { runtime, router, _folder: folder }
    }
}
