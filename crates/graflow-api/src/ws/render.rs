//! Messages as text.

use std::sync::Arc;

use graflow_lineage::live::{Filter, Update, UpdateKind};
use graflow_lineage::manager::{LineageManager, LiveRows, Told};
use graflow_lineage::materialise::Delta;
use graflow_lineage::store::{StoreError, StoredEvent};
use graflow_model::{Project, Seq, Timestamp};
use graflow_wire::{EventDelta, LivenessChange, Message, Rows, message_type};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::convert;
use crate::routes::event_log::raw;

/// A message of its own kind, not an event's.
pub(super) fn control(kind: &str, timestamp: Timestamp, seq: Seq, data: &impl Serialize) -> Arc<str> {
    let data = serde_json::value::to_raw_value(data).unwrap_or_else(|_| RawValue::NULL.to_owned());
    text(&Message { message_type: kind.to_owned(), timestamp, seq, data })
}

/// An event from the log.
pub(super) fn told(told: Told) -> Arc<str> {
    event(&told.event, convert::rows(told.rows.into_iter().collect()))
}

/// An update of the live stream; none when the viewer does not want it after all. Blocks when rows must be
/// looked up, see [`Update::lacks_rows`].
pub(super) fn update(
    manager: &LineageManager,
    project: &Project,
    filter: &Filter,
    update: &Update,
) -> Result<Option<Arc<str>>, StoreError> {
    let wanted = |rows: &LiveRows| filter.wants(&rows.execution_id, Some(&rows.workflow_name));
    match &update.kind {
        UpdateKind::Event(delta) if !update.lacks_rows() => {
            Ok(Some(update.rendered(|_| event(&delta.event, computed_rows(delta)))))
        }
        UpdateKind::Event(delta) => {
            let Some(execution_id) = update.execution_id() else { return Ok(None) };
            // None: it was deleted meanwhile.
            let found = manager.rows_of(project, execution_id, &delta.event.event)?.filter(wanted);
            Ok(found.map(|rows| update.rendered(|_| event(&delta.event, convert::rows(vec![rows])))))
        }
        UpdateKind::Turned(turned) => {
            let found = manager.rows_of_turned(project, &turned.execution_id)?.filter(wanted);
            let kind = if turned.lost_since.is_some() { message_type::LOST } else { message_type::REVIVED };
            let change = |rows| LivenessChange {
                execution_id: turned.execution_id.clone(),
                lost_since: turned.lost_since,
                rows: convert::rows(vec![rows]),
            };
            let now = manager.clock().now();
            Ok(found.map(|rows| update.rendered(|update| control(kind, now, update.seq, &change(rows)))))
        }
    }
}

fn computed_rows(delta: &Delta) -> Rows {
    let rows = delta.rows.clone();
    let Some(execution) = &rows.execution else { return Rows::default() };
    let live = LiveRows {
        execution_id: execution.execution_id.clone(),
        workflow_name: execution.workflow_name.clone(),
        rows,
        // The event itself is a sign of life.
        lost_since: None,
    };
    convert::rows(vec![live])
}

fn event(stored: &StoredEvent, rows: Rows) -> Arc<str> {
    let delta = EventDelta { event: raw(stored.json.clone()), rows };
    let word = stored.event.event_type.as_str();
    let word = if message_type::is_reserved(word) { message_type::EVENT } else { word };
    control(word, stored.event.time, stored.seq, &delta)
}

fn text(message: &Message) -> Arc<str> {
    // Every part of it is text, a number or JSON already: writing cannot fail.
    serde_json::to_string(message).unwrap_or_default().into()
}
