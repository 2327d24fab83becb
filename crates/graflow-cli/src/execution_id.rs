//! How people name an execution: a unique beginning or end of its id, `latest`, or `latest:WORKFLOW`.

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
    /// An id, or the beginning or the end of one. Ids that begin with the time, as most do, differ sooner at their end: that is what
    /// pages show.
    Part(String),
}

impl FromStr for ExecutionName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once(':') {
            Some(("latest", workflow)) => Self::Latest(Some(workflow.into())),
            _ if text == "latest" => Self::Latest(None),
            _ => Self::Part(text.to_owned()),
        })
    }
}

/// How many that are alike are named in the error.
const CANDIDATES: usize = 5;
/// So many that hold the text are looked through for one that ends so.
const LOOKED_THROUGH: usize = 1_000;

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
            Self::Part(part) => {
                let query = ExecutionsQuery {
                    id_prefix: Some(part.clone()),
                    limit: CANDIDATES + 1,
                    ..ExecutionsQuery::default()
                };
                let mut found = source.executions(&query).await?.executions;
                if found.is_empty() && !part.is_empty() {
                    let query = ExecutionsQuery {
                        text: Some(part.clone()),
                        limit: LOOKED_THROUGH,
                        ..ExecutionsQuery::default()
                    };
                    found = source.executions(&query).await?.executions;
                    found.retain(|execution| execution.execution_id.as_str().ends_with(part.as_str()));
                }
                if let Some(exact) = found.iter().find(|execution| execution.execution_id.as_str() == part) {
                    return Ok(exact.execution_id.clone());
                }
                match found.as_slice() {
                    [] => Err(nothing(format!("no execution's id begins or ends with `{part}`"))
                        .hint("`graflow lineage list` shows what is there; `latest` is the newest one")
                        .into()),
                    [one] => Ok(one.execution_id.clone()),
                    several => {
                        let mut failure = nothing(format!(
                            "the ids of several executions begin or end with `{part}`; type more of it"
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
            ("01936f", ExecutionName::Part("01936f".into())),
            ("run:7", ExecutionName::Part("run:7".into())),
        ] {
            assert_eq!(text.parse::<ExecutionName>(), Ok(name), "{text}");
        }
    }
}
