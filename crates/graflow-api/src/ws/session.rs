//! One viewer's stream, from greeting to goodbye.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::SinkExt;
use graflow_lineage::live::{Filter, Subscription, Update, UpdateKind};
use graflow_lineage::manager::{LineageManager, Snapshot};
use graflow_lineage::store::StoreError;
use graflow_model::{Project, Seq};
use graflow_wire::{Hello, Ping, Resync, Rows, message_type};
use tokio::time::{Instant, MissedTickBehavior};

use super::render;
use crate::convert;
use crate::error::ApiError;
use crate::settings::{REPLAY_EVENTS, SNAPSHOT_ROWS};
use crate::state::Api;

/// How often a viewer hears that the stream lives.
const PING: Duration = Duration::from_secs(1);
/// What comes within this time after a delivery is written at once. The first update after a silence does not wait.
const GATHER: Duration = Duration::from_millis(3);
/// Updates that are written before the viewer is listened to again.
const DELIVERY: usize = 256;
/// A viewer that takes nothing for so long is given up.
const MOST_STALL: Duration = Duration::from_mins(1);
/// Events that are read from the log at once.
const STRETCH: usize = 1_000;

/// Why a stream ends.
enum End {
    /// The viewer went, or takes nothing any more.
    Gone,
    /// The server stops.
    Stop,
    /// The server's fault.
    Fault,
}

struct Session {
    api: Api,
    socket: WebSocket,
    subscription: Arc<Subscription>,
    /// Every event up to here has been sent, or is in what was.
    position: Seq,
}

/// Tells a viewer what happens, until one of the two goes.
pub(super) async fn run(api: Api, socket: WebSocket, project: Project, filter: Filter, after: Option<Seq>) {
    let subscription = Arc::new(api.manager.subscribe(project, filter));
    let mut session = Session { api, socket, subscription, position: Seq::ZERO };
    let end = match session.begin(after).await {
        Ok(()) => session.go_on().await,
        Err(end) => end,
    };
    let frame = match end {
        End::Gone => return,
        End::Stop => CloseFrame { code: close_code::AWAY, reason: "the server stops".into() },
        End::Fault => CloseFrame { code: close_code::ERROR, reason: "the server failed".into() },
    };
    let goodbye = session.socket.send(Message::Close(Some(frame)));
    // Who does not take the goodbye is gone already.
    let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
}

impl Session {
    async fn begin(&mut self, after: Option<Seq>) -> Result<(), End> {
        let folded = self.blocking(|manager, subscription| Ok(manager.folded_seq(subscription))).await?;
        let Some(after) = after else {
            let (as_of_seq, rows, fetch) = self.snapshot().await?;
            self.hello(as_of_seq, None, rows, fetch).await?;
            return self.catch_up(as_of_seq).await;
        };
        // What is not folded yet comes through the subscription; what never was here is another store's.
        let last = self.api.manager.store().last_seq();
        if after <= last && folded.0.saturating_sub(after.0) <= REPLAY_EVENTS {
            self.hello(after, Some(after), None, None).await?;
            self.catch_up(after).await
        } else {
            self.hello(folded, None, None, None).await?;
            self.resync("behind").await
        }
    }

    async fn go_on(&mut self) -> End {
        let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = self.api.stop.clone();
        let subscription = Arc::clone(&self.subscription);
        let mut next_delivery = Instant::now();
        loop {
            let ready = async {
                subscription.ready().await;
                tokio::time::sleep_until(next_delivery).await;
            };
            let delivered = tokio::select! {
                () = stop.cancelled() => return End::Stop,
                incoming = self.socket.recv() => match incoming {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Gone,
                    Some(Ok(_)) => continue,
                },
                () = ready => self.deliver().await.map(|drained| {
                    if drained {
                        next_delivery = Instant::now() + GATHER;
                    }
                }),
                _ = ping.tick() => self.ping().await,
            };
            if let Err(end) = delivered {
                return end;
            }
        }
    }

    /// Sends what there is, not too much at once; says whether that was all.
    async fn deliver(&mut self) -> Result<bool, End> {
        let taken = self.subscription.take(DELIVERY);
        if taken.fell_off {
            self.resync("slow").await?;
        }
        self.send_updates(&taken.updates).await?;
        // What was passed over by the filter has been told too.
        self.position = self.position.max(taken.published.unwrap_or_default());
        Ok(taken.published.is_some())
    }

