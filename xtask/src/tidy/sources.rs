//! Source files: short, opened by a sentence, nothing left over.

use std::path::Path;

use super::tree::{Fault, TextFile, Tree};

const WARN_ABOVE: usize = 400;
const FAIL_ABOVE: usize = 800;

/// What counts as source.
const SOURCES: &[&str] = &["rs", "py", "ts", "svelte", "css", "sql"];

/// Words that writers leave behind; split so that this file does not find itself.
const LEFTOVERS: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "do it, or open an issue"),
    (concat!("FIX", "ME"), "fix it, or open an issue"),
    (concat!("XX", "X:"), "say what is wrong, or mend it"),
    (concat!("dbg", "!("), "take it out"),
    (concat!("todo", "!("), "write it"),
    (concat!("unimplemented", "!("), "write it"),
    (concat!("<<<", "<<<< "), "a merge was not finished"),
];

/// No file is too long to read.
pub(super) fn length(tree: &Tree) -> Vec<Fault> {
    tree.with_extension(SOURCES)
        .filter_map(|file| {
            let lines = file.text.lines().count();
            let fault = |most: usize| {
                file.fault(None, format!("{lines} lines, more than {most}: can it be two files?"))
            };
            match lines {
                0..=WARN_ABOVE => None,
                _ if lines <= FAIL_ABOVE => Some(fault(WARN_ABOVE).only_a_warning()),
                _ => Some(fault(FAIL_ABOVE)),
            }
        })
        .collect()
}

/// `lib.rs`, `main.rs` and `mod.rs` begin by saying what they are for.
pub(super) fn opening(tree: &Tree) -> Vec<Fault> {
    tree.with_extension(&["rs"])
        .filter(|file| {
            let name = file.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            ["lib.rs", "main.rs", "mod.rs"].contains(&name) && !file.text.starts_with("//!")
        })
        .map(|file| {
            file.fault(
                Some(1),
                "does not begin with `//!`: what is it for, and where does one start to read?",
            )
        })
        .collect()
}

/// Nothing that was meant for the writer only.
pub(super) fn leftovers(tree: &Tree) -> Vec<Fault> {
    find(tree, |line| {
        let (word, advice) = LEFTOVERS.iter().find(|(word, _)| line.contains(word))?;
        Some(format!("`{word}`: {advice}"))
    })
}

/// A lint is expected with a reason: the compiler says when the reason is gone.
pub(super) fn expected_lints(tree: &Tree) -> Vec<Fault> {
    let allow = [concat!("#[", "allow("), concat!("#![", "allow(")];
    let expect = [concat!("#[", "expect("), concat!("#![", "expect(")];
    let mut faults = Vec::new();
    for file in tree.with_extension(&["rs"]).filter(|file| !is_expansion(&file.path)) {
        for (number, line) in file.lines() {
            if allow.iter().any(|word| line.contains(word)) {
                faults.push(file.fault(Some(number), "use `#[expect(…, reason = \"…\")]`"));
            }
            let attribute = || file.text.lines().skip(number - 1).take(16).collect::<Vec<_>>().join(" ");
            if expect.iter().any(|word| line.trim_start().starts_with(word))
                && !attribute().split(")]").next().unwrap_or_default().contains("reason")
            {
                faults.push(file.fault(Some(number), "give the reason: `#[expect(…, reason = \"…\")]`"));
            }
        }
    }
    faults
}

/// No path that only one machine has.
pub(super) fn machine_paths(tree: &Tree) -> Vec<Fault> {
    const HOMES: &[&str] = &[
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
        concat!("/wo", "rk/"),
        concat!("C:", "\\Users"),
    ];
    find(tree, |line| {
        let home = HOMES.iter().find(|home| {
            // A folder of that name inside another one is no path of a machine.
            line.match_indices(**home).any(|(at, _)| {
                !line[..at].ends_with(|before: char| before.is_alphanumeric() || "-_.}~".contains(before))
            })
        })?;
        Some(format!("`{home}…` is a path of one machine"))
    })
}

/// Faults of single lines, in everything that people write.
fn find(tree: &Tree, fault: impl Fn(&str) -> Option<String>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.files.iter().filter(|file| !is_foreign(file)) {
        for (number, line) in file.lines() {
            if let Some(message) = fault(line) {
                faults.push(file.fault(Some(number), message));
            }
        }
    }
    faults
}

/// Lock files are other people's words.
fn is_foreign(file: &TextFile) -> bool {
    let name = file.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ["Cargo.lock", "package-lock.json", "LICENSE"].contains(&name)
}

/// What a macro writes into other people's code may allow: whether a lint would fire there is not known.
fn is_expansion(path: &Path) -> bool {
    path.starts_with("crates/graflow-macros") || path.ends_with("macro_support.rs")
}

#[cfg(test)]
mod tests {
    use super::super::tree::said;
    use super::*;

    fn one(path: &str, text: &str) -> Tree {
        Tree::of(&[(path, text)])
    }

    #[test]
    fn long_files_warn_then_fail() {
        let lines = |count: usize| length(&one("a.rs", &"x\n".repeat(count)));
        assert!(lines(400).is_empty());
        assert_eq!(said(&lines(401)), ["warning: a.rs: 401 lines, more than 400: can it be two files?"]);
        assert_eq!(said(&lines(801)), ["error: a.rs: 801 lines, more than 800: can it be two files?"]);
        assert!(length(&one("data.json", &"x\n".repeat(2_000))).is_empty());
    }

    #[test]
    fn modules_open_with_a_sentence() {
        assert_eq!(opening(&one("crates/a/src/lib.rs", "pub mod b;\n")).len(), 1);
        assert!(opening(&one("crates/a/src/lib.rs", "//! A.\n")).is_empty());
        assert!(opening(&one("crates/a/src/b.rs", "pub fn c() {}\n")).is_empty());
    }

    #[test]
    fn leftovers_are_found() {
        for (word, _) in LEFTOVERS {
            assert_eq!(leftovers(&one("a.md", &format!("fine\n{word} later"))).len(), 1, "{word}");
        }
        assert!(leftovers(&one("Cargo.lock", concat!("TO", "DO"))).is_empty());
    }

    #[test]
    fn lints_are_expected_with_a_reason() {
        let faults = |text: &str| expected_lints(&one("a.rs", text)).len();
        assert_eq!(faults(concat!("#[", "allow(dead_code)]")), 1);
        assert_eq!(faults(concat!("#[", "expect(dead_code)]\nfn a() {}")), 1);
        assert_eq!(faults(concat!("#[", "expect(dead_code, reason = \"shown in the guide\")]")), 0);
        assert_eq!(faults(concat!("#[", "expect(\n  dead_code,\n  reason = \"long\"\n)]")), 0);
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        let faults = |text: &str| machine_paths(&one("a.md", text)).len();
        assert_eq!(faults(concat!("cd /ho", "me/ada/graflow")), 1);
        assert_eq!(faults(concat!("`/ro", "ot/x`")), 1);
        assert_eq!(faults(concat!("docs/ho", "me/index.md")), 0);
    }
}
