//! Where commands read from: the server that owns the data folder, else the folder itself, by the same questions.

mod folder;

use std::time::Duration;

use graflow_client::{Client, ClientError, Endpoint, Query};
use graflow_local::DataFolder;
use graflow_model::{ExecutionId, ExecutionStatus, Seq, TaskId, Timestamp, WorkflowName};
use graflow_wire::{
    DeleteRequest, DeletedAnswer, Events, Execution, ExecutionList, Finding, Graph, Logs, MetricsSummary,
    PostAnswer, ServerInfo, TaskExecution,
};

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;

/// How long a server may take to make what is on disk readable before we go on without.
const CATCH_UP: Duration = Duration::from_mins(2);
/// Rows of a page: the server's own limit.
const PAGE: usize = 5_000;

/// Answers questions.
#[derive(Debug)]
pub(crate) struct Source {
    client: Client,
    /// The server that answers; none = the folder is read in this process.
    endpoint: Option<Endpoint>,
}

/// Which executions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ExecutionsQuery {
    pub(crate) id_prefix: Option<String>,
    /// In its id, workflow name, error or labels.
    pub(crate) text: Option<String>,
    pub(crate) workflow_name: Option<WorkflowName>,
    pub(crate) status: Vec<ExecutionStatus>,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) started_after: Option<Timestamp>,
    pub(crate) started_before: Option<Timestamp>,
    pub(crate) limit: usize,
    pub(crate) cursor: Option<String>,
}

/// Which log lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogsQuery {
    pub(crate) execution_id: ExecutionId,
    pub(crate) task_id: Option<TaskId>,
    pub(crate) level: Option<String>,
    /// Only lines after this number.
    pub(crate) after: Seq,
    pub(crate) cursor: Option<String>,
}

