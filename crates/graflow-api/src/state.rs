//! What every handler needs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use graflow_lineage::manager::LineageManager;
use graflow_lineage::store::StoreError;
use graflow_model::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::ApiError;
use crate::extract::LargeBodies;
use crate::layouts::{Answers, Layouts};
use crate::settings::Settings;

/// Reads that run at the same time; more of them wait.
const CONCURRENT_READS: usize = 32;
/// How long a body waits for its turn before it is sent away.
const BODY_WAIT: Duration = Duration::from_secs(2);

/// Shared by all handlers.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) manager: Arc<LineageManager>,
    pub(crate) settings: Settings,
    /// Pictures of graphs that pages look at.
    pub(crate) layouts: Layouts,
    /// What was answered of them.
    pub(crate) answers: Answers,
    pub(crate) started: Timestamp,
    /// Cancelled when the server stops: viewers say goodbye.
    pub(crate) stop: CancellationToken,
    /// Viewers' tasks.
    pub(crate) viewers: TaskTracker,
    /// When the last request came.
    last_request: Mutex<Instant>,
    bodies: Semaphore,
    pub(crate) large_bodies: LargeBodies,
    reads: Semaphore,
}

impl std::ops::Deref for Api {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Api {
    pub(crate) fn new(manager: Arc<LineageManager>, settings: Settings, stop: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            started: manager.clock().now(),
            bodies: Semaphore::new(settings.limits.concurrent_bodies.max(1)),
            large_bodies: LargeBodies::default(),
            reads: Semaphore::new(CONCURRENT_READS),
            viewers: TaskTracker::new(),
            last_request: Mutex::new(Instant::now()),
            layouts: Layouts::default(),
            answers: Answers::default(),
            manager,
            settings,
            stop,
        }))
    }

    /// Remembers that somebody asked.
    pub(crate) fn heard(&self) {
        *self.last_request.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long nobody has asked; nothing while somebody follows the live stream.
    pub(crate) fn idle(&self) -> Duration {
        if !self.viewers.is_empty() {
            return Duration::ZERO;
        }
        self.last_request.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Asks the manager on a thread for blocking work.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&LineageManager) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let _permit = self.reads.acquire().await.map_err(|_| ApiError::internal())?;
        let manager = Arc::clone(&self.manager);
        Ok(blocking(move || ask(&manager)).await??)
    }

    /// A place for a body in memory; who does not get one soon is sent away with `Retry-After`.
    pub(crate) async fn room_for_body(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        match tokio::time::timeout(BODY_WAIT, self.bodies.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(ApiError::unavailable(
                "overloaded",
                "the server takes in as many requests as it can",
                Duration::from_secs(1),
            )),
        }
    }
}

/// Runs blocking work; a panic in it is a fault of the server, not of the caller.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(error = %error, "an answer could not be made");
        ApiError::internal()
    })
}
