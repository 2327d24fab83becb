//! A stream that outlives its connections.

use std::time::Duration;

use fastrand::Rng;
use futures_util::StreamExt;
use graflow_model::{ExecutionId, Seq, WorkflowName};
use graflow_wire::{
    Edge, EventDelta, Execution, GraphRows, LivenessChange, Message, MessageData, Node, Ping, Rows,
    TaskExecution,
};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::socket::{self, Socket};
use super::view::View;
use crate::client::{Client, ClientError, Query};
use crate::endpoint::Endpoint;

/// The server pings each second; after this long without a word the connection is dead.
const SILENCE: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(5);

/// What to watch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveSettings {
    /// Only this run.
    pub execution_id: Option<ExecutionId>,
    /// Only runs of this workflow.
    pub workflow_name: Option<WorkflowName>,
    /// Go on after this number instead of beginning with a snapshot.
    pub after: Option<Seq>,
}

/// What [`Live::next`] saw. The view has taken it in already.
#[derive(Debug, Clone)]
pub enum Change {
    /// The view was begun anew, from a snapshot.
    Snapshot,
    /// An event and the rows that it changed. The view may know some of these rows in a later state.
    Event(Seq, EventDelta),
    /// An execution gives no sign of life any more.
    Lost(LivenessChange),
    /// A lost execution gave a sign of life.
    Revived(LivenessChange),
    /// Everything up to [`Live::seq`] has been told.
    Ping(Ping),
    /// The connection is gone; the next call goes on with a new one, from where this one ended.
    Disconnected {
        /// Why.
        reason: String,
    },
}

/// What is known of a server's runs, kept up to date.
///
/// ```no_run
/// # async fn example() -> Result<(), graflow_client::ClientError> {
/// use graflow_client::live::{Change, Live, LiveSettings};
/// let endpoint = graflow_client::Endpoint::parse("http://127.0.0.1:8000")?;
/// let mut live = Live::new(endpoint, LiveSettings::default())?;
/// loop {
///     if let Change::Event(seq, _) = live.next().await? {
///         println!("{seq}: {} runs", live.view().executions().count());
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Live {
    endpoint: Endpoint,
    client: Client,
    settings: LiveSettings,
    view: View,
    /// Everything up to here is in the view; none = nothing is known.
    seq: Option<Seq>,
    instance_id: Option<String>,
    socket: Option<Socket>,
    /// Whether there ever was a connection; the first one that fails is an error, later ones are tried again.
    connected: bool,
    failures: u32,
    retry_at: Instant,
    rng: Rng,
}

impl Live {
    /// A stream from that server; [`Live::next`] connects.
    pub fn new(endpoint: Endpoint, settings: LiveSettings) -> Result<Self, ClientError> {
        Ok(Self {
            client: Client::to_server(endpoint.clone())?,
            endpoint,
            view: View::default(),
            seq: settings.after,
            settings,
            instance_id: None,
            socket: None,
            connected: false,
            failures: 0,
            retry_at: Instant::now(),
            rng: Rng::new(),
        })
    }

    /// What is known.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Every event up to here, as far as the stream is about it, is in the view.
    pub fn seq(&self) -> Seq {
        self.seq.unwrap_or_default()
    }

    /// Waits for the next change. May be dropped and called again at any time.
    ///
    /// # Errors
    /// When the first connection fails, and whenever the server refuses (a wrong token, say). A connection that breaks
    /// later is no error: it is told as [`Change::Disconnected`] and made anew.
    pub async fn next(&mut self) -> Result<Change, ClientError> {
        loop {
            let Some(socket) = &mut self.socket else {
                sleep_until(self.retry_at).await;
                if let Some(change) = self.connect().await? {
                    return Ok(change);
                }
                continue;
            };
            let frame = match timeout(SILENCE, socket.next()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Ok(self.disconnected(error.to_string())),
                Ok(None) => return Ok(self.disconnected("the server closed the stream".into())),
                Err(_) => return Ok(self.disconnected("the server is silent".into())),
            };
            let message: Message = match frame {
                Frame::Text(text) => match serde_json::from_str(&text) {
                    Ok(message) => message,
                    Err(error) => return Err(self.not_lineage(&error)),
                },
                Frame::Close(_) => return Ok(self.disconnected("the server closed the stream".into())),
                _ => continue,
            };
            if let Some(change) = self.take(&message).await? {
                return Ok(change);
            }
        }
    }

    async fn connect(&mut self) -> Result<Option<Change>, ClientError> {
        let query = Query::new()
            .set_some("execution_id", self.settings.execution_id.as_ref())
            .set_some("workflow_name", self.settings.workflow_name.as_ref())
            .set_some("after", self.seq);
        let connecting = timeout(CONNECT_TIMEOUT, socket::connect(&self.endpoint, &query)).await;
        let connected = connecting.unwrap_or_else(|_| {
            let reason = "the server does not answer in time".into();
            Err(ClientError::Unreachable { address: self.endpoint.to_string(), reason })
        });
        match connected {
            Ok(socket) => {
                self.socket = Some(socket);
                self.connected = true;
                Ok(None)
            }
            Err(ClientError::Unreachable { reason, .. }) if self.connected => {
                Ok(Some(self.disconnected(reason)))
            }
            // A server that is starting or ending answers 503 for a while.
            Err(ClientError::Refused { status, body }) if self.connected && status.is_server_error() => {
                Ok(Some(self.disconnected(body.error)))
            }
            Err(error) => Err(error),
        }
    }

