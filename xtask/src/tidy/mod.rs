//! `cargo xtask tidy`: the rules of the house that a machine can check.
//!
//! A rule is a function from a [`Tree`] to faults, with a test that shows it failing. To add one, add a line to
//! [`RULES`].

mod arrows;
mod documents;
mod licences;
mod manifests;
mod proofs;
mod sources;
mod tree;

use std::process::ExitCode;

use crate::test::Tally;
use crate::workspace::Workspace;
use tree::{Fault, Tree};

/// A rule: its name, what it asks for, and where the tree does not follow.
struct Rule {
    name: &'static str,
    what: &'static str,
    check: fn(&Tree) -> Vec<Fault>,
}

const RULES: &[Rule] = &[
    rule("arrows", "crates depend only on the crates they may know", arrows::own_crates),
    rule("weight", "heavy libraries stay out of the crates that promise so", arrows::heavy_libraries),
    rule("licences", "every dependency has a licence that deny.toml lists", licences::check),
    rule("lints", "every crate takes the one lint table", manifests::lint_table),
    rule("header", "every manifest takes version, edition and licence from the workspace", manifests::header),
    rule(
        "order",
        "dependencies are in order and say their version in the root manifest only",
        manifests::order,
    ),
    rule("unused", "every dependency is used", manifests::unused),
    rule("length", "a file can be read in one sitting", sources::length),
    rule("opening", "every crate and module folder says what it is for", sources::opening),
    rule("leftovers", "nothing is left over from writing", sources::leftovers),
    rule("expect", "lints are expected with a reason, never allowed", sources::expected_lints),
    rule("machine", "no path of somebody's machine", sources::machine_paths),
    rule("links", "links between documents lead somewhere", documents::links),
    rule("readme", "the program in README.md compiles and runs", documents::readme),
    rule("proofs", "each promise and limit names a test that is there", proofs::named),
    rule("map", "ARCHITECTURE.md tells of every crate", documents::map),
];

const fn rule(name: &'static str, what: &'static str, check: fn(&Tree) -> Vec<Fault>) -> Rule {
    Rule { name, what, check }
}

/// Checks every rule, for a person.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let tally = check(workspace)?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks every rule; each counts as one.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Tally> {
    let tree = Tree::read(workspace)?;
    Ok(RULES
        .iter()
        .map(|rule| {
            let faults = (rule.check)(&tree);
            for fault in &faults {
                println!("{fault}");
            }
            if faults.iter().any(|fault| fault.fails) {
                println!("tidy {}: failed: {}", rule.name, rule.what);
                Tally::FAILED
            } else {
                println!("tidy {}: ok: {}", rule.name, rule.what);
                Tally::PASSED
            }
        })
        .sum())
}
