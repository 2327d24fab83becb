use std::collections::HashMap;

use axum::extract::State;
use axum::{Extension, Json};
use graflow_model::row::{DataFlow, ReadRow, WriteRow};
use graflow_model::{Channel, EventId, ExecutionId, Key, Project, TaskExecutionId, TaskId, Timestamp};
use graflow_wire::{DataEdge, DataLineage, ErrorBody, TaskReference};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::ReadErrors;
use crate::error::ApiError;
use crate::extract::{Limit, Name, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DataParameters {
    /// Of this key.
    key: Option<Key>,
    /// In this channel.
    channel: Option<Channel>,
    /// Written or read by this task.
    task_id: Option<TaskId>,
    /// Written or read by this task execution.
    task_execution_id: Option<TaskExecutionId>,
    /// Writes and reads of a page, together.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Who wrote what in an execution, and who read it
#[utoipa::path(
    get,
    path = "/api/executions/{id}/data",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), DataParameters),
    responses(
        (status = 200, description = "A page of writes, reads, and the edges of these reads.", body = DataLineage),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_data(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<DataParameters>,
) -> Result<Json<DataLineage>, ApiError> {
    let after = parameters.cursor.as_deref().map(Place::decode).transpose()?;
    let id = ExecutionId::from(id);
    let found = api.read(move |manager| manager.data_flow(&project, &id)).await?;
    let flow = found.value.ok_or_else(ApiError::execution_not_found)?;
    let mut page = page(flow, &parameters, after.as_ref());
    page.as_of_seq = found.as_of_seq;
    Ok(Json(page))
}

/// Where a page ends: after a write, or after a read. Writes come before reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Place {
    Write(Channel, Key, u64),
    Read(Timestamp, EventId),
}

impl Place {
    fn encode(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        json.iter().fold(String::new(), |mut text, byte| {
            text.extend(
                [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
            );
            text
        })
    }

    fn decode(text: &str) -> Result<Self, ApiError> {
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.ok_or_else(ApiError::bad_cursor)?;
        let json: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        serde_json::from_slice(&json).map_err(|_| ApiError::bad_cursor())
    }
}

fn page(flow: DataFlow, parameters: &DataParameters, after: Option<&Place>) -> DataLineage {
    let limit = parameters.limit.unwrap_or_default().0;
    let wanted =
        |channel: &Channel, key: &Key, task: Option<&TaskId>, task_execution: Option<&TaskExecutionId>| {
            parameters.key.as_ref().is_none_or(|wanted| wanted == key)
                && parameters.channel.as_ref().is_none_or(|wanted| wanted == channel)
                && parameters.task_id.as_ref().is_none_or(|wanted| Some(wanted) == task)
                && parameters.task_execution_id.as_ref().is_none_or(|wanted| Some(wanted) == task_execution)
        };
    let known: HashMap<_, _> = flow
        .writes
        .iter()
        .map(|row| ((row.channel.clone(), row.key.clone(), row.version), writer(row)))
        .collect();
    let writes = flow
        .writes
        .into_iter()
        .filter(|row| wanted(&row.channel, &row.key, row.task_id.as_ref(), row.task_execution_id.as_ref()));
    let reads = flow
        .reads
        .into_iter()
        .filter(|row| wanted(&row.channel, &row.key, row.task_id.as_ref(), row.task_execution_id.as_ref()));
    let mut writes: Vec<_> = writes
        .map(|row| (Place::Write(row.channel.clone(), row.key.clone(), row.version), row))
        .filter(|(place, _)| after.is_none_or(|after| place > after))
        .collect();
    let mut reads: Vec<_> = reads
        .map(|row| (Place::Read(row.time, row.event_id.clone()), row))
        .filter(|(place, _)| after.is_none_or(|after| place > after))
        .collect();
    writes.sort_by(|(a, _), (b, _)| a.cmp(b));
    reads.sort_by(|(a, _), (b, _)| a.cmp(b));
    let more = writes.len() + reads.len() > limit;
    writes.truncate(limit);
    reads.truncate(limit - writes.len());
    let last = reads.last().map(|(place, _)| place).or(writes.last().map(|(place, _)| place));
    let next_cursor = last.filter(|_| more).map(Place::encode);
    let edges = reads.iter().filter_map(|(_, row)| {
        let version = row.version?;
        let origin = known.get(&(row.channel.clone(), row.key.clone(), version))?;
        Some(edge(row, version, origin.clone()))
    });
    DataLineage {
        edges: edges.collect(),
        writes: writes.into_iter().map(|(_, row)| row.into()).collect(),
        reads: reads.into_iter().map(|(_, row)| row.into()).collect(),
        next_cursor,
        ..DataLineage::default()
    }
}

fn writer(row: &WriteRow) -> TaskReference {
    TaskReference { task_id: row.task_id.clone(), task_execution_id: row.task_execution_id.clone() }
}

fn edge(row: &ReadRow, version: u64, writer: TaskReference) -> DataEdge {
    DataEdge {
        writer,
        key: row.key.clone(),
        version,
        reader: TaskReference {
            task_id: row.task_id.clone(),
            task_execution_id: row.task_execution_id.clone(),
        },
        channel: row.channel.clone(),
        inferred: row.inferred,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_way_out_and_in() {
        for place in [
            Place::Write("main".into(), "clé \"1\"".into(), 7),
            Place::Read(Timestamp::from_micros(-5), "e".into()),
        ] {
            assert_eq!(Place::decode(&place.encode()).unwrap(), place);
        }
        for text in ["", "zz", "7b", "é", "0"] {
            assert!(Place::decode(text).is_err(), "{text}");
        }
    }
}
