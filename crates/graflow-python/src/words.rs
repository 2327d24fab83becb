//! The words in which Python names what the model has types for.

use graflow_model::EdgeKind;
use graflow_model::state::CauseKind;
use graflow_model::value::ValuePolicy;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::recorder::default_policy;

pub(crate) fn edge_kind_of(word: &str) -> PyResult<EdgeKind> {
    Ok(match word {
        "static" => EdgeKind::Static,
        "dynamic" => EdgeKind::Dynamic,
        "iteration" => EdgeKind::Iteration,
        "jump" => EdgeKind::Jump,
        "group_member" => EdgeKind::GroupMember,
        other => return Err(PyValueError::new_err(format!("`{other}` is no kind of edge"))),
    })
}

pub(crate) fn cause_kind_of(word: &str) -> PyResult<CauseKind> {
    Ok(match word {
        "successor" => CauseKind::Successor,
        "dynamic" => CauseKind::Dynamic,
        "iteration" => CauseKind::Iteration,
        "jump" => CauseKind::Jump,
        "retry" => CauseKind::Retry,
        "member" => CauseKind::Member,
        other => return Err(PyValueError::new_err(format!("`{other}` is no kind of cause"))),
    })
}

pub(crate) const fn word_of(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Successor => "successor",
        CauseKind::Dynamic => "dynamic",
        CauseKind::Iteration => "iteration",
        CauseKind::Jump => "jump",
        CauseKind::Retry => "retry",
        CauseKind::Member => "member",
    }
}

pub(crate) fn policy_of(word: Option<&str>) -> ValuePolicy {
    word.and_then(|word| word.parse().ok()).unwrap_or_else(default_policy)
}
