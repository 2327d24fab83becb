//! What goes wrong with the tables.

use graflow_lineage::store::StoreError;

/// A table that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    /// A row says what cannot be.
    #[error(
        "`{table}.{column}` of row {row} cannot be understood\nhint: `graflow lineage rebuild` builds the tables again from the log"
    )]
    BadRow {
        table: &'static str,
        column: &'static str,
        row: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The database says no.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The cursor is of another query.
    #[error("the cursor does not belong to this query")]
    BadCursor,
}

pub(crate) type Result<T, E = TableError> = std::result::Result<T, E>;

impl TableError {
    pub(crate) fn bad_row(table: &'static str, column: &'static str, row: impl std::fmt::Display) -> Self {
        Self::BadRow { table, column, row: format!("{row}"), source: None }
    }

    pub(crate) fn bad_json(
        table: &'static str,
        column: &'static str,
        row: impl ToString,
    ) -> impl FnOnce(serde_json::Error) -> Self {
        move |source| Self::BadRow { table, column, row: row.to_string(), source: Some(Box::new(source)) }
    }

    /// Whether the disk has no room, which passes.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull))
    }
}

impl From<TableError> for StoreError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::BadCursor => Self::BadCursor,
            TableError::BadRow { .. } => Self::Damaged(error.to_string()),
            TableError::Sqlite(source) => Self::Unreadable(Box::new(source)),
        }
    }
}

/// SQLite's numbers are signed. Everything stored here is far below the border.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Back from [`signed`]; a negative number is none of ours and reads as 0.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
