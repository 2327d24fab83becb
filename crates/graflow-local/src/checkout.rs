//! The git checkout that a program stands in, read without running git.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// More than this of a file is not read; a list of packed references is the longest.
const LONGEST: u64 = 16 << 20;

/// The commit that the checkout around `place` is at; none where there is no checkout, or it says nothing that can be
/// read simply. Whether there are changes on top is not looked at: that would take git itself.
pub(crate) fn commit(place: &Path) -> Option<String> {
    let git = place.ancestors().find_map(|folder| git_folder(&folder.join(".git")))?;
    let head = read(&git.join("HEAD"))?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else { return hash(&head) };
    // A second worktree keeps its HEAD apart, and shares the references.
    let common = read(&git.join("commondir")).map_or_else(|| git.clone(), |common| git.join(common.trim()));
    let loose = [&git, &common].into_iter().find_map(|folder| hash(&read(&folder.join(reference))?));
    loose.or_else(|| {
        let packed = read(&common.join("packed-refs"))?;
        packed.lines().find_map(|line| {
            let (commit, name) = line.split_once(' ')?;
            if name == reference { hash(commit) } else { None }
        })
    })
}

/// `.git` is a folder, or a file that names one.
fn git_folder(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_owned());
    }
    let text = read(path)?;
    let named = text.trim().strip_prefix("gitdir: ")?;
    Some(path.parent()?.join(named))
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    let is_hash = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn where_head_points() {
        let place = tempfile::tempdir().unwrap();
        let program = place.path().join("target/debug/program");
        let git = place.path().join(".git");
        assert_eq!(commit(&program), None);
        write(git.join("HEAD"), "ref: refs/heads/main\n");
        assert_eq!(commit(&program), None, "nothing is committed yet");
        write(
            git.join("packed-refs"),
            &format!("# pack-refs with: peeled\n{TWO} refs/heads/mainly\n{ONE} refs/heads/main\n"),
        );
        assert_eq!(commit(&program).as_deref(), Some(ONE));
        write(git.join("refs/heads/main"), &format!("{TWO}\n"));
        assert_eq!(commit(&program).as_deref(), Some(TWO), "a loose reference is newer than a packed one");
        write(git.join("HEAD"), ONE);
        assert_eq!(commit(&program).as_deref(), Some(ONE), "no branch is checked out");
        write(git.join("HEAD"), "something else");
        assert_eq!(commit(&program), None);
    }

    #[test]
    fn in_a_second_worktree() {
        let place = tempfile::tempdir().unwrap();
        let git = place.path().join("main/.git");
        write(git.join("worktrees/second/HEAD"), "ref: refs/heads/topic");
        write(git.join("worktrees/second/commondir"), "../..");
        write(git.join("refs/heads/topic"), ONE);
        write(place.path().join("second/.git"), "gitdir: ../main/.git/worktrees/second\n");
        assert_eq!(commit(&place.path().join("second/src")).as_deref(), Some(ONE));
    }
}
