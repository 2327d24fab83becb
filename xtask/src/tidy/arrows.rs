//! Which crate may know which: dependencies point at the vocabulary, never along the flow of the data.

use std::collections::{BTreeSet, HashMap};

use super::tree::{Fault, Tree};
use crate::workspace::{Metadata, Package};

/// A crate of ours, the crates of ours it may know, those that its tests may know besides, and the heavy libraries
/// that nobody gets by using it.
struct Arrow {
    name: &'static str,
    knows: &'static [&'static str],
    tests_know: &'static [&'static str],
    keeps_out: &'static [&'static str],
}

const SQL: &str = "rusqlite";
const SERVER: &str = "axum";
const HTTP_CLIENT: &str = "reqwest";
const RUNTIME: &str = "tokio";

const ARROWS: &[Arrow] = &[
    Arrow {
        name: "graflow-model",
        knows: &[],
        tests_know: &[],
        keeps_out: &[RUNTIME, SQL, SERVER, HTTP_CLIENT],
    },
    Arrow {
        name: "graflow-macros",
        knows: &[],
        tests_know: &["graflow"],
        keeps_out: &[RUNTIME, SQL, SERVER, HTTP_CLIENT],
    },
    Arrow {
        name: "graflow-wire",
        knows: &["graflow-model"],
        tests_know: &[],
        keeps_out: &[RUNTIME, SQL, SERVER, HTTP_CLIENT],
    },
    Arrow {
        name: "graflow",
        knows: &["graflow-model", "graflow-macros"],
        // Its benchmark says what lineage adds, its tests fold what it emits.
        tests_know: &["graflow-local", "graflow-lineage", "graflow-store"],
        keeps_out: &[SQL, SERVER, HTTP_CLIENT],
    },
    Arrow {
        name: "graflow-layout",
        knows: &[],
        tests_know: &[],
        keeps_out: &[RUNTIME, SQL, SERVER, HTTP_CLIENT],
    },
    Arrow {
        name: "graflow-lineage",
        knows: &["graflow-model"],
        tests_know: &["graflow-store"],
        keeps_out: &[SQL, SERVER, HTTP_CLIENT],
    },
    Arrow {
        name: "graflow-store",
        knows: &["graflow-model", "graflow-lineage"],
        tests_know: &[],
        keeps_out: &[SERVER, HTTP_CLIENT],
    },
    Arrow {
        name: "graflow-client",
        knows: &["graflow-model", "graflow-wire"],
        tests_know: &["graflow-api", "graflow-lineage", "graflow-store"],
        keeps_out: &[SQL, SERVER],
    },
    Arrow {
        name: "graflow-local",
        knows: &[
            "graflow",
            "graflow-client",
            "graflow-lineage",
            "graflow-model",
            "graflow-store",
            "graflow-wire",
        ],
        tests_know: &["graflow-api"],
        keeps_out: &[SERVER],
    },
    Arrow {
        name: "graflow-python",
        knows: &["graflow-client", "graflow-local", "graflow-model"],
        tests_know: &[],
        keeps_out: &[SERVER],
    },
    Arrow {
        name: "graflow-api",
        knows: &["graflow-layout", "graflow-lineage", "graflow-model", "graflow-wire"],
        tests_know: &["graflow-store", "graflow-client"],
        keeps_out: &[SQL, HTTP_CLIENT],
    },
    Arrow {
        name: "graflow-cli",
        knows: &[
            "graflow-api",
            "graflow-client",
            "graflow-lineage",
            "graflow-local",
            "graflow-model",
            "graflow-store",
            "graflow-wire",
        ],
        tests_know: &["graflow"],
        keeps_out: &[],
    },
    Arrow { name: "xtask", knows: &[], tests_know: &[], keeps_out: &[RUNTIME, SQL, SERVER, HTTP_CLIENT] },
];

/// Programs for people and for us, which nothing depends on: they may know every library.
const LEAVES: &[&str] = &["graflow-examples", "graflow-bench", "graflow-torture"];

/// Every crate knows only what it may.
pub(super) fn own_crates(tree: &Tree) -> Vec<Fault> {
    let ours: BTreeSet<&str> = tree.metadata.members().map(|package| package.name.as_str()).collect();
    let mut faults = Vec::new();
    for package in tree.metadata.members().filter(|package| !LEAVES.contains(&package.name.as_str())) {
        let Some(arrow) = arrow_of(package) else {
            faults.push(fault(package, "no line in xtask/src/tidy/arrows.rs says what this crate may know"));
            continue;
        };
        let mut known: BTreeSet<(&str, bool)> = BTreeSet::new();
        for dependency in &package.dependencies {
            known.insert((&dependency.name, dependency.kind.as_deref() == Some("dev")));
        }
        for (name, in_tests) in known.into_iter().filter(|(name, _)| ours.contains(name)) {
            let may = arrow.knows.contains(&name) || (in_tests && arrow.tests_know.contains(&name));
            if !may && name != package.name {
                let who = if in_tests { "its tests" } else { "it" };
                let allowed =
                    if arrow.knows.is_empty() { "none of ours".to_owned() } else { arrow.knows.join(", ") };
                faults.push(fault(package, &format!("{who} must not know {name}; may know: {allowed}")));
            }
        }
    }
    faults
}

