//! Connections: how many there may be, and how long each may dawdle.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections at the same time; who comes when there are so many waits in the system's queue.
const MOST_CONNECTIONS: usize = 10_000;
/// A request's head must come within this time: nobody holds a connection by dripping.
const MOST_HEAD_TIME: Duration = Duration::from_secs(20);
/// After an error of the system, such as too many open files, it is worth trying again.
const BREATH: Duration = Duration::from_millis(200);

/// All connections of a server.
pub(crate) struct Connections {
    service: Router,
    room: Arc<Semaphore>,
    stop: CancellationToken,
    /// Dropping it cuts off what is left.
    tasks: JoinSet<()>,
}

impl Connections {
    /// Connections that end when `stop` is cancelled, each after the answer that it is at.
    pub(crate) fn new(service: Router, stop: CancellationToken) -> Self {
        Self { service, room: Arc::new(Semaphore::new(MOST_CONNECTIONS)), stop, tasks: JoinSet::new() }
    }

    /// Takes connections, for ever.
    pub(crate) async fn accept(&mut self, listener: TcpListener) -> io::Result<()> {
        loop {
            let room = Arc::clone(&self.room).acquire_owned().await.map_err(io::Error::other)?;
            match listener.accept().await {
                Ok((stream, _)) => self.serve(stream, room),
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "a connection could not be taken");
                    tokio::time::sleep(BREATH).await;
                }
            }
            // Ended ones need not be remembered.
            while self.tasks.try_join_next().is_some() {}
        }
    }

    /// Waits until all have ended.
    pub(crate) async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    fn serve(&mut self, stream: TcpStream, room: tokio::sync::OwnedSemaphorePermit) {
        // Messages of the live stream are small, and each matters now.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "a connection keeps the system's delay");
        }
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(MOST_HEAD_TIME)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(self.service.clone()))
            .with_upgrades();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(error = %error, "a connection broke off");
            }
            drop(room);
        });
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