    async fn take(&mut self, message: &Message) -> Result<Option<Change>, ClientError> {
        let data = message.read().map_err(|error| self.not_lineage(&error))?;
        let change = match data {
            MessageData::Hello(hello) => {
                let resumed = hello.resumed_after.is_some();
                let other = self.instance_id.as_ref().is_some_and(|known| *known != hello.instance_id);
                self.instance_id = Some(hello.instance_id);
                if resumed && other {
                    // Its numbers may mean other events: begin anew.
                    self.socket = None;
                    self.seq = None;
                    return Ok(None);
                }
                self.failures = 0;
                // A greeting without anything is followed by a resync that says why.
                if hello.rows.is_none() && hello.fetch.is_none() {
                    return Ok(None);
                }
                self.begin_anew(hello.as_of_seq, hello.rows, hello.fetch).await?
            }
            MessageData::Resync(resync) => {
                self.begin_anew(resync.as_of_seq, resync.rows, resync.fetch).await?
            }
            MessageData::Event(delta) => {
                self.view.apply(message.seq, delta.rows.clone());
                Change::Event(message.seq, delta)
            }
            MessageData::Lost(change) => {
                self.view.apply(message.seq, change.rows.clone());
                Change::Lost(change)
            }
            MessageData::Revived(change) => {
                self.view.apply(message.seq, change.rows.clone());
                Change::Revived(change)
            }
            MessageData::Ping(ping) => Change::Ping(ping),
        };
        self.seq = self.seq.max(Some(message.seq));
        Ok(Some(change))
    }

    /// Takes the snapshot, from the message or from where it says.
    async fn begin_anew(
        &mut self,
        as_of_seq: Seq,
        rows: Option<Rows>,
        fetch: Option<Vec<String>>,
    ) -> Result<Change, ClientError> {
        self.view = View::default();
        // Without a number a new connection begins anew too: so this may be given up half-way.
        self.seq = None;
        let socket = self.socket.take();
        if let Some(rows) = rows {
            self.view.apply(as_of_seq, rows);
        }
        for path in fetch.unwrap_or_default() {
            match self.fetch(&path).await {
                Ok(()) => {}
                Err(ClientError::Unreachable { reason, .. }) => return Ok(self.disconnected(reason)),
                // What was there when the stream began may be deleted by now.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        self.socket = socket;
        self.seq = Some(as_of_seq);
        Ok(Change::Snapshot)
    }

    async fn fetch(&mut self, path: &str) -> Result<(), ClientError> {
        let mut cursor: Option<String> = None;
        loop {
            let separator = if path.contains('?') { "&" } else { "?" };
            let page = cursor.as_ref().map(|cursor| Query::new().cursor(cursor).to_string());
            let page = page.map(|page| page.replacen('?', separator, 1)).unwrap_or_default();
            let answer: Snapshot = self.client.get(&format!("{path}{page}"), &Query::new()).await?;
            cursor.clone_from(&answer.next_cursor);
            self.view.apply(answer.as_of_seq, answer.into_rows());
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    fn disconnected(&mut self, reason: String) -> Change {
        self.socket = None;
        self.failures = self.failures.saturating_add(1);
        let full = RETRY_FIRST.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        let wait = full.min(RETRY_LONGEST).mul_f64(0.5 + self.rng.f64() / 2.0);
        self.retry_at = Instant::now() + wait;
        Change::Disconnected { reason }
    }

    fn not_lineage(&self, error: &serde_json::Error) -> ClientError {
        ClientError::NotLineage { address: self.endpoint.to_string(), reason: error.to_string() }
    }
}

/// Any REST answer that holds rows: one execution, a list of them, task executions, a graph.
#[derive(Deserialize)]
struct Snapshot {
    as_of_seq: Seq,
    next_cursor: Option<String>,
    execution: Option<Execution>,
    #[serde(default)]
    executions: Vec<Execution>,
    #[serde(default)]
    task_executions: Vec<TaskExecution>,
    execution_id: Option<ExecutionId>,
    #[serde(default)]
    nodes: Vec<Node>,
    #[serde(default)]
    edges: Vec<Edge>,
}

impl Snapshot {
    fn into_rows(self) -> Rows {
        let graph = self.execution_id.map(|execution_id| GraphRows {
            execution_id,
            nodes: self.nodes,
            edges: self.edges,
            removed_nodes: Vec::new(),
            removed_edges: Vec::new(),
        });
        Rows {
            executions: self.execution.into_iter().chain(self.executions).collect(),
            task_executions: self.task_executions,
            graphs: graph.into_iter().collect(),
        }
    }
}
