//! Documents: links that lead somewhere, and a map that is complete.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::tree::{Fault, TextFile, Tree};

/// Links from one file of the checkout to another, and to headings in them.
pub(super) fn links(tree: &Tree) -> Vec<Fault> {
    let folders: BTreeSet<&Path> = tree.files.iter().flat_map(|file| file.path.ancestors().skip(1)).collect();
    let mut faults = Vec::new();
    for file in tree.with_extension(&["md"]) {
        for (number, target) in targets(file) {
            let (path, heading) =
                target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
            let to = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
            let found = tree.file(&to);
            if found.is_none() && !folders.contains(to.as_path()) && !tree.pictures.contains(&to) {
                faults.push(file.fault(Some(number), format!("links to `{path}`, which is not there")));
            } else if let (Some(heading), Some(found)) = (heading, found)
                && to.extension().is_some_and(|extension| extension == "md")
                && !headings(found).contains(heading)
            {
                faults.push(file.fault(
                    Some(number),
                    format!("links to `#{heading}`, which is no heading of {}", to.display()),
                ));
            }
        }
    }
    faults
}

/// ARCHITECTURE.md has a heading for every crate of ours, and none for a crate that is gone.
pub(super) fn map(tree: &Tree) -> Vec<Fault> {
    let Some(map) = tree.file("ARCHITECTURE.md") else {
        return vec![Fault::of("ARCHITECTURE.md", "is missing")];
    };
    let told: BTreeSet<&str> = map
        .text
        .lines()
        .filter(|line| line.starts_with("### "))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    let there: BTreeSet<&str> = tree.metadata.members().map(|package| package.name.as_str()).collect();
    let missing =
        there.difference(&told).map(|name| map.fault(None, format!("has no heading for the crate `{name}`")));
    let gone = told
        .difference(&there)
        .map(|name| map.fault(None, format!("tells of `{name}`, which is no crate here")));
    missing.chain(gone).collect()
}

/// The program in README.md is the one that CI compiles and runs.
pub(super) fn readme(tree: &Tree) -> Vec<Fault> {
    const PROGRAM: &str = "examples/readme.rs";
    let (Some(readme), Some(program)) = (tree.file("README.md"), tree.file(PROGRAM)) else {
        return vec![Fault::of("README.md", format!("it, or {PROGRAM}, is missing"))];
    };
    let shown = readme.text.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    let own = |line: &&str| !line.starts_with("//!") && !line.is_empty();
    let begin = program.text.lines().find(own).and_then(|line| program.text.find(line)).unwrap_or(0);
    if shown == Some(&program.text[begin..]) {
        Vec::new()
    } else {
        vec![readme.fault(None, format!("its program is not {PROGRAM}"))]
    }
}

/// What a document links to inside the checkout: `](target)`, outside of code.
fn targets(file: &TextFile) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // What stands between backquotes is code, unless it is the text of a link.
        for piece in line.split('`').step_by(2) {
            for after in piece.split("](").skip(1) {
                let target = after.split([')', ' ']).next().unwrap_or_default();
                if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                    targets.push((number, target));
                }
            }
        }
    }
    targets
}

/// Where a link of a document leads, from the root of the checkout.
pub(super) fn resolve(from: &Path, link: &str) -> PathBuf {
    let start = if link.starts_with('/') {
        PathBuf::new()
    } else {
        from.parent().unwrap_or(Path::new("")).to_owned()
    };
    Path::new(link).components().fold(start, |mut path, part| {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
        path
    })
}

/// The anchors of a document's headings, as code hosts make them: small letters, spaces to dashes, no signs.
fn headings(file: &TextFile) -> BTreeSet<String> {
    let mut in_code = false;
    let mut anchors = BTreeSet::new();
    for (_, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let Some(title) = line.strip_prefix('#').filter(|_| !in_code) else { continue };
        let anchor = title
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter_map(|character| match character {
                ' ' => Some('-'),
                '-' | '_' => Some(character),
                _ if character.is_alphanumeric() => Some(character),
                _ => None,
            })
            .collect();
        anchors.insert(anchor);
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::super::tree::said;
    use super::*;

    #[test]
    fn pictures_are_found() {
        let mut tree = Tree::of(&[("README.md", "![a](docs/a.png) ![b](docs/b.png)\n")]);
        tree.pictures.insert("docs/a.png".into());
        assert_eq!(said(&links(&tree)), ["error: README.md:1: links to `docs/b.png`, which is not there"]);
    }

    #[test]
    fn broken_links_are_found() {
        let tree = Tree::of(&[
            (
                "README.md",
                "[a](docs/a.md#the-way) [b](docs/b.md) [c](https://example.org) [`d`](docs/)\n[x](#gone)\n",
            ),
            (
                "docs/a.md",
                "# A\n## The way\n[up](../README.md) `[code](x.md)`\n```\n[code](y.md)\n# no heading\n```\n",
            ),
        ]);
        assert_eq!(
            said(&links(&tree)),
            [
                "error: README.md:1: links to `docs/b.md`, which is not there",
                "error: README.md:2: links to `#gone`, which is no heading of README.md",
            ]
        );
    }

    #[test]
    fn a_program_that_is_not_the_one_that_runs_is_found() {
        let faults = |program: &str| {
            readme(&Tree::of(&[
                ("README.md", "# A\n```rust\nfn main() {}\n```\n"),
                ("examples/readme.rs", program),
            ]))
        };
        assert!(faults("//! A.\n\nfn main() {}\n").is_empty());
        assert_eq!(
            said(&faults("fn main() { run() }\n")),
            ["error: README.md: its program is not examples/readme.rs"]
        );
        assert_eq!(readme(&Tree::default()).len(), 1);
    }

    #[test]
    fn headings_become_anchors() {
        let file =
            TextFile { path: "a.md".into(), text: "## Exit codes: `wait`\n### A_b-c (d)\n".to_owned() };
        assert_eq!(headings(&file), BTreeSet::from(["exit-codes-wait".to_owned(), "a_b-c-d".to_owned()]));
    }

    #[test]
    fn a_crate_that_the_map_forgot_is_found() {
        let tree = Tree::of(&[("ARCHITECTURE.md", "### `graflow-gone`: what was\n")]);
        assert_eq!(
            said(&map(&tree)),
            ["error: ARCHITECTURE.md: tells of `graflow-gone`, which is no crate here"]
        );
    }
}
