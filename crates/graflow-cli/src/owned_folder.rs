//! A data folder that this process owns: its store, what answers from it, and the spool of other processes.

use std::sync::Arc;
use std::time::Duration;

use graflow_api::Settings;
use graflow_client::SystemClock;
use graflow_lineage::live::Live;
use graflow_lineage::manager::LineageManager;
use graflow_lineage::retention::RetentionLimits;
use graflow_lineage::store::Store;
use graflow_local::{DataFolder, Owner, Ownership, OwnershipError, SpoolIntake};
use graflow_model::Clock as _;
use graflow_store::log::LogOptions;
use graflow_store::{EmbeddedOptions, EmbeddedStore};

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Progress;

/// A program that keeps its lineage itself hands the folder over within this time, or is stuck.
const HAND_OVER: Duration = Duration::from_secs(10);

/// A data folder that belongs to this process; nothing in it is open yet.
pub(crate) struct TakenFolder {
    ownership: Ownership,
    /// What is kept at the most, for as long as it is open.
    retention: Option<RetentionLimits>,
}

/// A data folder that this process owns and has open, until it is dropped.
pub(crate) struct OpenFolder {
    pub(crate) manager: Arc<LineageManager>,
    intake: Arc<SpoolIntake>,
    /// Names this owner.
    pub(crate) instance_id: String,
    // The order matters: the store is closed before the folder is somebody else's.
    pub(crate) store: Arc<EmbeddedStore>,
    ownership: Ownership,
}

/// What to do with the tables that are derived from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// Bring them up to the log.
    CatchUp,
    /// Throw them away and derive them again.
    Rebuild,
}

impl TakenFolder {
    /// Takes the folder, making it if need be. A program that keeps its lineage there hands over; a server does not.
    pub(crate) async fn take(config: &Config) -> anyhow::Result<Self> {
        let folder = DataFolder::at(&config.data_dir);
        let taken = tokio::task::spawn_blocking(move || Ownership::take(&folder, HAND_OVER)).await?;
        let ownership = taken.map_err(|error| cannot_take(&error))?;
        Ok(Self { ownership, retention: None })
    }

    /// The same, kept within limits while it is open.
    pub(crate) fn keeping(mut self, limits: RetentionLimits) -> Self {
        self.retention = Some(limits);
        self
    }

    /// Opens what is in it, and takes in what other processes left in the spool.
    pub(crate) async fn open(self, tables: Tables) -> anyhow::Result<OpenFolder> {
        tokio::task::spawn_blocking(move || self.open_blocking(tables)).await?
    }

    fn open_blocking(self, tables: Tables) -> anyhow::Result<OpenFolder> {
        let clock = Arc::new(SystemClock);
        let live = Live::new(clock.clone());
        let folder = self.ownership.folder();
        let mut options = EmbeddedOptions::new(folder.path(), clock.clone());
        options.observer = live.clone();
        options.retention = self.retention;
        options.log.segment_bytes = segment_bytes(self.retention);
        let asked = Arc::clone(&live);
        options.is_lost = Arc::new(move |project, id| asked.lost_since(project, id).is_some());
        options.rebuild = tables == Tables::Rebuild;
        let mut progress: Option<Progress> = None;
        options.progress = Box::new(move |opening| {
            let progress = progress.get_or_insert_with(|| Progress::new("reading the log", Some(opening.of)));
            progress.at(opening.events);
        });
        let store =
            Arc::new(EmbeddedStore::open(options).map_err(|error| Failure::of(Exit::Folder, &error))?);
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let intake = Arc::new(SpoolIntake::new(folder, Arc::clone(&shared), clock.clone()));
        take_in(&intake);
        let seed = graflow_client::random_u64();
        let manager = LineageManager::new(shared, live, clock.clone(), seed)
            .map_err(|error| Failure::of(Exit::Folder, &error))?;
        let instance_id = format!("{:x}-{:x}-{seed:016x}", clock.now().as_micros(), std::process::id());
        Ok(OpenFolder { manager: Arc::new(manager), intake, instance_id, store, ownership: self.ownership })
    }
}

impl OpenFolder {
    /// Says in the folder where this process answers.
    pub(crate) fn announce(&mut self, url: &str) -> anyhow::Result<()> {
        let owner = Owner {
            pid: std::process::id(),
            url: Some(url.to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance_id: self.instance_id.clone(),
            started_time: SystemClock.now(),
        };
        self.ownership.announce(owner).map_err(|error| {
            let path = self.ownership.folder().path().display();
            Failure::new(Exit::Folder, format!("{path} cannot be written: {error}")).into()
        })
    }

    /// What answers in this process, as a server would.
    pub(crate) fn router(&self) -> axum::Router {
        graflow_api::router(Arc::clone(&self.manager), Settings::local(self.instance_id.clone()))
    }

    /// Takes in what other processes leave in the spool, once a second, until it is aborted.
    pub(crate) fn keep_taking_in(&self) -> tokio::task::JoinHandle<()> {
        let intake = Arc::clone(&self.intake);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let intake = Arc::clone(&intake);
                if tokio::task::spawn_blocking(move || take_in(&intake)).await.is_err() {
                    tracing::error!("the spool could not be taken in");
                }
            }
        })
    }

    /// Writes what is still held, closes everything, and lets the folder go.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        let closing = move || {
            self.store.close();
            drop(self);
        };
        Ok(tokio::task::spawn_blocking(closing).await?)
    }
}

/// So small that what is deleted leaves the disk soon, and so large that there are not too many.
fn segment_bytes(limits: Option<RetentionLimits>) -> u64 {
    let most = LogOptions::default().segment_bytes;
    limits.and_then(|limits| limits.bytes).map_or(most, |limit| (limit / 64).clamp(1 << 20, most))
}

fn take_in(intake: &SpoolIntake) {
    match intake.take_in() {
        Ok(taken) if taken.files > 0 => tracing::info!(
            files = taken.files,
            accepted = taken.accepted,
            duplicates = taken.duplicates,
            invalid = taken.invalid,
            "took in {} events that other processes left in the spool",
            taken.accepted
        ),
        Ok(_) => {}
        // What is left is taken in the next time.
        Err(error) => tracing::warn!("the spool was not taken in whole: {error}"),
    }
}

fn cannot_take(error: &OwnershipError) -> Failure {
    Failure::of(Exit::Folder, error).hint(error.hint())
}
