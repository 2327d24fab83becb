//! Files that change together, and what that says about their importance.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::git::{Commit, History};
use crate::ranking::Ranked;

/// A commit that touches more files says little about any two of them.
const MOST_FILES: usize = 40;
/// How much of its importance a file hands on in a pass; the rest is spread evenly, so that islands do not starve.
const HANDED_ON: f64 = 0.85;

/// Which files change together, and how often.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Couplings {
    files: Vec<String>,
    /// For each file the others, by number, and how often they changed with it.
    together: Vec<Vec<(usize, u32)>>,
}

/// How important each file is; the sum is one.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Importance(Vec<f64>);

impl Couplings {
    pub(crate) fn of(history: &History) -> Self {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for change in history.commits.iter().flat_map(|commit| &commit.changes) {
            numbers.entry(&change.file).or_default();
        }
        for (number, slot) in numbers.values_mut().enumerate() {
            *slot = number;
        }
        let mut together = vec![BTreeMap::<usize, u32>::new(); numbers.len()];
        for commit in history.commits.iter().filter(|commit| commit.changes.len() <= MOST_FILES) {
            for (one, other) in pairs(commit, &numbers) {
                *together[one].entry(other).or_default() += 1;
            }
        }
        let together = together.into_iter().map(|others| others.into_iter().collect()).collect();
        Self { files: numbers.into_keys().map(ToOwned::to_owned).collect(), together }
    }

    /// All files alike.
    pub(crate) fn even(&self) -> Importance {
        Importance(vec![1.0 / as_f64(self.files.len().max(1)); self.files.len()])
    }

    /// One pass: every file hands its importance on to those it changes with. Gives also how much has moved.
    pub(crate) fn flow(&self, before: Importance) -> (Importance, f64) {
        let Importance(before) = before;
        let spread = 1.0 / as_f64(self.files.len().max(1));
        let mut after = vec![(1.0 - HANDED_ON) * spread; before.len()];
        for (others, importance) in self.together.iter().zip(&before) {
            let all: u32 = others.iter().map(|(_, times)| times).sum();
            if all == 0 {
                // Nobody to hand it to: everybody gets a share.
                for share in &mut after {
                    *share += HANDED_ON * importance * spread;
                }
            }
            for (other, times) in others {
                after[*other] += HANDED_ON * importance * f64::from(*times) / f64::from(all);
            }
        }
        let moved = before.iter().zip(&after).map(|(before, after)| (before - after).abs()).sum();
        (Importance(after), moved)
    }

    /// The files, most important first, in thousandths.
    pub(crate) fn ranked(&self, importance: &Importance) -> Vec<Ranked> {
        let files = self.files.iter().zip(&importance.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        let ranked = files.map(|(file, share)| (file.clone(), (share * 1000.0).round() as u64));
        Ranked::sorted(ranked)
    }
}

/// Every file of the commit with every other one.
fn pairs<'a>(
    commit: &'a Commit,
    numbers: &'a BTreeMap<&str, usize>,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let number = |file: &str| numbers.get(file).copied();
    let changes = &commit.changes;
    changes.iter().filter_map(move |change| number(&change.file)).flat_map(move |one| {
        let others = changes.iter().filter_map(move |change| number(&change.file));
        others.filter(move |other| *other != one).map(move |other| (one, other))
    })
}

#[expect(clippy::cast_precision_loss, reason = "no folder has so many files")]
fn as_f64(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Change;

    fn commit(files: &[&str]) -> Commit {
        let change = |file: &&str| Change { file: (*file).to_owned(), lines: 1 };
        Commit { author: String::new(), changes: files.iter().map(change).collect() }
    }

    #[test]
    fn the_file_that_all_others_change_with_comes_first() {
        let history =
            History { commits: vec![commit(&["a", "hub"]), commit(&["b", "hub"]), commit(&["alone"])] };
        let couplings = Couplings::of(&history);
        let mut importance = couplings.even();
        for _ in 0..50 {
            importance = couplings.flow(importance).0;
        }
        assert!((importance.0.iter().sum::<f64>() - 1.0).abs() < 1e-9, "nothing is lost: {importance:?}");
        let names: Vec<String> =
            couplings.ranked(&importance).into_iter().map(|ranked| ranked.name).collect();
        assert_eq!(names, ["hub", "a", "b", "alone"]);
    }

    #[test]
    fn nothing_flows_where_nothing_is() {
        let couplings = Couplings::of(&History::default());
        assert!(couplings.flow(couplings.even()).1.abs() < f64::EPSILON);
    }
}
