//! A program that owns the folder itself: the store, the spool of others, and the hand-over.

use std::sync::Arc;

use graflow_client::{Answer, Identity, Post, SystemClock};
use graflow_lineage::store::{AppendError, Store};
use graflow_model::Clock;
use graflow_store::{EmbeddedOptions, EmbeddedStore};

use crate::folder::DataFolder;
use crate::intake::{SpoolIntake, append};
use crate::limits::retention_limits;
use crate::owner_file::Owner;
use crate::ownership::{Ownership, OwnershipError};

/// The store, held by this process. Dropping it closes the store and then lets the folder go.
#[derive(Debug)]
pub(super) struct Embedded {
    // The order matters: the store is closed before the folder is somebody else's.
    store: Arc<EmbeddedStore>,
    intake: SpoolIntake,
    ownership: Ownership,
    clock: SystemClock,
}

/// Why this process does not keep its lineage itself.
#[derive(Debug, thiserror::Error)]
pub(super) enum EmbeddedError {
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    #[error(transparent)]
    Store(#[from] graflow_store::OpenError),
}

impl Embedded {
    /// Takes the folder and opens its store, if nobody owns it. Blocks; a store that has to catch up takes its time.
    pub(super) fn open(folder: &DataFolder) -> Result<Option<Self>, EmbeddedError> {
        let Some(mut ownership) = Ownership::try_take(folder)? else { return Ok(None) };
        let clock = SystemClock;
        let owner = Owner {
            pid: std::process::id(),
            url: None,
            version: env!("CARGO_PKG_VERSION").into(),
            instance_id: Identity::of_this_process().producer().to_string(),
            started_time: clock.now(),
        };
        let mut options = EmbeddedOptions::new(folder.path(), Arc::new(clock));
        options.retention = Some(retention_limits(folder));
        let store = Arc::new(EmbeddedStore::open(options)?);
        if let Err(error) = store.keep_within_limits() {
            tracing::warn!("the folder is not kept within its limits: {error}");
        }
        // Only people read it while there is no address in it, so a folder that is full is no reason to stop.
        if let Err(error) = ownership.announce(owner) {
            tracing::debug!("server.json cannot be written: {error}");
        }
        let intake = SpoolIntake::new(folder, Arc::clone(&store) as Arc<dyn Store>, Arc::new(clock));
        Ok(Some(Self { store, intake, ownership, clock }))
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.ownership.is_wanted()
    }

    pub(super) async fn post(&self, post: &Post) -> Answer {
        let pending = match append(self.store.as_ref(), &post.project, &post.body, &self.clock) {
            Ok(pending) => pending,
            Err(error) => return Answer::Refused { reason: error.to_string() },
        };
        match pending.finish().await {
            Ok(answer) => Answer::Taken(answer),
            Err(AppendError::Overloaded { retry_after }) => {
                Answer::Later { retry_after: Some(retry_after), reason: "the store is busy".into() }
            }
            Err(error) => Answer::Later { retry_after: None, reason: error.to_string() },
        }
    }

    /// Takes in what other processes left in the spool. Blocks.
    pub(super) fn take_in(&self) {
        if let Err(error) = self.intake.take_in() {
            tracing::debug!("the spool was not taken in whole: {error}");
        }
    }
}
