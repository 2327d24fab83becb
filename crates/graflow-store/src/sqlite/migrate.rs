//! Brings a database to the schema of this release: ordered steps, each in one transaction with the note that it
//! was done, by whom, and with what text.

use std::path::{Path, PathBuf};

use graflow_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

/// Says in the file's header whose database it is: `GrfL`.
const APPLICATION_ID: i32 = 0x4772_664c;

/// The release that is running.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Steps in their order. A step that was ever released is never changed.
const STEPS: &[Step] = &[
    Step { version: 1, name: "init", sql: include_str!("../../migrations/sqlite/0001_init.sql") },
    Step { version: 2, name: "llm", sql: include_str!("../../migrations/sqlite/0002_llm.sql") },
    Step { version: 3, name: "retention", sql: include_str!("../../migrations/sqlite/0003_retention.sql") },
];

/// `auto_vacuum = INCREMENTAL`: pages that deletions leave empty are given back in small steps.
const INCREMENTAL: i64 = 2;

/// A database that is not taken.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The file is something else.
    #[error(
        "`{}` is not a database of graflow lineage\n\
         hint: move it away; the tables are built again from the log", path.display()
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A newer release wrote it.
    #[error(
        "`{}` was written by graflow {release} (schema {found}), this is graflow {RELEASE} (schema {known})\n\
         hint: start graflow {release} or newer on this folder", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The release that wrote it.
        release: String,
        /// Its schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// A step was done with another text than this release has.
    #[error(
        "`{}` has a step {version} `{name}` that is not the one of this release\n\
         hint: `graflow lineage rebuild` builds the tables again from the log", path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The step.
        version: u32,
        /// The step's name.
        name: String,
    },
    /// The database says no.
    #[error("failed to bring `{}` to the schema of this release", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
}

impl MigrateError {
    /// What SQLite says of the file at `path`.
    pub(crate) fn of(path: &Path, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                Self::NotOurs { path: path.to_owned() }
            }
            _ => Self::Sqlite { path: path.to_owned(), source },
        }
    }
}

struct Step {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

/// Does the steps that are missing, and says how many.
pub(crate) fn migrate(connection: &mut Connection, path: &Path, now: Timestamp) -> Result<u32, MigrateError> {
    let is_new: i64 = connection
        .query_row("PRAGMA page_count", (), |row| row.get(0))
        .map_err(|source| MigrateError::of(path, source))?;
    if is_new == 0 {
        connection
            .pragma_update(None, "auto_vacuum", INCREMENTAL)
            .map_err(|source| MigrateError::of(path, source))?;
    }
    let done = run(connection, path, now, STEPS)?;
    let vacuum: i64 = connection
        .query_row("PRAGMA auto_vacuum", (), |row| row.get(0))
        .map_err(|source| MigrateError::of(path, source))?;
    if vacuum != INCREMENTAL {
        write_anew(connection, path);
    }
    Ok(done)
}

/// A database of schema 1 cannot give pages back before it was written anew once. It does not have to: where there is no
/// room for a second copy it only stays as large as it is, and the next start tries again.
fn write_anew(connection: &Connection, path: &Path) {
    tracing::info!("writing {} anew, so that it can shrink from now on", path.display());
    let written = connection
        .pragma_update(None, "auto_vacuum", INCREMENTAL)
        .and_then(|()| connection.execute_batch("VACUUM"));
    if let Err(error) = written {
        tracing::warn!("{} cannot shrink yet, it was not written anew: {error}", path.display());
    }
}

/// Whether a database has every step of this release. Changes nothing.
pub(crate) fn is_current(connection: &Connection, path: &Path) -> Result<bool, MigrateError> {
    Ok(check(connection, path, STEPS)?.len() == STEPS.len())
}

fn run(
    connection: &mut Connection,
    path: &Path,
    now: Timestamp,
    steps: &[Step],
) -> Result<u32, MigrateError> {
    let done = check(connection, path, steps)?;
    let mut count = 0;
    for step in steps.iter().filter(|step| done.iter().all(|done| done.version != step.version)) {
        do_step(connection, step, now).map_err(|source| MigrateError::of(path, source))?;
        count += 1;
    }
    Ok(count)
}

/// The steps that were done, each as this release would do it.
fn check(connection: &Connection, path: &Path, steps: &[Step]) -> Result<Vec<Done>, MigrateError> {
    let failed = |source| MigrateError::of(path, source);
    check_owner(connection, path).map_err(failed)??;
    let done = done_steps(connection).map_err(failed)?;
    let known = steps.last().map_or(0, |step| step.version);
    if let Some(newest) = done.last().filter(|newest| newest.version > known) {
        let (release, found) = (newest.release.clone(), newest.version);
        return Err(MigrateError::Newer { path: path.to_owned(), release, found, known });
    }
    for done in &done {
        let same = steps.iter().any(|step| step.version == done.version && step.checksum() == done.checksum);
        if !same {
            let (version, name) = (done.version, done.name.clone());
            return Err(MigrateError::Changed { path: path.to_owned(), version, name });
        }
    }
    Ok(done)
}

/// An empty file is anyone's; one with tables is ours only if it says so.
fn check_owner(connection: &Connection, path: &Path) -> rusqlite::Result<Result<(), MigrateError>> {
    let owner: i32 = connection.query_row("PRAGMA application_id", (), |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if owner != APPLICATION_ID && (owner != 0 || tables > 0) {
        return Ok(Err(MigrateError::NotOurs { path: path.to_owned() }));
    }
    Ok(Ok(()))
}

struct Done {
    version: u32,
    name: String,
    checksum: String,
    release: String,
}

fn done_steps(connection: &Connection) -> rusqlite::Result<Vec<Done>> {
    let exists: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'", (), |row| {
            row.get(0)
        })
        .optional()?;
    if exists.is_none() {
        return Ok(Vec::new());
    }
    let mut statement =
        connection.prepare("SELECT version, name, checksum, release FROM migration ORDER BY version")?;
    let rows = statement.query_map((), |row| {
        Ok(Done { version: row.get(0)?, name: row.get(1)?, checksum: row.get(2)?, release: row.get(3)? })
    })?;
    rows.collect()
}

