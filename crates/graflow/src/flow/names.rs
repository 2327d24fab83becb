//! Names that events can carry: what is recorded under others would be refused, and so lost.

use graflow_model::limits::{ID_BYTES, NAME_BYTES};

use crate::error::Problem;

/// A result stands under its task's name and this, as in graflow for Python.
pub(crate) const RESULT_SUFFIX: &str = ".__result__";

/// Longest name of a task or group, in bytes.
const TASK_NAME_BYTES: usize = NAME_BYTES - RESULT_SUFFIX.len();

/// Longest id of an execution, in bytes: a task execution's is that, a dot and a number.
const EXECUTION_ID_BYTES: usize = ID_BYTES - ".4294967295".len();

/// Most bytes of labels, which one event carries.
const LABEL_BYTES: usize = 256 * 1024;

/// What is wrong with the name of a task or group.
pub(crate) fn check_task_name(name: &str) -> Result<(), Problem> {
    check("the name of a task or group", name, TASK_NAME_BYTES)
}

/// What is wrong with the name of a workflow.
pub(crate) fn check_workflow_name(name: &str) -> Result<(), Problem> {
    check("the name of a workflow", name, NAME_BYTES)
}

/// What is wrong with an execution's id.
pub(crate) fn check_execution_id(id: &str) -> Result<(), Problem> {
    check("the id of an execution", id, EXECUTION_ID_BYTES)?;
    if id.chars().any(char::is_control) {
        let reason = "it has a control character; letters, digits and marks are allowed".to_owned();
        return Err(Problem::Name { what: "the id of an execution", name: shown(id), reason });
    }
    Ok(())
}

/// What is wrong with the labels of a run.
pub(crate) fn check_labels<'a>(
    labels: impl Iterator<Item = (&'a String, &'a String)>,
) -> Result<(), Problem> {
    let mut bytes = 0;
    for (key, value) in labels {
        check("the key of a label", key, NAME_BYTES)?;
        bytes += key.len() + value.len();
        if bytes > LABEL_BYTES {
            let reason = format!("up to it the labels have {bytes} bytes, and {LABEL_BYTES} are the most");
            return Err(Problem::Name { what: "the label", name: shown(key), reason });
        }
    }
    Ok(())
}

fn check(what: &'static str, name: &str, most: usize) -> Result<(), Problem> {
    let reason = match name.len() {
        0 => "it is empty; give it at least one character".to_owned(),
        length if length > most => format!("it has {length} bytes, and {most} are the most; shorten it"),
        _ => return Ok(()),
    };
    Err(Problem::Name { what, name: shown(name), reason })
}

/// The beginning of a name.
fn shown(name: &str) -> String {
    const SHOWN: usize = 40;
    if name.len() <= SHOWN {
        name.to_owned()
    } else {
        format!("{}…", &name[..name.floor_char_boundary(SHOWN)])
    }
}