impl Source {
    /// For reading: the server that was named, or the owner of the data folder, or the folder as it stands.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        match Self::find(config).await? {
            Some(source) => Ok(source),
            None => Ok(Self { client: Client::over(folder::read(config).await?), endpoint: None }),
        }
    }

    /// For those who change what is there.
    pub(crate) async fn open_to_change(config: &Config) -> anyhow::Result<Self> {
        match Self::find(config).await? {
            Some(source) => Ok(source),
            None => Self::own_folder(config).await,
        }
    }

    /// For those who wait for what comes: only the folder's owner hears of it. Where it cannot be owned, it is read.
    pub(crate) async fn open_to_follow(config: &Config) -> anyhow::Result<Self> {
        match Self::open_to_change(config).await {
            Err(error) if error.downcast_ref::<Failure>().map(Failure::exit) == Some(Exit::Folder) => {
                Self::open(config).await
            }
            opened => opened,
        }
    }

    /// The server, if one answers; else there must be a folder.
    async fn find(config: &Config) -> anyhow::Result<Option<Self>> {
        match server(config).await {
            Some(endpoint) => Self::to_server(endpoint).map(Some),
            None if config.data_dir.is_dir() => Ok(None),
            None => {
                let failure = Failure::new(
                    Exit::NotFound,
                    format!("there is no data folder at {}", config.data_dir.display()),
                );
                Err(failure.hint("a workflow that records makes it, and so does `graflow lineage serve`; --data-dir names another").into())
            }
        }
    }

    /// The same, but a folder that is not there is made.
    pub(crate) async fn open_or_create(config: &Config) -> anyhow::Result<Self> {
        match server(config).await {
            Some(endpoint) => Self::to_server(endpoint),
            None => Self::own_folder(config).await,
        }
    }

    async fn own_folder(config: &Config) -> anyhow::Result<Self> {
        Ok(Self { client: Client::over(folder::own(config).await?), endpoint: None })
    }

    pub(crate) fn to_server(endpoint: Endpoint) -> anyhow::Result<Self> {
        let client = Client::to_server(endpoint.clone()).map_err(failure)?;
        Ok(Self { client, endpoint: Some(endpoint) })
    }

    /// The server that answers; none = the folder is read in this process.
    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    pub(crate) async fn server(&self) -> anyhow::Result<ServerInfo> {
        self.client.server(&Query::new()).await.map_err(failure)
    }

    pub(crate) async fn metrics(&self) -> anyhow::Result<MetricsSummary> {
        self.client.metrics_summary(&Query::new()).await.map_err(failure)
    }

    /// One page.
    pub(crate) async fn executions(&self, query: &ExecutionsQuery) -> anyhow::Result<ExecutionList> {
        let mut asked = Query::new()
            .set_some("id_prefix", query.id_prefix.as_ref())
            .set_some("q", query.text.as_ref())
            .set_some("workflow_name", query.workflow_name.as_ref())
            .set_some("started_after", query.started_after)
            .set_some("started_before", query.started_before)
            .set_some("cursor", query.cursor.as_ref())
            .limit(query.limit.clamp(1, PAGE));
        if !query.status.is_empty() {
            let words: Vec<&str> = query.status.iter().map(|status| status.as_str()).collect();
            asked = asked.set("status", words.join(","));
        }
        for (key, value) in &query.labels {
            asked = asked.label(key, value);
        }
        self.client.executions(&asked).await.map_err(failure)
    }

    /// As many as the query's limit says, over pages, and whether there are more.
    pub(crate) async fn newest(&self, mut query: ExecutionsQuery) -> anyhow::Result<(Vec<Execution>, bool)> {
        let limit = query.limit;
        let mut executions = Vec::new();
        while executions.len() < limit {
            query.limit = limit - executions.len();
            let page = self.executions(&query).await?;
            executions.extend(page.executions);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return Ok((executions, false));
            }
        }
        Ok((executions, true))
    }

    pub(crate) async fn execution(&self, id: &ExecutionId) -> anyhow::Result<Execution> {
        let detail = self.client.execution(id.as_str(), &Query::new().limit(1)).await.map_err(failure)?;
        Ok(detail.execution)
    }

    pub(crate) async fn graph(&self, id: &ExecutionId, at: Option<&str>) -> anyhow::Result<Graph> {
        self.client.graph(id.as_str(), &Query::new().set_some("at", at)).await.map_err(failure)
    }

    pub(crate) async fn findings(&self, id: &ExecutionId) -> anyhow::Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let query = Query::new().limit(PAGE).set_some("cursor", cursor.as_ref());
            let page = self.client.findings(id.as_str(), &query).await.map_err(failure)?;
            findings.extend(page.findings);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(findings);
            }
        }
    }

    /// All of them, or none when there are more than `most`.
    pub(crate) async fn task_executions(
        &self,
        id: &ExecutionId,
        most: usize,
    ) -> anyhow::Result<Option<Vec<TaskExecution>>> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let query = Query::new().limit(PAGE).set_some("cursor", cursor.as_ref());
            let page = self.client.task_executions(id.as_str(), &query).await.map_err(failure)?;
            rows.extend(page.task_executions);
            cursor = page.next_cursor;
            match (cursor.is_none(), rows.len() > most) {
                (_, true) => return Ok(None),
                (true, false) => return Ok(Some(rows)),
                (false, false) => {}
            }
        }
    }

    /// A task's executions over all runs, newest first.
    pub(crate) async fn history(
        &self,
        task: &TaskId,
        workflow: Option<&WorkflowName>,
        limit: usize,
    ) -> anyhow::Result<Vec<TaskExecution>> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        while rows.len() < limit {
            let query = Query::new()
                .set_some("workflow_name", workflow)
                .set_some("cursor", cursor.as_ref())
                .limit((limit - rows.len()).min(PAGE));
            let page = match self.client.task_history(task.as_str(), &query).await {
                Err(error) if error.is_not_found() => return Ok(rows),
                page => page.map_err(failure)?,
            };
            rows.extend(page.executions);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(rows)
    }

    /// One page.
    pub(crate) async fn logs(&self, query: &LogsQuery) -> anyhow::Result<Logs> {
        let asked = Query::new()
            .limit(PAGE)
            .set_some("task_id", query.task_id.as_ref())
            .set_some("level", query.level.as_ref())
            .after(query.after)
            .set_some("cursor", query.cursor.as_ref());
        self.client.logs(query.execution_id.as_str(), &asked).await.map_err(failure)
    }

    /// One page of the log.
    pub(crate) async fn events(&self, id: &ExecutionId, cursor: Option<&str>) -> anyhow::Result<Events> {
        let query = Query::new().limit(EVENTS_PAGE).set_some("cursor", cursor);
        self.client.events(id.as_str(), &query).await.map_err(failure)
    }

    /// Hands events in, one a line; on disk when it returns.
    pub(crate) async fn post_events(&self, lines: Vec<u8>) -> Result<PostAnswer, ClientError> {
        self.client.post_events(lines).await
    }

    /// Waits until everything that is on disk can be read, as long as that comes nearer.
    pub(crate) async fn wait_until_readable(&self, mut told: impl FnMut(u64)) -> anyhow::Result<()> {
        let start = tokio::time::Instant::now();
        let mut wanted = None;
        loop {
            match self.client.ready(&Query::new()).await {
                Ok(ready) if ready.applied_seq >= *wanted.get_or_insert(ready.last_seq) => return Ok(()),
                Ok(ready) => told(ready.applied_seq.0),
                // So far behind that the server calls itself not ready.
                Err(ClientError::Refused { status, .. }) if status.as_u16() == 503 => {}
                Err(error) => return Err(failure(error)),
            }
            if start.elapsed() > CATCH_UP {
                eprintln!("the events are on disk; reading them lags behind");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn delete(&self, request: &DeleteRequest) -> anyhow::Result<DeletedAnswer> {
        self.client.delete(request).await.map_err(failure)
    }
}

/// Events may be large: a page of them stays some megabytes.
const EVENTS_PAGE: usize = 1_000;

/// The server to ask: the one that was named, else the owner of the data folder, if that is a server.
pub(crate) async fn server(config: &Config) -> Option<Endpoint> {
    if let Some(endpoint) = &config.endpoint {
        return Some(endpoint.clone());
    }
    let endpoint = graflow_local::discover_owner(&DataFolder::at(&config.data_dir)).await?;
    Some(endpoint.with_token(config.token.clone()))
}

/// What a client says, with a code to end with and what to do about it.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(crate) fn failure(error: ClientError) -> anyhow::Error {
    let exit = match &error {
        ClientError::Unreachable { .. } | ClientError::NotLineage { .. } => Exit::Unreachable,
        ClientError::Endpoint(_) | ClientError::Setup(_) => Exit::Usage,
        ClientError::Refused { status, .. } => match status.as_u16() {
            401 | 403 => Exit::Refused,
            404 => Exit::NotFound,
            400 | 422 => Exit::Usage,
            507 => Exit::Folder,
            _ => Exit::Unexpected,
        },
    };
    Failure::new(exit, error.to_string()).hint(error.hint()).into()
}
