//! One method an endpoint.

use std::sync::Arc;

use graflow_wire as wire;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use serde::de::DeserializeOwned;

use super::connection::{Connection, HttpConnection};
use super::error::ClientError;
use super::query::{Query, encode};
use crate::endpoint::Endpoint;

/// Asks a server. Clones share one connection.
///
/// Needs a tokio runtime with time and network, unless the [`Connection`] is within the process.
///
/// ```no_run
/// # async fn example() -> Result<(), graflow_client::ClientError> {
/// use graflow_client::{Client, Endpoint, Query};
/// let client = Client::to_server(Endpoint::parse("http://127.0.0.1:8000")?)?;
/// for execution in client.executions(&Query::new().limit(10)).await?.executions {
///     println!("{} {}", execution.execution_id, execution.workflow_name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    connection: Arc<dyn Connection>,
}

/// Declares methods for `GET` of a path: `{}` in it are filled, percent-encoded, with the arguments.
macro_rules! get {
    ($($(#[$doc:meta])* $name:ident($($argument:ident),*) -> $answer:ty = $path:literal;)*) => {$(
        $(#[$doc])*
        pub async fn $name(&self, $($argument: &str,)* query: &Query) -> Result<$answer, ClientError> {
            self.get(&path($path, &[$($argument),*]), query).await
        }
    )*};
}

impl Client {
    /// Asks that server.
    pub fn to_server(endpoint: Endpoint) -> Result<Self, ClientError> {
        Ok(Self::over(Arc::new(HttpConnection::new(endpoint)?)))
    }

    /// Asks over any connection.
    pub fn over(connection: Arc<dyn Connection>) -> Self {
        Self { connection }
    }

    /// What is asked.
    pub fn address(&self) -> String {
        self.connection.address()
    }

    get! {
        /// Version, instance id, limits.
        server() -> wire::ServerInfo = "/api/server";
        /// Whether the process answers.
        health() -> wire::Health = "/health";
        /// Whether it can take events and questions.
        ready() -> wire::Ready = "/ready";
        /// Runs, newest first.
        executions() -> wire::ExecutionList = "/api/executions";
        /// One run with its task executions.
        execution(execution_id) -> wire::ExecutionDetail = "/api/executions/{}";
        /// The task graph of the newest run, or of the one that the query names.
        current_graph() -> wire::Graph = "/api/graph/current";
        /// The task graph of a run.
        graph(execution_id) -> wire::Graph = "/api/executions/{}/graph";
        /// Who wrote what, and who read it.
        data(execution_id) -> wire::DataLineage = "/api/executions/{}/data";
        /// The run's events as they came, by number.
        events(execution_id) -> wire::Events = "/api/executions/{}/events";
        /// The run's task executions.
        task_executions(execution_id) -> wire::TaskExecutions = "/api/executions/{}/task_executions";
        /// The run's bars on the time axis.
        timeline(execution_id) -> wire::Timeline = "/api/executions/{}/timeline";
        /// What people should know about the run.
        findings(execution_id) -> wire::Findings = "/api/executions/{}/findings";
        /// The run's log lines.
        logs(execution_id) -> wire::Logs = "/api/executions/{}/logs";
        /// One task execution in full.
        task_execution(task_execution_id) -> wire::TaskExecutionDetail = "/api/task_executions/{}";
        /// A task over all runs, newest first.
        task_history(task_id) -> wire::TaskHistory = "/api/tasks/{}/history";
        /// Workflows by name.
        workflows() -> wire::WorkflowList = "/api/workflows";
        /// A workflow with its runs.
        workflow(workflow_name) -> wire::WorkflowDetail = "/api/workflows/{}";
        /// Counts and durations.
        metrics_summary() -> wire::MetricsSummary = "/api/metrics/summary";
        /// Counts and durations over time.
        metrics_series() -> wire::Series = "/api/metrics/series";
        /// Runs, workflows and tasks whose id or name holds a text.
        search() -> wire::SearchAnswer = "/api/search";
    }

    /// Hands events in, one a line; on disk when it returns.
    pub async fn post_events(&self, lines: Vec<u8>) -> Result<wire::PostAnswer, ClientError> {
        self.ask(Method::POST, "/api/events", Some(("application/x-ndjson", lines))).await
    }

    /// Deletes runs, or says what would be deleted.
    pub async fn delete(&self, request: &wire::DeleteRequest) -> Result<wire::DeletedAnswer, ClientError> {
        let body = serde_json::to_vec(request).map_err(|error| ClientError::Setup(error.to_string()))?;
        self.ask(Method::POST, "/api/executions/delete", Some(("application/json", body))).await
    }

    /// Deletes one run.
    pub async fn delete_execution(&self, execution_id: &str) -> Result<wire::DeletedAnswer, ClientError> {
        self.ask(Method::DELETE, &path("/api/executions/{}", &[execution_id]), None).await
    }

    /// `GET` of any path that answers JSON, such as those that a live stream's greeting names.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &Query) -> Result<T, ClientError> {
        self.ask(Method::GET, &format!("{path}{query}"), None).await
    }

    /// `GET` of any path, as text: Prometheus' metrics, for one.
    pub async fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let body = self.call(Method::GET, path, None).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        content: Option<(&str, Vec<u8>)>,
    ) -> Result<T, ClientError> {
        let body = self.call(method, path, content).await?;
        serde_json::from_slice(&body).map_err(|error| self.not_lineage(format!("{path}: {error}")))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        content: Option<(&str, Vec<u8>)>,
    ) -> Result<Vec<u8>, ClientError> {
        let mut request = Request::builder().method(method).uri(path).header(ACCEPT, "application/json");
        let mut body = Vec::new();
        if let Some((content_type, content)) = content {
            request = request.header(CONTENT_TYPE, content_type);
            body = content;
        }
        let request = request.body(body).map_err(|error| ClientError::Setup(error.to_string()))?;
        let response = self.connection.call(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response.into_body());
        }
        match serde_json::from_slice(response.body()) {
            Ok(body) => Err(ClientError::Refused { status, body }),
            Err(_) => Err(self.not_lineage(format!("status {status}"))),
        }
    }

    fn not_lineage(&self, reason: String) -> ClientError {
        ClientError::NotLineage { address: self.address(), reason }
    }
}

/// Fills each `{}` of the template.
fn path(template: &str, arguments: &[&str]) -> String {
    let mut parts = template.split("{}");
    let mut path = parts.next().unwrap_or_default().to_owned();
    for (part, argument) in parts.zip(arguments) {
        encode(argument, &mut path);
        path.push_str(part);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_one_part_of_the_path() {
        assert_eq!(
            path("/api/tasks/{}/history", &["price/eu ?#é"]),
            "/api/tasks/price%2Feu%20%3F%23%C3%A9/history"
        );
        assert_eq!(path("/health", &[]), "/health");
    }
}
