//! Promises and limits: each is shown by a test that is there.

use std::path::Path;

use super::documents::resolve;
use super::tree::{Fault, TextFile, Tree};

/// The documents in which every line of a table names its tests.
const DOCUMENTS: [&str; 2] = ["docs/promises.md", "docs/limits.md"];

/// The last cell of every line of a table links to a test, by its name and file; every test is in its file.
pub(super) fn named(tree: &Tree) -> Vec<Fault> {
    DOCUMENTS
        .into_iter()
        .flat_map(|path| match tree.file(path) {
            Some(document) => check(tree, document),
            None => vec![Fault::of(path, "is missing")],
        })
        .collect()
}

fn check(tree: &Tree, document: &TextFile) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut lines = document.lines().peekable();
    let mut claims = 0;
    while let Some((number, line)) = lines.next() {
        let is_heading = lines.peek().is_some_and(|(_, next)| next.starts_with("|---"));
        if !line.starts_with('|') || line.starts_with("|---") || is_heading {
            continue;
        }
        claims += 1;
        let cell = line.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap_or_default();
        let proofs = proofs(cell);
        if proofs.is_empty() {
            faults.push(document.fault(Some(number), "names no test that shows it"));
        }
        for (name, path) in proofs {
            if !holds(tree, &resolve(&document.path, path), name) {
                faults.push(document.fault(Some(number), format!("`{name}` is no test in {path}")));
            }
        }
    }
    if claims == 0 {
        faults.push(document.fault(None, "has no table"));
    }
    faults
}

/// The names and files of ``[`name`](file)``.
fn proofs(cell: &str) -> Vec<(&str, &str)> {
    let links = cell.split("[`").skip(1);
    links
        .filter_map(|rest| Some((rest.split_once("`](")?.0, rest.split_once("`](")?.1.split_once(')')?.0)))
        .collect()
}

/// Whether a file has a test of this name: a function, or what stands in quotes.
fn holds(tree: &Tree, path: &Path, name: &str) -> bool {
    tree.file(path).is_some_and(|file| {
        [format!("fn {name}("), format!("def {name}("), format!("\"{name}\"")]
            .iter()
            .any(|form| file.text.contains(form))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::said;
    use super::*;

    #[test]
    fn a_claim_without_a_test_is_found() {
        let tree = Tree::of(&[
            (
                "docs/promises.md",
                "# P\n| | promise | shown by |\n|---|---|---|\n| P1 | a | [`holds`](../a.rs), scenario [`kill`](../a.rs) |\n\
                 | P2 | b | much testing |\n| P3 | c | [`gone`](../a.rs) |\n",
            ),
            ("docs/limits.md", "# L\n"),
            ("a.rs", "fn holds() {}\nconst KILL: &str = \"kill\";\n"),
        ]);
        assert_eq!(
            said(&named(&tree)),
            [
                "error: docs/promises.md:5: names no test that shows it",
                "error: docs/promises.md:6: `gone` is no test in ../a.rs",
                "error: docs/limits.md: has no table",
            ]
        );
        assert_eq!(named(&Tree::default()).len(), 2);
    }
}
