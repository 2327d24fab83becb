//! Manifests: one lint table, one header, one place for versions, nothing unused.

use std::path::Path;

use super::tree::{Fault, TextFile, Tree};

/// Every crate takes the lint table of the workspace.
pub(super) fn lint_table(tree: &Tree) -> Vec<Fault> {
    tree.manifests()
        .filter(|(_, manifest)| !section(manifest, "[lints]").any(|(_, line)| line == "workspace = true"))
        .map(|(_, manifest)| manifest.fault(None, "has no `[lints]` with `workspace = true`"))
        .collect()
}

/// Every crate says what it is, and takes the rest from the workspace.
pub(super) fn header(tree: &Tree) -> Vec<Fault> {
    const SHARED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];
    let mut faults = Vec::new();
    for (_, manifest) in tree.manifests() {
        for key in SHARED {
            let wanted = format!("{key}.workspace = true");
            if !section(manifest, "[package]").any(|(_, line)| line == wanted) {
                faults.push(manifest.fault(None, format!("`[package]` lacks `{wanted}`")));
            }
        }
        if !section(manifest, "[package]").any(|(_, line)| line.starts_with("description = \"")) {
            faults.push(manifest.fault(None, "`[package]` lacks a description"));
        }
    }
    faults
}

/// Dependencies are in order; versions stand in the root manifest.
pub(super) fn order(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(root) = tree.file("Cargo.toml") {
        faults.extend(out_of_order(root, "[workspace.dependencies]"));
    }
    for (_, manifest) in tree.manifests() {
        for name in DEPENDENCY_SECTIONS {
            faults.extend(out_of_order(manifest, name));
            for (number, line) in section(manifest, name).filter(|(_, line)| line.contains('=')) {
                if !line.contains("workspace = true") {
                    faults.push(
                        manifest.fault(
                            Some(number),
                            "says a version of its own; the root manifest says it for all",
                        ),
                    );
                }
            }
        }
    }
    faults
}

/// Every dependency is named by the code that says it needs it.
pub(super) fn unused(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (folder, manifest) in tree.manifests() {
        for name in DEPENDENCY_SECTIONS {
            for (number, dependency) in dependencies(manifest, name) {
                if !names(tree, folder, &dependency.replace('-', "_")) {
                    faults.push(
                        manifest.fault(Some(number), format!("no code of this crate names `{dependency}`")),
                    );
                }
            }
        }
    }
    if let Some(root) = tree.file("Cargo.toml") {
        for (number, dependency) in dependencies(root, "[workspace.dependencies]") {
            let wanted = |(_, manifest): (&Path, &TextFile)| {
                DEPENDENCY_SECTIONS
                    .iter()
                    .any(|name| dependencies(manifest, name).any(|(_, own)| own == dependency))
            };
            if !tree.manifests().any(wanted) {
                faults.push(root.fault(Some(number), format!("no crate uses `{dependency}`")));
            }
        }
    }
    faults
}

const DEPENDENCY_SECTIONS: [&str; 3] = ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"];

/// The lines under a heading, up to the next one.
fn section<'a>(manifest: &'a TextFile, heading: &str) -> impl Iterator<Item = (usize, &'a str)> {
    let mut lines = manifest.lines();
    lines.by_ref().find(|(_, line)| *line == heading);
    lines.take_while(|(_, line)| !line.starts_with('['))
}

/// The names on the lines under a heading.
fn dependencies<'a>(manifest: &'a TextFile, heading: &str) -> impl Iterator<Item = (usize, &'a str)> {
    section(manifest, heading)
        .filter(|(_, line)| !line.starts_with([' ', '#', ']', '}']))
        .filter_map(|(number, line)| {
            Some((number, line.split(['=', '.', ' ']).next().filter(|name| !name.is_empty())?))
        })
        .filter(|(_, name)| !name.is_empty())
}

/// Names that stand after a greater one; a blank line begins a new group.
fn out_of_order(manifest: &TextFile, heading: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let names: Vec<_> = dependencies(manifest, heading).collect();
    for pair in names.windows(2) {
        let ((before, first), (number, second)) = (pair[0], pair[1]);
        let one_group =
            manifest.lines().skip(before).take(number - before).all(|(_, line)| !line.trim().is_empty());
        if one_group && first > second {
            faults.push(
                manifest
                    .fault(Some(number), format!("`{second}` stands after `{first}`; keep them in order")),
            );
        }
    }
    faults
}

/// Whether any source of the crate says the word.
fn names(tree: &Tree, folder: &Path, word: &str) -> bool {
    let is_word = |text: &str| {
        text.match_indices(word).any(|(at, _)| {
            let part = |character: char| character.is_alphanumeric() || character == '_';
            !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part)
        })
    };
    tree.with_extension(&["rs"]).filter(|file| file.path.starts_with(folder)).any(|file| is_word(&file.text))
}

#[cfg(test)]
mod tests {
    use super::super::tree::said;
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\ndescription = \"A\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\n\
        [dependencies]\nanyhow.workspace = true\nserde-x = { workspace = true, optional = true }\n\n[lints]\nworkspace = true\n";

    fn tree(manifest: &str) -> Tree {
        Tree::of(&[
            ("crates/a/Cargo.toml", manifest),
            ("crates/a/src/lib.rs", "use anyhow::Context; use serde_x as x;"),
        ])
    }

    #[test]
    fn a_good_manifest_has_no_fault() {
        let tree = tree(GOOD);
        for check in [lint_table, header, order, unused] {
            assert!(check(&tree).is_empty(), "{:?}", check(&tree));
        }
    }

    #[test]
    fn each_fault_is_found() {
        let without_lints = GOOD.replace("[lints]\nworkspace = true\n", "[lints]\n");
        assert_eq!(lint_table(&tree(&without_lints)).len(), 1);
        assert_eq!(header(&tree(&GOOD.replace("edition.workspace", "edition"))).len(), 1);
        let swapped = GOOD
            .replace("anyhow.workspace = true\n", "")
            .replace("optional = true }", "optional = true }\nanyhow.workspace = true");
        assert_eq!(
            said(&order(&tree(&swapped))),
            ["error: crates/a/Cargo.toml:12: `anyhow` stands after `serde-x`; keep them in order"]
        );
        assert_eq!(order(&tree(&GOOD.replace("anyhow.workspace = true", "anyhow = \"1.0\""))).len(), 1);
        let more = GOOD.replace("anyhow.workspace = true", "anyhow.workspace = true\nfoo.workspace = true");
        assert_eq!(
            said(&unused(&tree(&more))),
            ["error: crates/a/Cargo.toml:12: no code of this crate names `foo`"]
        );
    }

    #[test]
    fn an_unused_line_of_the_root_is_found() {
        let root =
            "[workspace.dependencies]\nanyhow = \"1\"\nserde-x = \"1\"\n\nbar = \"2\"\n[profile.dev]\n";
        let tree = Tree::of(&[
            ("Cargo.toml", root),
            ("crates/a/Cargo.toml", GOOD),
            ("crates/a/src/lib.rs", "use anyhow as a; use serde_x as b;"),
        ]);
        assert_eq!(said(&unused(&tree)), ["error: Cargo.toml:5: no crate uses `bar`"]);
        assert!(order(&tree).is_empty(), "a blank line begins a new group");
    }
}
