//! A statement that is put together from parts, with its parameters in step.

use graflow_lineage::store::Page;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use crate::sqlite::cursor::{Place, Question};
use crate::sqlite::error::Result;

/// A `SELECT`: columns, tables, conditions, order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Select {
    columns: &'static str,
    tables: String,
    conditions: Vec<String>,
    parameters: Vec<Value>,
    order: &'static str,
    limit: usize,
}

impl Select {
    pub(crate) fn new(columns: &'static str, tables: impl Into<String>) -> Self {
        Self { columns, tables: tables.into(), ..Self::default() }
    }

    /// Adds a condition with one `?` for each of the parameters.
    pub(crate) fn filter(
        &mut self,
        condition: impl Into<String>,
        parameters: impl IntoIterator<Item = Value>,
    ) {
        self.conditions.push(condition.into());
        self.parameters.extend(parameters);
    }

    /// Adds "one of these numbers".
    pub(crate) fn filter_one_of(&mut self, column: &str, numbers: &[i64]) {
        let list: Vec<_> = numbers.iter().map(i64::to_string).collect();
        self.filter(format!("{column} IN ({})", list.join(", ")), []);
    }

    pub(crate) fn order(&mut self, order: &'static str, limit: usize) {
        self.order = order;
        self.limit = limit;
    }

    pub(crate) fn sql(&self) -> String {
        let Self { columns, tables, order, limit, .. } = self;
        let conditions = self.conditions.join(" AND ");
        format!("SELECT {columns} FROM {tables} WHERE {conditions} ORDER BY {order} LIMIT {limit}")
    }

    /// Every row, read by `read`.
    pub(crate) fn rows<T>(
        &self,
        connection: &Connection,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = connection.prepare_cached(&self.sql())?;
        let mut rows = statement.query(rusqlite::params_from_iter(&self.parameters))?;
        let mut read_rows = Vec::new();
        while let Some(row) = rows.next()? {
            read_rows.push(read(row)?);
        }
        Ok(read_rows)
    }
}

/// The first `limit` of rows that were asked for one more, and the cursor if there was one more.
pub(crate) fn page<T>(
    mut rows: Vec<T>,
    limit: usize,
    question: &Question,
    place: impl FnOnce(&T) -> Place,
) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|last| question.cursor(&place(last)));
    Page { rows, next }
}

pub(crate) fn text(text: impl AsRef<str>) -> Value {
    Value::Text(text.as_ref().to_owned())
}

pub(crate) fn number(number: impl Into<i64>) -> Value {
    Value::Integer(number.into())
}
