//! The contract that is committed is the one that is answered.

use std::path::PathBuf;

/// Compares a generated document with the one in `spec/`, or rewrites that one when `UPDATE_SPEC` is set.
pub(crate) fn compare(name: &str, generated: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec").join(name);
    if std::env::var_os("UPDATE_SPEC").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "spec/{name} is not what the code says; hint: UPDATE_SPEC=1 cargo test -p graflow-api rewrites it"
    );
}

#[test]
fn generated_openapi() {
    let mut generated = graflow_api::openapi().to_pretty_json().unwrap();
    generated.push('\n');
    compare("openapi.json", &generated);
}

/// Every reference leads somewhere, and every operation has a name of its own.
#[test]
fn openapi_is_whole() {
    let document = serde_json::to_value(graflow_api::openapi()).unwrap();
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is not there");
    }
    let mut names: Vec<_> =
        text.split("\"operationId\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert_eq!(count, 34);
}