/// Nobody gets a heavy library through a crate that keeps it out.
pub(super) fn heavy_libraries(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for package in tree.metadata.members() {
        let Some(arrow) = arrow_of(package) else { continue };
        for way in ways_to(&tree.metadata, package, arrow.keeps_out) {
            faults.push(fault(
                package,
                &format!("promises to keep {} out, but brings it: {}", way[way.len() - 1], way.join(" -> ")),
            ));
        }
    }
    faults
}

fn arrow_of(package: &Package) -> Option<&'static Arrow> {
    ARROWS.iter().find(|arrow| arrow.name == package.name)
}

fn fault(package: &Package, message: &str) -> Fault {
    Fault::of(format!("crate {}", package.name), message)
}

/// The way through normal dependencies to each of the targets that can be reached.
fn ways_to(metadata: &Metadata, from: &Package, targets: &[&str]) -> Vec<Vec<String>> {
    let names: HashMap<&str, &str> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
    let nodes: HashMap<&str, _> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let name_of = |id: &str| names.get(id).copied().unwrap_or(id).to_owned();
    let mut ways = Vec::new();
    let mut seen = BTreeSet::from([from.id.as_str()]);
    let mut open = vec![(from.id.as_str(), vec![from.name.clone()])];
    while let Some((id, way)) = open.pop() {
        if way.len() > 1 && targets.contains(&way[way.len() - 1].as_str()) {
            ways.push(way);
            continue;
        }
        for dependency in nodes.get(id).map_or(&[][..], |node| &node.deps) {
            let normal = dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
            if normal && seen.insert(&dependency.pkg) {
                let mut longer = way.clone();
                longer.push(name_of(&dependency.pkg));
                open.push((&dependency.pkg, longer));
            }
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::super::tree::said;
    use super::*;
    use crate::workspace::{Dependency, DependencyKind, Node, NodeDependency, Resolve};

    /// A workspace in which every crate depends on these, as (crate, dependency, kind).
    fn tree(arrows: &[(&str, &str, Option<&str>)]) -> Tree {
        let names: BTreeSet<&str> = arrows.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        let packages = names
            .iter()
            .map(|name| Package {
                id: (*name).to_owned(),
                name: (*name).to_owned(),
                dependencies: arrows
                    .iter()
                    .filter(|(from, _, _)| from == name)
                    .map(|(_, to, kind)| Dependency {
                        name: (*to).to_owned(),
                        kind: kind.map(ToOwned::to_owned),
                    })
                    .collect(),
                ..Package::default()
            })
            .collect::<Vec<_>>();
        let nodes = packages.iter().map(|package| Node {
            id: package.id.clone(),
            deps: package
                .dependencies
                .iter()
                .map(|dependency| NodeDependency {
                    pkg: dependency.name.clone(),
                    dep_kinds: vec![DependencyKind { kind: dependency.kind.clone() }],
                })
                .collect(),
        });
        let resolve = Resolve { nodes: nodes.collect() };
        let workspace_members =
            names.iter().filter(|name| name.starts_with("graflow")).map(ToString::to_string).collect();
        Tree { metadata: Metadata { packages, workspace_members, resolve }, ..Tree::default() }
    }

    #[test]
    fn an_arrow_along_the_flow_is_found() {
        let faults = own_crates(&tree(&[("graflow", "graflow-lineage", None)]));
        assert_eq!(
            said(&faults),
            [
                "error: crate graflow: it must not know graflow-lineage; may know: graflow-model, graflow-macros"
            ]
        );
    }

    #[test]
    fn tests_may_know_more_but_not_anything() {
        assert!(own_crates(&tree(&[("graflow-lineage", "graflow-store", Some("dev"))])).is_empty());
        let faults = own_crates(&tree(&[("graflow-model", "graflow-store", Some("dev"))]));
        assert_eq!(
            said(&faults),
            ["error: crate graflow-model: its tests must not know graflow-store; may know: none of ours"]
        );
    }

    #[test]
    fn a_crate_without_a_line_is_found() {
        let faults = own_crates(&tree(&[("graflow-new", "serde", None)]));
        assert_eq!(said(&faults).len(), 1);
    }

    #[test]
    fn a_heavy_library_is_found_through_others() {
        let through = tree(&[
            ("graflow-client", "lib", None),
            ("lib", "axum", None),
            ("graflow-client", "axum", Some("dev")),
        ]);
        assert_eq!(
            said(&heavy_libraries(&through)),
            [
                "error: crate graflow-client: promises to keep axum out, but brings it: graflow-client -> lib -> axum"
            ]
        );
        assert!(heavy_libraries(&tree(&[("graflow-client", "axum", Some("dev"))])).is_empty());
    }
}
