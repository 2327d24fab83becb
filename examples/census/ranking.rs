//! Rankings, and the report that people read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::folder::FolderCount;
use crate::git::{History, MOST_COMMITS};
use crate::lines::Lines;

/// A name and how much it has.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Ranked {
    pub(crate) name: String,
    pub(crate) amount: u64,
}

impl Ranked {
    /// Greatest first; equals by name.
    pub(crate) fn sorted(amounts: impl IntoIterator<Item = (String, u64)>) -> Vec<Self> {
        let mut ranked: Vec<Self> = amounts.into_iter().map(|(name, amount)| Self { name, amount }).collect();
        ranked.sort_by(|one, other| other.amount.cmp(&one.amount).then_with(|| one.name.cmp(&other.name)));
        ranked
    }
}

pub(crate) fn by_lines(folders: &[&FolderCount]) -> Vec<Ranked> {
    Ranked::sorted(folders.iter().map(|folder| (folder.name.clone(), folder.lines)))
}

pub(crate) fn languages<'a>(folders: impl Iterator<Item = &'a FolderCount>) -> Vec<Ranked> {
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for (extension, more) in folders.flat_map(|folder| &folder.lines_by_extension) {
        *lines.entry(extension.clone()).or_default() += more;
    }
    Ranked::sorted(lines)
}

pub(crate) fn by_commits(history: &History) -> Vec<Ranked> {
    let mut commits: BTreeMap<String, u64> = BTreeMap::new();
    for commit in &history.commits {
        *commits.entry(commit.author.clone()).or_default() += 1;
    }
    Ranked::sorted(commits)
}

pub(crate) fn by_changed_lines(history: &History) -> Vec<Ranked> {
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for change in history.commits.iter().flat_map(|commit| &commit.changes) {
        *lines.entry(change.file.clone()).or_default() += change.lines;
    }
    Ranked::sorted(lines)
}

/// The folders were counted after the whole: files may have changed in between, or the whole is an estimate.
pub(crate) fn disagreement(folders: &[&FolderCount], total: &Lines) -> Option<String> {
    let counted: u64 = folders.iter().map(|folder| folder.lines).sum();
    let why = if total.is_exact { "files changed meanwhile" } else { "that was an estimate" };
    let is_same = counted == total.count;
    (!is_same).then(|| format!("the folders have {counted} lines, all together had {}: {why}", total.count))
}

/// The whole report.
pub(crate) fn text(
    folders: &[&FolderCount],
    total: &Lines,
    history: &History,
    tables: &[(&str, Vec<Ranked>)],
    remarks: &[String],
) -> String {
    const SHOWN: usize = 8;
    let files: u64 = folders.iter().map(|folder| folder.files).sum();
    let bytes: u64 = folders.iter().map(|folder| folder.bytes).sum();
    let unreadable: u64 = folders.iter().map(|folder| folder.unreadable).sum();
    let commits = history.commits.len();
    let at_least = if commits == MOST_COMMITS { "the newest " } else { "" };
    let mut text =
        format!("{files} files, {} lines, {} KiB, {at_least}{commits} commits\n", total.count, bytes / 1024);
    for (title, ranked) in tables.iter().filter(|(_, ranked)| !ranked.is_empty()) {
        let _ = writeln!(text, "\n{title}");
        for Ranked { name, amount } in ranked.iter().take(SHOWN) {
            let _ = writeln!(text, "{amount:>10}  {name}");
        }
        if ranked.len() > SHOWN {
            let _ = writeln!(text, "{:>10}  and {} more", "", ranked.len() - SHOWN);
        }
    }
    if unreadable > 0 {
        let _ = writeln!(text, "\n{unreadable} files could not be read");
    }
    for remark in remarks {
        let _ = writeln!(text, "\nremark: {remark}");
    }
    text
}
