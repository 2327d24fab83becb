//! The data folder, asked in this process by the same questions as a server.

use std::sync::Arc;

use graflow_client::{ClientError, Connection, Responding};
use tower::ServiceExt as _;

use crate::config::Config;
use crate::owned_folder::{OpenFolder, Tables, TakenFolder};

/// The folder, owned by this process until the connection is dropped.
///
/// Reading takes it too: what a crash or a spool left is taken in first, so that nothing is missing from what is read.
/// A program that keeps its lineage there hands the folder over and gets it back.
pub(super) async fn connect(config: &Config) -> anyhow::Result<Arc<dyn Connection>> {
    let folder = TakenFolder::take(config).await?.open(Tables::CatchUp).await?;
    let router = folder.router();
    Ok(Arc::new(InProcess { router, address: config.data_dir.display().to_string(), _folder: folder }))
}

/// The API's router, asked without a server.
struct InProcess {
    // Before the folder: it holds the store too.
    router: axum::Router,
    /// What stands in errors.
    address: String,
    _folder: OpenFolder,
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
