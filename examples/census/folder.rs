//! Walking folders, and counting what is in them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// What one folder holds.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct FolderCount {
    /// Its name; `.` for the files right below the root.
    pub(crate) name: String,
    pub(crate) files: u64,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    /// Lines by the files' extension.
    pub(crate) lines_by_extension: BTreeMap<String, u64>,
    /// Files that could not be read.
    pub(crate) unreadable: u64,
    /// A hash of every byte of every file, in order.
    pub(crate) fingerprint: String,
}

/// The name for the files right below the root.
const BESIDE: &str = ".";

/// The folders right below the root, `.` among them.
pub(crate) fn below(root: &Path) -> io::Result<Vec<String>> {
    let mut folders = vec![BESIDE.to_owned()];
    for path in entries(root)? {
        if path.is_dir() && !path.is_symlink() && is_wanted(&path) {
            folders.push(name(&path));
        }
    }
    Ok(folders)
}

/// Every file below a folder, in order. What is hidden, what a tool made and what may not be looked into is left
/// out; links are not followed.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = Vec::new();
    let mut found = entries(folder)?;
    loop {
        for path in found {
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_file() => files.push(path),
                Ok(metadata) if metadata.is_dir() && is_wanted(&path) => open.push(path),
                _ => {}
            }
        }
        let Some(next) = open.pop() else { break };
        found = entries(&next).unwrap_or_default();
    }
    files.sort();
    Ok(files)
}

/// Counts one folder. Every byte goes into its fingerprint, `rounds` times over.
pub(crate) fn count(
    root: &Path,
    name: &str,
    rounds: u32,
    is_cancelled: &dyn Fn() -> bool,
) -> io::Result<FolderCount> {
    let files = if name == BESIDE {
        entries(root)?.into_iter().filter(|path| path.is_file() && !path.is_symlink()).collect()
    } else {
        files(&root.join(name))?
    };
    let mut count = FolderCount { name: name.to_owned(), ..FolderCount::default() };
    let mut fingerprint = blake3::Hasher::new();
    for file in files {
        let Ok(bytes) = fs::read(&file) else {
            count.unreadable += 1;
            continue;
        };
        for _ in 0..rounds {
            fingerprint.update(&bytes);
            if is_cancelled() {
                return Err(io::Error::other("cancelled"));
            }
        }
        let lines = lines_of(&bytes);
        count.files += 1;
        count.lines += lines;
        count.bytes += bytes.len() as u64;
        *count.lines_by_extension.entry(extension(&file)).or_default() += lines;
    }
    count.fingerprint = fingerprint.finalize().to_hex().to_string();
    Ok(count)
}

/// Lines of text; a file with a zero byte is none.
pub(crate) fn lines_of(bytes: &[u8]) -> u64 {
    if bytes.contains(&0) {
        return 0;
    }
    let pieces = bytes.split(|byte| *byte == b'\n').count() as u64;
    // What stands after the last line's end is a line only when there is something.
    pieces - u64::from(bytes.last().is_none_or(|byte| *byte == b'\n'))
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Not hidden, and not what a tool can make again: such folders carry a tag, or bear a well-known name.
fn is_wanted(folder: &Path) -> bool {
    let name = name(folder);
    !name.starts_with('.') && name != "node_modules" && !folder.join("CACHEDIR.TAG").exists()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn extension(file: &Path) -> String {
    file.extension().map_or_else(|| "none".to_owned(), |extension| extension.to_string_lossy().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted() {
        let counts =
            ["", "\n", "a", "a\n", "a\nb", "a\n\nb\n", "a\0b\n"].map(|text| lines_of(text.as_bytes()));
        assert_eq!(counts, [0, 1, 1, 1, 2, 3, 0]);
    }
}
