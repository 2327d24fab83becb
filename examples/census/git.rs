//! What git remembers of a folder.

use std::io;
use std::path::Path;
use std::process::Output;

use serde::Serialize;
use tokio::process::Command;

/// The newest commits that touched the folder.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct History {
    pub(crate) commits: Vec<Commit>,
}

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Commit {
    pub(crate) author: String,
    pub(crate) changes: Vec<Change>,
}

/// What it did to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    pub(crate) file: String,
    /// Lines added and removed; none for a file that is no text.
    pub(crate) lines: u64,
}

/// The most commits that are read.
pub(crate) const MOST_COMMITS: usize = 2_000;
/// Begins a commit's line; no name has it.
const MARK: char = '\u{1}';

/// Asks git. The inner error says why there is no history; the outer one, that git was there and could not be run.
pub(crate) async fn read(root: &Path) -> io::Result<Result<History, String>> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["-c", "core.quotePath=off", "log", "--no-merges", "--no-renames"]);
    git.args([
        "--relative",
        "--numstat",
        "--format=%x01%an",
        "--max-count",
        &MOST_COMMITS.to_string(),
        "--",
        ".",
    ]);
    // A census that is cancelled takes git with it.
    git.kill_on_drop(true).stdin(std::process::Stdio::null());
    match git.output().await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Err("git is not installed".to_owned())),
        Err(error) => Err(error),
        Ok(output) => Ok(understood(&output)),
    }
}

fn understood(output: &Output) -> Result<History, String> {
    if output.status.success() {
        return Ok(parse(&String::from_utf8_lossy(&output.stdout)));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("git failed without a word").to_owned())
}

fn parse(log: &str) -> History {
    let mut commits: Vec<Commit> = Vec::new();
    for line in log.lines() {
        if let Some(author) = line.strip_prefix(MARK) {
            commits.push(Commit { author: author.to_owned(), ..Commit::default() });
        } else if let (Some(commit), Some(change)) = (commits.last_mut(), change(line)) {
            commit.changes.push(change);
        }
    }
    History { commits }
}

/// `added<TAB>removed<TAB>file`, where `-` stands for what cannot be counted.
fn change(line: &str) -> Option<Change> {
    let mut fields = line.splitn(3, '\t');
    let mut number = || Some(fields.next()?.parse().unwrap_or(0));
    let lines: u64 = number()? + number()?;
    Some(Change { file: fields.next()?.to_owned(), lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read() {
        let log = "\u{1}Ada\n\n3\t1\tsrc/a b.rs\n-\t-\tlogo.png\n\u{1}Grace\n\u{1}Ada\n\n10\t0\tREADME\n";
        let history = parse(log);
        let change = |file: &str, lines| Change { file: file.to_owned(), lines };
        assert_eq!(
            history.commits,
            [
                Commit {
                    author: "Ada".to_owned(),
                    changes: vec![change("src/a b.rs", 4), change("logo.png", 0)]
                },
                Commit { author: "Grace".to_owned(), changes: vec![] },
                Commit { author: "Ada".to_owned(), changes: vec![change("README", 10)] },
            ]
        );
    }
}
