//! Finds out where events go: a server, this process' own store, or the spool of whoever owns the folder.

use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use graflow_client::{Answer, Delivery, Endpoint, HttpTransport, Post, Transport};
use tokio::sync::Mutex;

use super::embedded::Embedded;
use crate::discover::discover_owner;
use crate::folder::DataFolder;
use crate::ownership::is_wanted;

/// How often a program that owns its folder looks whether somebody wants it.
const LOOK_FOR_WANTED: Duration = Duration::from_millis(200);
/// How often it takes in what others left in the spool.
const TAKE_IN: Duration = Duration::from_secs(1);

/// Delivers to the owner of a data folder, whoever that is at the time.
///
/// * A server owns it: over HTTP.
/// * A program owns it: into the spool, which the owner takes in.
/// * Nobody owns it: into the spool, for whoever comes; or, if so wished, this process becomes the owner, keeps the
///   store itself, and hands the folder over as soon as a server wants it.
///
/// The choice is made anew whenever a delivery fails.
#[derive(Debug)]
pub struct FolderTransport {
    state: Arc<Mutex<State>>,
}

/// Where events go at present.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// Nothing was sent yet.
    #[default]
    Unknown,
    /// To this server.
    Server(Endpoint),
    /// Into the store, which this process owns.
    OwnStore,
    /// Into the spool, for the owner of the folder.
    Spool,
}

#[derive(Debug)]
struct State {
    folder: DataFolder,
    /// Whether this process may become the owner; not again once the store could not be opened.
    may_own: bool,
    request_timeout: Duration,
    route: Option<Route>,
    place: Arc<StdMutex<Place>>,
}

enum Route {
    Server(HttpTransport),
    Own(Box<Embedded>),
}

impl FolderTransport {
    /// Delivers to the owner of that folder. With `may_own` this process becomes the owner when there is none.
    pub fn new(folder: DataFolder, may_own: bool, request_timeout: Duration) -> Self {
        Self::telling(folder, may_own, request_timeout, Arc::default())
    }

    /// The same; where events go at present is written to `place`.
    pub fn telling(
        folder: DataFolder,
        may_own: bool,
        request_timeout: Duration,
        place: Arc<StdMutex<Place>>,
    ) -> Self {
        let state = State { folder, may_own, request_timeout, route: None, place };
        Self { state: Arc::new(Mutex::new(state)) }
    }
}

impl Transport for FolderTransport {
    fn post(&mut self, post: Post) -> Delivery {
        let state = Arc::clone(&self.state);
        Box::pin(async move {
            let mut guard = state.lock().await;
            let answer = guard.post(post, &state).await;
            guard.tell(&answer);
            answer
        })
    }
}

impl State {
    async fn post(&mut self, post: Post, shared: &Arc<Mutex<Self>>) -> Answer {
        if self.route.is_none() {
            self.route = self.find(shared).await;
        }
        match &mut self.route {
            Some(Route::Server(http)) => {
                let answer = http.post(post).await;
                if matches!(answer, Answer::Later { retry_after: None, .. }) {
                    // It may be gone for good, or be back at another address.
                    self.route = None;
                }
                answer
            }
            Some(Route::Own(embedded)) => embedded.post(&post).await,
            None => Answer::LeaveInSpool,
        }
    }

    async fn find(&mut self, shared: &Arc<Mutex<Self>>) -> Option<Route> {
        if let Some(endpoint) = discover_owner(&self.folder).await {
            self.set_place(Place::Server(endpoint.clone()));
            return Some(Route::Server(HttpTransport::new(endpoint, self.request_timeout)));
        }
        if !self.may_own || is_wanted(&self.folder) {
            return None;
        }
        let folder = self.folder.clone();
        // A blocking thread, because a store that has to catch up must not keep events from being spooled.
        match tokio::task::spawn_blocking(move || Embedded::open(&folder)).await {
            Ok(Ok(Some(embedded))) => {
                watch(Arc::downgrade(shared));
                self.set_place(Place::OwnStore);
                Some(Route::Own(Box::new(embedded)))
            }
            Ok(Ok(None)) => None,
            Ok(Err(error)) => {
                self.may_own = false;
                tracing::warn!("lineage is not kept in {}: {error}", self.folder.path().display());
                None
            }
            Err(error) => {
                self.may_own = false;
                tracing::error!("lineage is not kept in {}: {error}", self.folder.path().display());
                None
            }
        }
    }

    fn tell(&self, answer: &Answer) {
        if matches!(answer, Answer::LeaveInSpool) {
            self.set_place(Place::Spool);
        }
    }

    fn set_place(&self, place: Place) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }
}

/// Keeps an eye on a folder that this process owns, until it no longer does.
fn watch(state: Weak<Mutex<State>>) {
    let watching = thread::Builder::new().name("graflow-owner".into()).spawn(move || {
        let mut taken_in = None::<Instant>;
        loop {
            thread::sleep(LOOK_FOR_WANTED);
            let Some(state) = state.upgrade() else { return };
            // Between two deliveries: nothing is half-way while the folder changes hands.
            let mut state = state.blocking_lock();
            let Some(Route::Own(embedded)) = &state.route else { return };
            if embedded.is_wanted() {
                state.route = None;
                return;
            }
            if taken_in.is_none_or(|at| at.elapsed() >= TAKE_IN) {
                embedded.take_in();
                taken_in = Some(Instant::now());
            }
        }
    });
    if let Err(error) = watching {
        tracing::error!("the folder will not be handed over: no thread: {error}");
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(http) => formatter.debug_tuple("Server").field(http).finish(),
            Self::Own(embedded) => formatter.debug_tuple("Own").field(embedded).finish(),
        }
    }
}
