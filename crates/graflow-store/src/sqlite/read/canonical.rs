//! One hash over everything that people can read, to compare two stores: equal before and after a rebuild.

use rusqlite::Connection;

use super::select::Select;
use crate::sqlite::error::Result;
use crate::sqlite::row::{
    EXECUTION_COLUMNS, TASK_EXECUTION_COLUMNS, TASK_EXECUTION_FROM, execution_of, task_execution_of,
};

/// The hash, as hexadecimal text. Numbers that the tables give out are not in it.
pub(crate) fn canonical_hash(connection: &Connection) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    let mut projects = connection.prepare("SELECT id, name FROM project ORDER BY name")?;
    let projects: Vec<(i64, String)> =
        projects.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (project, name) in projects {
        add(&name);
        let sql = format!(
            "SELECT {EXECUTION_COLUMNS} FROM execution AS e WHERE e.project = ? ORDER BY e.execution_id"
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query((project,))?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            add(&serde_json::to_string(&execution_of(row)?).unwrap_or_default());
            let (first, last) = crate::sqlite::tables::number_range(number);
            let mut tasks = Select::new(TASK_EXECUTION_COLUMNS, TASK_EXECUTION_FROM);
            tasks.filter("te.id BETWEEN ? AND ?", [first.into(), last.into()]);
            tasks.order("te.task_execution_id", usize::MAX >> 1);
            for (_, _, task) in tasks.rows(connection, task_execution_of)? {
                add(&serde_json::to_string(&task).unwrap_or_default());
            }
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}
