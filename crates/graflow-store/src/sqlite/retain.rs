//! What retention asks the tables, and how they get smaller.

use std::collections::BTreeMap;

use graflow_lineage::retention::DELETION_REMEMBERED;
use graflow_model::{ExecutionId, ExecutionStatus, Project, Seq, Timestamp};
use rusqlite::Connection;

use super::codes;
use super::error::{Result, signed, unsigned};
use super::read::execution;
use super::tables::Tables;
use crate::log::SegmentName;

/// Pages given back in one step: some 16 MiB.
const PAGES_A_STEP: i64 = 4_000;
/// Names looked at in one step, whether anything still has them.
const NAMES_A_STEP: i64 = 2_000;
/// Rows forgotten in one step.
const ROWS_A_STEP: i64 = 5_000;

/// Executions that ended, those first that ended first; with a time, only those that ended before it.
pub(crate) fn oldest_ended(
    connection: &Connection,
    before: Option<Timestamp>,
    most: u64,
) -> Result<Vec<(Project, ExecutionId)>> {
    let before = before.map_or(i64::MAX, Timestamp::as_micros);
    let mut statement = connection.prepare_cached(
        "SELECT p.name, e.execution_id FROM execution AS e INDEXED BY execution_ended
         CROSS JOIN project AS p ON p.id = e.project
         WHERE e.end_time IS NOT NULL AND e.end_time < ? ORDER BY e.end_time, e.id LIMIT ?",
    )?;
    let rows = statement
        .query_map((before, signed(most)), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| row.map(|(project, id)| (project.into(), id.into())).map_err(Into::into)).collect()
}

/// Executions that run, as far as is known, and of which nothing was heard since `before`.
pub(crate) fn silent_since(
    connection: &Connection,
    before: Timestamp,
    most: u64,
) -> Result<Vec<(Project, ExecutionId)>> {
    let mut statement = connection.prepare_cached(
        "SELECT p.name, e.execution_id FROM project AS p
         CROSS JOIN execution AS e ON e.project = p.id AND e.status = ? AND e.start_time < ?
         ORDER BY e.start_time LIMIT ?",
    )?;
    let running = codes::execution_status(ExecutionStatus::Running);
    let rows = statement.query_map((running, before.as_micros(), signed(most)), |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut silent = Vec::new();
    for row in rows {
        let (project, id) = row?;
        let (project, id) = (Project::from(project), ExecutionId::from(id));
        if execution(connection, &project, &id)?.is_some_and(|row| row.last_event_time < before) {
            silent.push((project, id));
        }
    }
    Ok(silent)
}

/// How many executions there are. Reads an index of all of them.
pub(crate) fn execution_count(connection: &Connection) -> Result<u64> {
    let count = connection.query_row("SELECT count(*) FROM execution", (), |row| row.get(0))?;
    Ok(unsigned(count))
}

/// Events that somebody may ask for, by segment.
pub(crate) fn alive_events(connection: &Connection) -> Result<BTreeMap<SegmentName, u64>> {
    let mut statement = connection.prepare_cached("SELECT first_seq, alive FROM segment")?;
    let rows = statement
        .query_map((), |row| Ok((SegmentName(Seq(unsigned(row.get(0)?))), unsigned(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Bytes of pages that hold nothing.
pub(crate) fn free_bytes(connection: &Connection) -> Result<u64> {
    Ok(unsigned(pragma(connection, "freelist_count")?.saturating_mul(pragma(connection, "page_size")?)))
}

/// Bytes of pages that hold something.
pub(crate) fn used_bytes(connection: &Connection) -> Result<u64> {
    let pages = pragma(connection, "page_count")?.saturating_sub(pragma(connection, "freelist_count")?);
    Ok(unsigned(pages.saturating_mul(pragma(connection, "page_size")?)))
}

fn pragma(connection: &Connection, name: &str) -> Result<i64> {
    Ok(connection.query_row(&format!("PRAGMA {name}"), (), |row| row.get(0))?)
}

/// What SQLite finds wrong with the database; empty when it is sound. Reads all of it.
pub(crate) fn integrity(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let found = statement.query_map((), |row| row.get::<_, String>(0))?;
    let found = found.collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().filter(|text| text != "ok").collect())
}

impl Tables {
    /// Forgets what nobody asks for any more, and gives pages back that hold nothing: a bounded step of each.
    pub(crate) fn tidy(&mut self, now: Timestamp, first_segment: SegmentName) -> Result<()> {
        let remembered = i64::try_from(DELETION_REMEMBERED.as_micros()).unwrap_or(i64::MAX);
        let connection = self.connection();
        connection
            .prepare_cached(
                "DELETE FROM deleted WHERE (project, execution_id) IN (
                     SELECT project, execution_id FROM deleted WHERE received < ? ORDER BY received LIMIT ?
                 )",
            )?
            .execute((now.as_micros().saturating_sub(remembered), ROWS_A_STEP))?;
        connection
            .prepare_cached("DELETE FROM segment WHERE first_seq < ?")?
            .execute((signed(first_segment.0.0),))?;
        let after = self.names_tidied_up_to();
        let (names, next) = tidy_names(self.connection(), after)?;
        self.set_names_tidied_up_to(next);
        if next == 0 {
            // Once a round: a producer all of whose events have left the log. Whether a resend of such an event is
            // taken for a new one makes no difference, its execution is remembered as deleted.
            self.connection()
                .prepare_cached("DELETE FROM producer WHERE last_seq < ?")?
                .execute((signed(first_segment.0.0),))?;
        }
        if names > 0 {
            self.forget();
        }
        give_pages_back(self.connection())
    }
}

/// Names of tasks and workflows that nothing has any more, from a number on. Gives how many went, and where the next step
/// begins: 0 after the last.
fn tidy_names(connection: &Connection, after: i64) -> Result<(usize, i64)> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(id) FROM (SELECT id FROM task WHERE id > ? ORDER BY id LIMIT ?)")?
        .query_row((after, NAMES_A_STEP), |row| row.get(0))?;
    let Some(last) = last else {
        let gone = connection
            .prepare_cached(
                "DELETE FROM workflow WHERE NOT EXISTS (SELECT 1 FROM execution AS e WHERE e.workflow = workflow.id)
                 AND NOT EXISTS (SELECT 1 FROM task AS t WHERE t.workflow = workflow.id)",
            )?
            .execute(())?;
        return Ok((gone, 0));
    };
    let gone = connection
        .prepare_cached(
            "DELETE FROM task WHERE id > ? AND id <= ?
             AND NOT EXISTS (SELECT 1 FROM task_execution AS te WHERE te.task = task.id)",
        )?
        .execute((after, last))?;
    Ok((gone, last))
}

fn give_pages_back(connection: &Connection) -> Result<()> {
    let free: i64 = connection.query_row("PRAGMA freelist_count", (), |row| row.get(0))?;
    if free == 0 {
        return Ok(());
    }
    // One step of the statement gives one page back.
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_A_STEP})"))?;
    let mut rows = statement.query(())?;
    while rows.next()?.is_some() {}
    drop(rows);
    drop(statement);
    if free <= PAGES_A_STEP {
        // The file gets shorter when the write-ahead file is folded into it; while somebody reads, the next time.
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))?;
    }
    Ok(())
}