fn do_step(connection: &mut Connection, step: &Step, now: Timestamp) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (
             version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,
             release TEXT NOT NULL, time TEXT NOT NULL
         ) STRICT",
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.execute_batch(step.sql)?;
    transaction.execute(
        "INSERT INTO migration (version, name, checksum, release, time) VALUES (?, ?, ?, ?, ?)",
        (step.version, step.name, step.checksum(), RELEASE, now.to_string()),
    )?;
    transaction.commit()
}

impl Step {
    fn checksum(&self) -> String {
        blake3::hash(self.sql.as_bytes()).to_hex()[..32].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Step = Step { version: 1, name: "one", sql: "CREATE TABLE a (x)" };
    const TWO: Step = Step { version: 2, name: "two", sql: "CREATE TABLE b (x)" };
    const BROKEN: Step = Step { version: 2, name: "broken", sql: "CREATE TABLE c (x); CREATE TABLE a (x)" };
    const NOW: Timestamp = Timestamp::from_micros(0);

    fn run_on(connection: &mut Connection, steps: &[Step]) -> Result<u32, MigrateError> {
        run(connection, Path::new("lineage.db"), NOW, steps)
    }

    #[test]
    fn steps_are_done_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(run_on(&mut connection, &[ONE]).unwrap(), 1);
        assert_eq!(run_on(&mut connection, &[ONE, TWO]).unwrap(), 1);
        assert_eq!(run_on(&mut connection, &[ONE, TWO]).unwrap(), 0);
    }

    #[test]
    fn a_newer_store_is_refused_with_the_release_that_wrote_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        run_on(&mut connection, &[ONE, TWO]).unwrap();
        connection.execute("UPDATE migration SET release = '9.8.7' WHERE version = 2", ()).unwrap();
        let error = run_on(&mut connection, &[ONE]).unwrap_err();
        assert!(matches!(error, MigrateError::Newer { found: 2, known: 1, .. }));
        assert!(error.to_string().contains("written by graflow 9.8.7 (schema 2)"), "{error}");
    }

    #[test]
    fn a_changed_step_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        run_on(&mut connection, &[ONE]).unwrap();
        let changed = Step { sql: "CREATE TABLE a (y)", ..ONE };
        assert!(matches!(run_on(&mut connection, &[changed]), Err(MigrateError::Changed { version: 1, .. })));
    }

    #[test]
    fn a_failed_step_leaves_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        run_on(&mut connection, &[ONE]).unwrap();
        assert!(matches!(run_on(&mut connection, &[ONE, BROKEN]), Err(MigrateError::Sqlite { .. })));
        assert_eq!(run_on(&mut connection, &[ONE, TWO]).unwrap(), 1);
        connection.execute("SELECT 1 FROM c", ()).unwrap_err();
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lineage.db");
        std::fs::write(&path, "certainly no database, but long enough to look like a file of some kind")
            .unwrap();
        let mut connection = Connection::open(&path).unwrap();
        let error = run(&mut connection, &path, NOW, STEPS).unwrap_err();
        assert!(matches!(error, MigrateError::NotOurs { .. }), "{error:?}");
        let mut other = Connection::open_in_memory().unwrap();
        other.execute("CREATE TABLE bookmarks (x)", ()).unwrap();
        assert!(matches!(run_on(&mut other, STEPS), Err(MigrateError::NotOurs { .. })));
    }

    #[test]
    fn sums_over_model_calls_get_a_column() {
        let mut connection = Connection::open_in_memory().unwrap();
        run_on(&mut connection, &STEPS[..1]).unwrap();
        connection
            .execute_batch(
                r#"INSERT INTO execution VALUES
                     (1, 1, 'x', 1, 0, 0, NULL, NULL, NULL, NULL, '', '{"llm":{"calls":2,"cost_usd":0.5}}'),
                     (2, 1, 'y', 1, 0, 0, NULL, NULL, NULL, NULL, '', '{"llm":{"calls":0}}');
                   INSERT INTO task_execution (id, task_execution_id, task, status, will_retry, iteration, attempt,
                     sort_time, duration_wall, detail)
                   VALUES (1, 'a', 1, 0, 0, 0, 1, 0, 0, '{"llm":{"calls":1}}'), (2, 'b', 1, 0, 0, 0, 1, 0, 0, NULL)"#,
            )
            .unwrap();
        assert_eq!(run_on(&mut connection, &STEPS[..2]).unwrap(), 1);
        let column = |table: &str| -> Vec<Option<String>> {
            let sql = format!("SELECT llm FROM {table} ORDER BY id");
            let mut statement = connection.prepare(&sql).unwrap();
            let rows = statement.query_map((), |row| row.get(0)).unwrap();
            rows.collect::<Result<_, _>>().unwrap()
        };
        assert_eq!(column("execution"), [Some(r#"{"calls":2,"cost_usd":0.5}"#.to_owned()), None]);
        assert_eq!(column("task_execution"), [Some(r#"{"calls":1}"#.to_owned()), None]);
    }

    #[test]
    fn the_schema_of_this_release_is_sound() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(run_on(&mut connection, STEPS).unwrap() as usize, STEPS.len());
        assert!(STEPS.iter().map(|step| step.version).is_sorted_by(|a, b| a < b));
    }
}
