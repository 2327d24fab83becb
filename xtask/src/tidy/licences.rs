//! The licences of everything we link: those that `deny.toml` lists, and no others.

use std::collections::BTreeSet;

use super::tree::{Fault, Tree};

/// Every package of the lock file has a licence that lets us ship it.
pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let Some(policy) = tree.file("deny.toml") else {
        return vec![Fault::of("deny.toml", "is missing: it lists the licences that dependencies may have")];
    };
    let allowed = listed(&policy.text);
    if allowed.is_empty() {
        return vec![policy.fault(None, "lists no licence under `allow = [`")];
    }
    tree.metadata
        .packages
        .iter()
        .filter_map(|package| {
            let fault = |message: String| {
                Some(Fault::of(format!("crate {} {}", package.name, package.version), message))
            };
            match &package.license {
                None => fault("says no licence".to_owned()),
                Some(licence) if permits(licence, &allowed) => None,
                Some(licence) => fault(format!("`{licence}` is not among the licences that deny.toml lists")),
            }
        })
        .collect()
}

/// The quoted words of the list `allow = [ … ]`.
fn listed(policy: &str) -> BTreeSet<&str> {
    let list =
        policy.split_once("allow = [").map_or("", |(_, rest)| rest.split(']').next().unwrap_or_default());
    list.lines().filter_map(|line| line.split('"').nth(1)).collect()
}

/// Whether an SPDX expression can be met with the allowed licences. `/` is an old way to say `OR`.
fn permits(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any(&mut words, allowed);
    met && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        // Both sides are read, whatever the first one says.
        met |= all(words, allowed);
    }
    met
}

fn all(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let met = any(words, allowed);
        return words.next_if_eq(&")").is_some() && met;
    }
    let Some(licence) = words.next() else { return false };
    if words.next_if_eq(&"WITH").is_none() {
        return allowed.contains(licence);
    }
    // An exception only gives more rights than the licence alone.
    words.next().is_some() && allowed.contains(licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_or_not() {
        let policy =
            "allow = [\n  \"MIT\",\n  \"Apache-2.0\", # ours\n  \"ISC\",\n]\nconfidence = \"GPL-3.0\"";
        let allowed = listed(policy);
        assert_eq!(allowed, BTreeSet::from(["Apache-2.0", "ISC", "MIT"]));
        for met in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/GPL-2.0",
            "(GPL-3.0 OR MIT) AND ISC",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            "MIT AND (ISC OR GPL-3.0)",
        ] {
            assert!(permits(met, &allowed), "{met}");
        }
        for unmet in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "",
            "GPL-2.0 WITH Classpath-exception-2.0",
            "(MIT",
            "MIT ISC",
            "MIT AND",
        ] {
            assert!(!permits(unmet, &allowed), "{unmet}");
        }
    }

    #[test]
    fn a_policy_that_lists_nothing_fails() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        assert_eq!(check(&Tree::of(&[("deny.toml", "[licenses]")])).len(), 1);
    }
}
