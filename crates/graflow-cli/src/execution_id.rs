//! How people name an execution: a unique beginning of its id, `latest`, or `latest:WORKFLOW`.

use std::convert::Infallible;
use std::str::FromStr;

use graflow_model::{ExecutionId, WorkflowName};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::when;
use crate::source::{ExecutionsQuery, Source};

/// What was typed for an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExecutionName {
    /// The newest execution, of a workflow or of any.
    Latest(Option<WorkflowName>),
    /// An id, or the beginning of one.
    Prefix(String),
}

impl FromStr for ExecutionName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once(':') {
            Some(("latest", workflow)) => Self::Latest(Some(workflow.into())),
            _ if text == "latest" => Self::Latest(None),
            _ => Self::Prefix(text.to_owned()),
        })
    }
}

/// How many that begin alike are named in the error.
const CANDIDATES: usize = 5;

impl ExecutionName {
    /// The one execution that is meant.
    pub(crate) async fn resolve(&self, source: &Source) -> anyhow::Result<ExecutionId> {
        match self {
            Self::Latest(workflow_name) => {
                let query = ExecutionsQuery {
                    workflow_name: workflow_name.clone(),
                    limit: 1,
                    ..ExecutionsQuery::default()
                };
                let newest = source.executions(&query).await?.executions.into_iter().next();
                newest.map(|execution| execution.execution_id).ok_or_else(|| match workflow_name {
                    None => nothing("nothing has run yet").into(),
                    Some(name) => nothing(format!("no execution of the workflow `{name}`"))
                        .hint("`graflow lineage list` shows what is there")
                        .into(),
                })
            }
            Self::Prefix(prefix) => {
                let query = ExecutionsQuery {
                    id_prefix: Some(prefix.clone()),
                    limit: CANDIDATES + 1,
                    ..ExecutionsQuery::default()
                };
                let found = source.executions(&query).await?.executions;
                if let Some(exact) = found.iter().find(|execution| execution.execution_id.as_str() == prefix)
                {
                    return Ok(exact.execution_id.clone());
                }
                match found.as_slice() {
                    [] => Err(nothing(format!("no execution's id begins with `{prefix}`"))
                        .hint("`graflow lineage list` shows what is there; `latest` is the newest one")
                        .into()),
                    [one] => Ok(one.execution_id.clone()),
                    several => {
                        let mut failure = nothing(format!(
                            "the ids of several executions begin with `{prefix}`; type more of it"
                        ));
                        for execution in several.iter().take(CANDIDATES) {
                            failure = failure.hint(format!(
                                "{}  {}  {}",
                                execution.execution_id,
                                execution.workflow_name,
                                when(execution.start_time)
                            ));
                        }
                        Err(failure.into())
                    }
                }
            }
        }
    }
}

fn nothing(message: impl Into<String>) -> Failure {
    Failure::new(Exit::NotFound, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        for (text, name) in [
            ("latest", ExecutionName::Latest(None)),
            ("latest:etl", ExecutionName::Latest(Some("etl".into()))),
            ("latest:a:b", ExecutionName::Latest(Some("a:b".into()))),
            ("01936f", ExecutionName::Prefix("01936f".into())),
            ("run:7", ExecutionName::Prefix("run:7".into())),
        ] {
            assert_eq!(text.parse::<ExecutionName>(), Ok(name), "{text}");
        }
    }
}
