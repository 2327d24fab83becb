//! From a listener to answers, until told to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use graflow_lineage::manager::LineageManager;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::connections::Connections;
use crate::router::service;
use crate::settings::Settings;
use crate::state::{Api, blocking};

/// How often executions that fell silent are looked for.
const TICK: Duration = Duration::from_secs(1);

/// Why the address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Everybody on the network could read and write.
    #[error(
        "refusing to listen on {0} without a token; hint: give --token-file or GRAFLOW_LINEAGE_TOKEN, or listen on 127.0.0.1"
    )]
    PublicWithoutToken(String),
    /// Somebody else listens there.
    #[error(
        "{0} is in use; hint: another server may run already (`graflow lineage status`), or choose another --port"
    )]
    InUse(String),
    /// The system says no.
    #[error("cannot listen on {address}")]
    Io {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Listens on the address of the settings.
///
/// # Errors
/// When it is in use, or public without a token.
pub async fn bind(settings: &Settings) -> Result<TcpListener, BindError> {
    let (host, port) = (settings.host.as_str(), settings.port);
    let address = if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(address.clone()),
        _ => BindError::Io { address: address.clone(), source },
    };
    let found: Vec<SocketAddr> = tokio::net::lookup_host(&address).await.map_err(failed)?.collect();
    if settings.token.is_none() && !found.iter().all(|address| address.ip().is_loopback()) {
        return Err(BindError::PublicWithoutToken(address));
    }
    TcpListener::bind(&*found).await.map_err(failed)
}

/// Answers until `shutdown` is cancelled; then viewers are told goodbye, answers under way are finished, and
/// what is not done after the grace period is cut off.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    manager: Arc<LineageManager>,
    settings: Settings,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let grace = settings.grace;
    let api = Api::new(manager, settings, shutdown.clone());
    let ticking = tokio::spawn(tick(api.clone()));
    let mut connections = Connections::new(service(&api), shutdown.clone());
    let accepted = tokio::select! {
        ended = connections.accept(listener) => ended,
        () = shutdown.cancelled() => Ok(()),
    };
    ticking.abort();
    api.viewers.close();
    // Viewers heard the same token; they need a moment to write their goodbye.
    let all_done = async { tokio::join!(connections.finish(), api.viewers.wait()) };
    if tokio::time::timeout(grace, all_done).await.is_err() {
        let grace_s = grace.as_secs_f64();
        tracing::warn!(grace_s, "connections were still open after {grace_s} s; cut off");
    }
    accepted
}

async fn tick(api: Api) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let manager = Arc::clone(&api.manager);
        // A failure is logged where it happens; the next tick tries again.
        let _ = blocking(move || manager.tick()).await;
        if let Some(limit) = api.settings.idle_exit
            && api.idle() >= limit
        {
            tracing::info!("nobody asked for {} s; stopping", limit.as_secs());
            api.stop.cancel();
        }
    }
}