    async fn send_updates(&mut self, updates: &[Arc<Update>]) -> Result<(), End> {
        let position = self.position;
        let is_new = |update: &&Arc<Update>| match update.kind {
            UpdateKind::Event(_) => update.seq > position,
            UpdateKind::Turned(_) => true,
        };
        let updates: Vec<Arc<Update>> = updates.iter().filter(is_new).cloned().collect();
        let Some(last) = updates.iter().map(|update| update.seq).max() else { return Ok(()) };
        let must_look = updates.iter().any(|update| update.lacks_rows());
        let render = move |manager: &LineageManager, subscription: &Subscription| {
            let (project, filter) = (subscription.project(), subscription.filter());
            let texts = updates.iter().map(|update| render::update(manager, project, filter, update));
            texts.filter_map(Result::transpose).collect::<Result<Vec<_>, StoreError>>()
        };
        let texts = if must_look {
            self.blocking(render).await?
        } else {
            render(&self.api.manager, &self.subscription).map_err(|_| End::Fault)?
        };
        self.send(texts).await?;
        self.position = self.position.max(last);
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), End> {
        self.deliver().await?;
        let last_seq = self.api.manager.store().last_seq();
        self.say(message_type::PING, self.position, &Ping { last_seq }).await
    }

    /// The viewer begins anew from a snapshot.
    async fn resync(&mut self, reason: &str) -> Result<(), End> {
        let (as_of_seq, rows, fetch) = self.snapshot().await?;
        let resync = Resync { reason: reason.to_owned(), as_of_seq, rows, fetch };
        self.say(message_type::RESYNC, as_of_seq, &resync).await?;
        self.catch_up(as_of_seq).await
    }

    async fn hello(
        &mut self,
        as_of_seq: Seq,
        resumed_after: Option<Seq>,
        rows: Option<Rows>,
        fetch: Option<Vec<String>>,
    ) -> Result<(), End> {
        let instance_id = self.api.settings.instance_id.clone();
        let hello = Hello { instance_id, as_of_seq, resumed_after, rows, fetch };
        self.say(message_type::HELLO, as_of_seq, &hello).await
    }

    /// Where things stand: as rows, or where to fetch them when there are too many for a message.
    async fn snapshot(&mut self) -> Result<(Seq, Option<Rows>, Option<Vec<String>>), End> {
        let snapshot = self.blocking(|manager, subscription| manager.snapshot(subscription, SNAPSHOT_ROWS));
        let Snapshot { as_of_seq, rows } = snapshot.await?;
        let rows = rows.map(convert::rows);
        let fetch = rows.is_none().then(|| self.fetch());
        Ok((as_of_seq, rows, fetch))
    }

    fn fetch(&self) -> Vec<String> {
        let prefix = &self.api.settings.path_prefix;
        let filter = self.subscription.filter();
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        match (&filter.execution_id, &filter.workflow_name) {
            (Some(id), _) => {
                // In a path a space is %20, not the plus of a form.
                let id = encode(id.as_str()).replace('+', "%20");
                vec![format!("{prefix}/api/executions/{id}"), format!("{prefix}/api/executions/{id}/graph")]
            }
            (None, Some(name)) => {
                vec![format!("{prefix}/api/executions?workflow_name={}", encode(name.as_str()))]
            }
            (None, None) => vec![format!("{prefix}/api/executions")],
        }
    }

    /// Sends what lies between `from` and what was folded when this began, out of the log. Later events are
    /// in the subscription already.
    async fn catch_up(&mut self, from: Seq) -> Result<(), End> {
        self.position = from;
        let until = self.blocking(|manager, subscription| Ok(manager.folded_seq(subscription))).await?;
        while self.position < until {
            let position = self.position;
            let replay = move |manager: &LineageManager, subscription: &Subscription| {
                let (told, reached) = manager.replay(subscription, position, until, STRETCH)?;
                Ok((told.into_iter().map(render::told).collect::<Vec<_>>(), reached))
            };
            let (texts, reached) = self.blocking(replay).await?;
            self.send(texts).await?;
            // A log that ends early has been cut off by retention: there is nothing more to tell.
            self.position = if reached > position { reached } else { until };
        }
        Ok(())
    }

    async fn say(&mut self, kind: &str, seq: Seq, data: &impl serde::Serialize) -> Result<(), End> {
        let now = self.api.manager.clock().now();
        self.send(vec![render::control(kind, now, seq, data)]).await
    }

    async fn send(&mut self, texts: Vec<Arc<str>>) -> Result<(), End> {
        let stop = self.api.stop.clone();
        let socket = &mut self.socket;
        for text in texts {
            let writing = tokio::time::timeout(MOST_STALL, socket.feed(Message::text(&*text)));
            tokio::select! {
                biased;
                written = writing => match written {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) | Err(_) => return Err(End::Gone),
                },
                () = stop.cancelled() => return Err(End::Stop),
            }
        }
        tokio::select! {
            biased;
            written = tokio::time::timeout(MOST_STALL, self.socket.flush()) => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(End::Gone),
            },
            () = stop.cancelled() => Err(End::Stop),
        }
    }

    /// Asks the manager on a thread for blocking work. The future holds no part of the socket.
    fn blocking<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&LineageManager, &Subscription) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, End>> + Send + 'static {
        let (api, subscription) = (self.api.clone(), Arc::clone(&self.subscription));
        // What went wrong is logged where it is turned into an error of the API.
        async move { api.read(move |manager| ask(manager, &subscription)).await.map_err(|_: ApiError| End::Fault) }
    }
}
