//! Lists must cost what they show, not what is stored: no list reads a whole table.

use std::collections::BTreeSet;
use std::path::Path;

use graflow_lineage::store::{ExecutionFilter, NameQuery, TaskExecutionQuery, TaskOrder};
use graflow_model::{ExecutionStatus, Project, TaskStatus, Timestamp};
use rusqlite::Connection;

use super::select::Select;
use super::{executions, task_executions, workflows};
use crate::sqlite::cursor::Place;

/// The schema, and one name of each kind so that the questions reach the tables.
fn database() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    crate::sqlite::migrate::migrate(&mut connection, Path::new("lineage.db"), Timestamp::default()).unwrap();
    connection
        .execute_batch(
            "INSERT INTO project (id, name) VALUES (1, 'default');
             INSERT INTO workflow (id, project, name) VALUES (1, 1, 'etl');
             INSERT INTO task (id, project, name, workflow) VALUES (1, 1, 'load', 1), (2, 1, 'load', 2);
             INSERT INTO execution VALUES (1, 1, 'x', 1, 0, 0, NULL, NULL, NULL, NULL, '', '{}', NULL)",
        )
        .unwrap();
    connection
}

/// The steps of a statement's plan.
fn plan(connection: &Connection, select: &Select) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", select.sql())).unwrap();
    let count = statement.parameter_count();
    let parameters = vec![rusqlite::types::Value::Null; count];
    let steps = statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3)).unwrap();
    steps.collect::<Result<_, _>>().unwrap()
}

#[track_caller]
fn check(connection: &Connection, select: &Select, may_sort: bool) {
    let plan = plan(connection, select);
    let sql = select.sql();
    assert!(!plan.is_empty());
    for step in &plan {
        // A set of ids that came with the question, and a sub-select over it, are read as a whole.
        let scans_table =
            step.starts_with("SCAN ") && !step.contains("json_each") && !step.contains("SUBQUERY");
        assert!(!scans_table, "{step}\n{sql}\n{plan:#?}");
        let sorts_all = step == "USE TEMP B-TREE FOR ORDER BY";
        assert!(may_sort || !sorts_all, "{step}\n{sql}\n{plan:#?}");
    }
}

#[test]
fn lists_of_executions_read_ranges_of_indexes() {
    let connection = database();
    let ids = || BTreeSet::from(["x".into()]);
    let filters = [
        (ExecutionFilter::default(), false),
        (
            ExecutionFilter {
                status: vec![ExecutionStatus::Failed, ExecutionStatus::Running],
                ..Default::default()
            },
            false,
        ),
        (ExecutionFilter { workflow_name: Some("etl".into()), ..Default::default() }, false),
        (
            ExecutionFilter {
                workflow_name: Some("etl".into()),
                status: vec![ExecutionStatus::Failed],
                text: Some("a".into()),
                ..Default::default()
            },
            false,
        ),
        (
            ExecutionFilter {
                labels: vec![("a".into(), "b".into()), ("c".into(), "d".into())],
                ..Default::default()
            },
            false,
        ),
        (ExecutionFilter { trace_id: Some("t".into()), ..Default::default() }, false),
        (
            ExecutionFilter {
                started_after: Some(Timestamp::default()),
                started_before: Some(Timestamp::default()),
                duration_min_us: Some(1),
                ..Default::default()
            },
            false,
        ),
        // Few by their nature, so they may be sorted.
        (ExecutionFilter { ids: Some(ids()), ..Default::default() }, true),
        (ExecutionFilter { id_prefix: Some("x".into()), ..Default::default() }, true),
        (ExecutionFilter { fingerprint: Some("f".into()), ..Default::default() }, true),
        (ExecutionFilter { status: vec![ExecutionStatus::Lost], lost: ids(), ..Default::default() }, true),
        (
            ExecutionFilter { status: vec![ExecutionStatus::Running], lost: ids(), ..Default::default() },
            false,
        ),
    ];
    for (filter, may_sort) in filters {
        for place in [None, Some(Place { number: 1, text: "x".into() })] {
            let branches =
                executions::branches(&connection, &Project::default(), &filter, place.as_ref(), 10)
                    .unwrap()
                    .unwrap();
            assert_eq!(branches.len(), filter.status.len().max(1));
            for select in branches {
                check(&connection, &select, may_sort);
            }
        }
    }
}

#[test]
fn lists_of_task_executions_read_ranges_of_indexes() {
    let connection = database();
    for order in [TaskOrder::Newest, TaskOrder::Oldest] {
        for (execution, task) in [(Some("x"), None), (None, Some("load")), (Some("x"), Some("load"))] {
            let query = TaskExecutionQuery {
                execution_id: execution.map(Into::into),
                task_id: task.map(Into::into),
                workflow_name: None,
                status: vec![TaskStatus::Failed],
                order,
                limit: 10,
                cursor: None,
            };
            for place in [None, Some(Place { number: 1, text: "x".into() })] {
                let branches =
                    task_executions::branches(&connection, &Project::default(), &query, place.as_ref(), 10)
                        .unwrap();
                assert_eq!(branches.len(), if execution.is_some() { 1 } else { 2 });
                for select in branches {
                    // One execution's task executions by time: they lie side by side and are sorted.
                    check(&connection, &select, execution.is_some() && order == TaskOrder::Newest);
                }
            }
        }
    }
}

#[test]
fn lists_of_workflows_read_ranges_of_indexes() {
    let connection = database();
    for name in [None, Some(String::from("etl"))] {
        let query = NameQuery { name, limit: 10, cursor: None };
        let place = Place { number: 0, text: "x".into() };
        check(&connection, &workflows::select(1, &query, None, 10), false);
        check(&connection, &workflows::select(1, &query, Some(&place), 10), false);
    }
}
