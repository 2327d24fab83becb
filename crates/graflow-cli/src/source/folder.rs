//! The data folder, asked in this process by the same questions as a server.

use std::sync::Arc;

use graflow_client::{ClientError, Connection, Responding, SystemClock};
use graflow_lineage::live::Live;
use graflow_lineage::manager::LineageManager;
use graflow_lineage::store::Store;
use graflow_local::{DataFolder, FolderView};
use tower::ServiceExt as _;

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::owned_folder::{OpenFolder, Tables, TakenFolder};

/// The folder, owned by this process until the connection is dropped: for those who change it, or who wait for what
/// comes. A program that keeps its lineage there hands the folder over and gets it back.
pub(super) async fn own(config: &Config) -> anyhow::Result<Arc<dyn Connection>> {
    let folder = TakenFolder::take(config).await?.open(Tables::CatchUp).await?;
    let router = folder.router();
    Ok(in_process(config, router, Folder::Owned(folder)))
}

/// The folder as it stands, without a change to it.
pub(super) async fn read(config: &Config) -> anyhow::Result<Arc<dyn Connection>> {
    let folder = DataFolder::at(&config.data_dir);
    let opened = tokio::task::spawn_blocking(move || {
        let clock = Arc::new(SystemClock);
        let live = Live::new(clock.clone());
        let view = FolderView::open(&folder, clock.clone(), live.clone())
            .map_err(|error| Failure::of(Exit::Folder, &error))?;
        let store = Arc::clone(view.store()) as Arc<dyn Store>;
        // Nothing is recorded through it, so its ids never meet others.
        let manager =
            LineageManager::new(store, live, clock, 0).map_err(|error| Failure::of(Exit::Folder, &error))?;
        Ok::<_, Failure>((view, Arc::new(manager)))
    });
    let (view, manager) = opened.await??;
    let router = graflow_api::router(manager, graflow_api::Settings::local("this program"));
    Ok(in_process(config, router, Folder::Read(view)))
}

fn in_process(config: &Config, router: axum::Router, folder: Folder) -> Arc<dyn Connection> {
    Arc::new(InProcess { router, address: config.data_dir.display().to_string(), _folder: folder })
}

/// What the router stands on.
#[expect(dead_code, reason = "it is held, and closed in the end")]
enum Folder {
    Owned(OpenFolder),
    Read(FolderView),
}

/// The API's router, asked without a server.
struct InProcess {
    // Before the folder: it holds the store too.
    router: axum::Router,
    /// What stands in errors.
    address: String,
    _folder: Folder,
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("InProcess").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Connection for InProcess {
    fn call(&self, request: http::Request<Vec<u8>>) -> Responding<'_> {
        let router = self.router.clone();
        Box::pin(async move {
            let mut request = request.map(axum::body::Body::from);
            // The router answers only who knows whom they are talking to.
            request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_static("localhost"));
            let response = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|error| {
                ClientError::NotLineage { address: self.address(), reason: error.to_string() }
            })?;
            Ok(http::Response::from_parts(parts, body.to_vec()))
        })
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}
