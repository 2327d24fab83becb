use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::manager::Ingested;
use graflow_lineage::store::EventResult;
use graflow_model::Project;
use graflow_wire::{ErrorBody, EventCode, EventWarning, InvalidEvent, PostAnswer, WarningCode};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::extract::{EventsBody, Parameters, inflate};
use crate::state::{Api, blocking};

/// Bytes up to which a body is read however much waits to be written: a heartbeat alone is taken at any time, and
/// reading it costs nothing to speak of.
const SMALL_BODY: usize = 4096;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PostEventsParameters {
    /// `full`: also one code an event.
    #[param(inline)]
    results: Option<Results>,
}

/// How much is said of each event.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Results {
    /// Counts, and what is wrong.
    Summary,
    /// One code an event.
    Full,
}

/// Events in
///
/// The body is a JSON array of events, one event, or one event a line (`application/x-ndjson`), plain or
/// compressed with gzip or zstd. 200 whenever the body can be read: what is counted as accepted is on disk then,
/// and sending it again does no harm. A broken array stores nothing; of lines only the broken one is lost. A
/// heartbeat without `producer_seq` is heard and not kept; it counts as accepted.
#[utoipa::path(
    post,
    path = "/api/events",
    tag = "events",
    params(PostEventsParameters),
    request_body(content(
        (Vec<serde_json::Value> = "application/json"),
        (String = "application/x-ndjson"),
    ), description = "Events, as `spec/events.schema.json` says."),
    responses(
        (status = 200, description = "What became of them.", body = PostAnswer),
        (status = 400, description = "The body cannot be read; nothing was stored.", body = ErrorBody),
        (status = 401, description = "The token is missing or wrong.", body = ErrorBody),
        (status = 403, description = "The `Host` or `Origin` is foreign.", body = ErrorBody),
        (status = 408, description = "The body took too long.", body = ErrorBody),
        (status = 413, description = "Too many bytes or events; nothing was stored.", body = ErrorBody),
        (status = 415, description = "The `Content-Encoding` is not known.", body = ErrorBody),
        (status = 503, description = "Overloaded or stopping; try again after `Retry-After`.", body = ErrorBody),
        (status = 507, description = "The disk is full; nothing was stored.", body = ErrorBody),
    )
)]
pub(crate) async fn post_events(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Parameters(parameters): Parameters<PostEventsParameters>,
    body: EventsBody,
) -> Result<Json<PostAnswer>, ApiError> {
    let ingest = {
        let _room = api.room_for_body().await?;
        let api = api.clone();
        blocking(move || {
            let manager = &api.manager;
            let most = api.settings.limits.inflated_bytes;
            let bytes = inflate(&body.bytes, body.encoding, most, &api.large_bodies)?;
            drop(body.bytes);
            if bytes.len() > SMALL_BODY
                && let Err(error) = manager.has_room()
            {
                manager.hear_heartbeats(&project, &bytes);
                return Err(ApiError::from(error));
            }
            manager.ingest(&project, &bytes, body.format).map_err(ApiError::from)
        })
        .await??
    };
    let ingested = ingest.finish().await?;
    Ok(Json(answer(ingested, parameters.results == Some(Results::Full))))
}

fn answer(ingested: Ingested, full: bool) -> PostAnswer {
    let warnings =
        ingested.unknown_types.into_iter().map(|(index, name)| unknown_type(index, &name)).collect();
    let mut answer = PostAnswer { warnings, last_seq: ingested.last_seq, ..PostAnswer::default() };
    let mut codes = Vec::with_capacity(if full { ingested.results.len() } else { 0 });
    for (index, result) in ingested.results.into_iter().enumerate() {
        let code = match result {
            None | Some(EventResult::Accepted(_)) => {
                answer.accepted += 1;
                EventCode::Accepted
            }
            Some(EventResult::Duplicate) => {
                answer.duplicates += 1;
                EventCode::Duplicate
            }
            Some(EventResult::Dropped) => {
                answer.dropped += 1;
                EventCode::Dropped
            }
            Some(EventResult::Invalid(error)) => {
                let code = error.code.into();
                answer.invalid.push(InvalidEvent::new(index, error));
                code
            }
        };
        if full {
            codes.push(code);
        }
    }
    answer.results = full.then_some(codes);
    answer
}

fn unknown_type(index: usize, name: &str) -> EventWarning {
    let name: String = name.chars().take(100).collect();
    EventWarning {
        index,
        code: WarningCode::UnknownType,
        message: format!(
            "`{name}` is no type of event that this version knows; kept as it came, without effect"
        ),
        hint: "see spec/events.schema.json for the types; a newer producer may want a newer server".into(),
    }
}
