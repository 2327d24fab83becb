//! Sums over model calls: a column of their own, so that those of a workflow or a task can be added up.

use graflow_model::row::LlmTotals;

use crate::sqlite::error::{Result, TableError};

/// What stands in the column: nothing when there were no calls.
pub(crate) fn llm_text(
    totals: &LlmTotals,
    table: &'static str,
    row: impl ToString,
) -> Result<Option<String>> {
    if totals.calls == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::to_string(totals).map_err(TableError::bad_json(table, "llm", row))?))
}

/// What [`llm_text`] wrote.
pub(crate) fn llm_of(text: &str) -> Result<LlmTotals> {
    serde_json::from_str(text).map_err(TableError::bad_json("execution", "llm", text))
}
